import Backup
import DuckDBFile
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import Synchronization
import SystemPackage
import TestKit
import Testing

/// DuckDB 1.4.5 reads encrypted files but writes them only with an extension that is not installed here.
@Suite("Encrypted databases")
struct EncryptedTests {
  static let engines = [Engine("2.0.1"), Engine("1.5.6")]

  private static let open = """
    c = duckdb.connect()
    try: c.execute('SET force_mbedtls_unsafe=true')
    except duckdb.Error: pass
    c.execute("ATTACH 'hrp.duckdb' AS e (ENCRYPTION_KEY 'secret')")

    """

  /// A stack whose database is encrypted, with a log; the body runs when its writer has died.
  private func withEncryptedStack<Result>(_ engine: Engine, _ body: (SampleStack) throws -> Result) throws -> Result {
    try withStack(engine: engine) { sample in
      try run("/bin/sh", ["-c", "rm hrp.duckdb*"], in: sample.data)
      try engine.run(
        Self.open + """
          c.execute("SET checkpoint_threshold='1GB'"); c.execute('CREATE TABLE e.t AS SELECT range i FROM range(900)')
          c.execute('CHECKPOINT e'); c.execute('INSERT INTO e.t SELECT range FROM range(900, 1000)'); os._exit(0)
          """, in: sample.data)
      return try body(sample)
    }
  }

  @Test("one that nobody writes to is backed up with its log, verified by checksums, restored", arguments: engines)
  func whole(engine: Engine) throws {
    try withEncryptedStack(engine) { sample in
      let result = try sample.create()
      #expect(result.isVerified && result.snapshot.method == "verbatim" && result.snapshot.walBytes > 0)
      let report = try sample.verify(result.path)
      #expect(report.isOK && report.level == .checksums)
      #expect(report.notices.contains { $0.contains("is encrypted") })
      let target = sample.folder + "/restored"
      _ = try sample.restore(result.path, to: target)
      let rows = try engine.run(
        Self.open + "print(*c.execute('SELECT count(*), sum(i) FROM e.t').fetchone())", in: target)
      #expect(rows == "1000 499500")
    }
  }

  @Test("a changed byte is found by its checksum", arguments: engines)
  func changed(engine: Engine) throws {
    try withEncryptedStack(engine) { sample in
      let result = try sample.create()
      try SampleStack.change(result.path + "/hrp.duckdb") { $0[300_000] ^= 1 }
      #expect(try sample.verify(result.path).findings.map(\.kind) == [.mismatch])
    }
  }

  @Test("E1: beside a writer it is refused as busy, and the writer is named", arguments: engines)
  func busy(engine: Engine) throws {
    try withEncryptedStack(engine) { sample in
      let script =
        Self.open + """
          import subprocess
          done = subprocess.run([sys.argv[1], 'backup', 'create', '--data-dir', '.', '--json'], capture_output=True, text=True)
          import json
          error = json.loads(done.stdout)['error']
          print(done.returncode, error['code'], str(os.getpid()) in error['message'])
          """
      let done = try run(
        Checkout.python, ["-B", "-c", "import duckdb, os, sys\n" + script, Checkout.hrp], in: sample.data,
        environment: engine.environment)
      #expect(done.output == "11 duckdb.encrypted-in-use True\n", "\(done.errors)")
    }
  }

  @Test("E3: one that changes while it is copied is copied again")
  func changing() throws {
    try withEncryptedStack(Engine("2.0.1")) { sample in
      let writes = Mutex(0)
      let files = HookedFileSystem { (call, _) throws(SystemError) in
        guard call == "pwrite",
          writes.withLock({
            $0 += 1; return $0 == 1
          })
        else { return }
        // A writer came and went: same bytes, another time.
        utimes(sample.data + "/hrp.duckdb", nil)
      }
      let database = try DatabaseFile(FilePath(sample.data + "/hrp.duckdb"), files: files, time: SystemTime())
      let folder = try OpenFile(FilePath(sample.folder), mode: [.directory], files: files)
      let result = try DatabaseCopy.run(
        of: database, to: "copy", at: folder.descriptor, permissions: 0o644, files: files, time: SystemTime())
      #expect(result.passes == 2 && result.method == .verbatim)
      let same = try run(
        "/bin/sh", ["-c", "cmp copy data/hrp.duckdb && cmp copy.wal data/hrp.duckdb.wal"], in: sample.folder)
      #expect(same.status == 0)
    }
  }

  @Test("E2: the log of a checkpoint that died is copied, verified and restored with it")
  func checkpointWAL() throws {
    try withEncryptedStack(Engine("2.0.1")) { sample in
      try run("/bin/cp", ["hrp.duckdb.wal", "hrp.duckdb.wal.checkpoint"], in: sample.data)
      let result = try sample.create()
      #expect(try sample.verify(result.path).isOK)
      let target = sample.folder + "/restored"
      _ = try sample.restore(result.path, to: target)
      let same = try run(
        "/usr/bin/cmp", ["data/hrp.duckdb.wal", "restored/hrp.duckdb.wal.checkpoint"], in: sample.folder)
      #expect(same.status == 0)
    }
  }

  @Test("what can be seen of one from outside is told")
  func inspection() throws {
    try withEncryptedStack(Engine("2.0.1")) { sample in
      let found = try Inspection(FilePath(sample.data + "/hrp.duckdb"), files: Kernel(), time: SystemTime())
      #expect(found.state == nil)
      #expect(found.main.libraryVersion == "v2.0.1")
      #expect(found.main.encryption?.cipher == "GCM" && found.main.encryption?.keyLength == 32)
      guard case .found(let scan, _) = found.wal else { return #expect(Bool(false), "There is a log.") }
      #expect(scan.header.version == 3 && scan.header.iteration == 1)
    }
  }
}
