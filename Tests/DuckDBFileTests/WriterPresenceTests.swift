import DuckDBFile
import Files
import Foundation
import SystemPackage
import TestKit
import Testing

/// Writers whose lock cannot be seen, and checkpoints that died.
@Suite("Who may be writing")
struct WriterPresenceTests {
  @Test("a writer that has lost its lock by opening and closing its own file is still seen", arguments: Engine.all)
  func lostLock(engine: Engine) throws {
    try withTemporaryFolder { folder in
      let output = try engine.run(
        """
        import subprocess, json
        c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t(i INT)')
        look = lambda: json.loads(subprocess.run(['\(Checkout.hrp)', 'duckdb', 'inspect', 'x.duckdb', '--json'], capture_output=True, text=True).stdout)
        print(look()['writer_pid'] == os.getpid()); open('x.duckdb', 'rb').close(); print(look()['writer_pid'] == os.getpid())
        c.close(); print(look()['writer_pid'])
        """, in: folder)
      #expect(output == "True\nTrue\nNone")
    }
  }

  @Test(
    "I5 (rule W) holds for a writer without a visible lock: by a lease, and where there are none by the age of the WAL",
    arguments: [HookedFileSystem.Leases.answer(true), .none])
  func ruleWWithoutLock(leases: HookedFileSystem.Leases) throws {
    try withTemporaryFolder { folder in
      let window = try CheckpointWindow(in: folder)
      let right = try window.copy(waiting: true, writer: nil, leases: leases, now: .young)
      #expect(right.value == window.expected)
      #expect(right.result.iteration == window.iterationAfter)
    }
  }

  @Test("where nobody can be writing, a marker is no reason to wait: the copy is of the header before")
  func nobody() throws {
    try withTemporaryFolder { folder in
      let window = try CheckpointWindow(in: folder)
      for (leases, age) in [(HookedFileSystem.Leases.answer(false), CheckpointWindow.Age.young), (.none, .old)] {
        let result = try window.copy(waiting: true, flips: false, writer: nil, leases: leases, now: age).result
        #expect(result.iteration == window.iterationAfter - 1)
        #expect(result.warnings.isEmpty)
      }
    }
  }

  @Test("a young WAL without any holder is worth a warning")
  func youngWithoutHolder() throws {
    try withTemporaryFolder { folder in
      let window = try CheckpointWindow(in: folder)
      let result = try window.copy(waiting: true, writer: nil, leases: .none, now: .young).result
      #expect(result.warnings.contains { $0.contains("nobody was seen to have it open") })
    }
  }

  @Test("a checkpoint that has not gone on for 5 minutes is taken for dead, with a warning")
  func deadForMinutes() throws {
    try withTemporaryFolder { folder in
      let window = try CheckpointWindow(in: folder)
      let result = try window.copy(waiting: true, flips: false, now: .old).result
      #expect(result.iteration == window.iterationAfter - 1)
      #expect(result.warnings.contains { $0.contains("stood still for 5 minutes") })
    }
  }

  @Test("a checkpoint that died before an idle writer opened the database again does not keep it from being copied")
  func deadBeforeTheHolder() throws {
    let engine = Engine("1.4.5")
    try withTemporaryFolder { folder in
      try engine.run(
        """
        c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'"); c.execute('CREATE TABLE t(i INT)')
        c.execute('CHECKPOINT'); c.execute('INSERT INTO t VALUES (1)'); os._exit(0)
        """, in: folder)
      try appendMarker(to: folder + "/x.duckdb.wal", metaBlock: 0x777)
      // A minute ago: too young for the rule of 5 minutes, and before the holder.
      let output = try engine.run(
        """
        import subprocess, time
        for n in ('x.duckdb', 'x.duckdb.wal'): os.utime(n, (time.time() - 60, time.time() - 60))
        c = duckdb.connect('x.duckdb')
        print(time.time() - os.path.getmtime('x.duckdb.wal') > 50)
        print(subprocess.run(['\(Checkout.hrp)', 'duckdb', 'copy', 'x.duckdb', 'y.duckdb'], timeout=50, capture_output=True).returncode, flush=True)
        os._exit(0)
        """, in: folder)
      #expect(output == "True\n0")
      #expect(try engine.query("y.duckdb", "SELECT count(*) FROM t", in: folder) == "1")
    }
  }

  @Test("an encrypted database with a writer whose lock is invisible is not copied")
  func encrypted() throws {
    let engine = Engine("1.5.6")
    try withTemporaryFolder { folder in
      try engine.run(
        """
        c = duckdb.connect(); c.execute('SET force_mbedtls_unsafe=true')
        c.execute("ATTACH 'x.duckdb' AS x (ENCRYPTION_KEY 'secret')")
        c.execute('CREATE TABLE x.t(i INT)'); c.close()
        """, in: folder)
      let files = HookedFileSystem(leases: .answer(true))
      #expect {
        try StandaloneCopy(
          FilePath(folder + "/x.duckdb"), to: FilePath(folder + "/y"), files: files, time: ManualTime()
        ).run()
      } throws: { ($0 as? HotCopyError)?.code == "duckdb.encrypted-in-use" }
    }
  }

  @Test(
    "a WAL whose checkpoint finished just before its writer died is not replayed, though its catalogue lies in block 0",
    arguments: ["1.4.5", "1.5.6"])
  func finishedInBlockZero(version: String) throws {
    let engine = Engine(version)
    try withTemporaryFolder { folder in
      let script = """
        import duckdb
        c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
        c.execute('CREATE TABLE t(i INT)'); c.execute('INSERT INTO t VALUES (1)'); c.execute('CHECKPOINT')
        """
      _ = try run(
        "/usr/bin/strace",
        [
          "-f", "-qq", "-o", "/dev/null", "-e", "trace=unlink,unlinkat", "-e",
          "inject=unlink,unlinkat:signal=KILL:when=1", Checkout.python, "-B", "-c", script,
        ], in: folder, environment: engine.environment)
      let (database, wal) = (FilePath(folder + "/x.duckdb"), folder + "/x.duckdb.wal")
      let state = try DatabaseFile(database, files: Kernel(), time: SystemTime()).state()
      // Else the test would show nothing.
      try #require(FileManager.default.fileExists(atPath: wal))
      try #require(state.header.metaBlock?.raw == 0)
      for (number, torn) in [Data(), Data([1, 2, 3]), Data(count: 64)].enumerated() {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: wal))
        try file.seekToEnd()
        try file.write(contentsOf: torn)
        try file.close()
        let copy = "y\(number).duckdb"
        _ = try StandaloneCopy(
          database, to: FilePath(folder + "/" + copy), files: Kernel(), time: SystemTime()
        ).run()
        #expect(
          try engine.query(copy, "SELECT count(*) FROM t", in: folder) == "1", "with \(torn.count) bytes behind it")
      }
    }
  }
}
