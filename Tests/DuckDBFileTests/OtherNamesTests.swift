import DuckDBFile
import Files
import Foundation
import SystemPackage
import TestKit
import Testing

/// Names of a database that hide its WAL, and names that two copies could share.
@Suite("Names of a database")
struct OtherNamesTests {
  private func copy(_ folder: String, _ name: String, to target: String = "copy") throws -> HotCopy.Result {
    try StandaloneCopy(
      FilePath(folder + "/" + name), to: FilePath(folder + "/" + target), files: Kernel(), time: SystemTime()
    ).run()
  }

  private func isOtherName(_ error: any Error) -> Bool { (error as? HotCopyError)?.code == "duckdb.other-name" }

  private static let make = """
    os.mkdir('data'); c = duckdb.connect('data/x.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
    c.execute('CREATE TABLE t(i INT)'); c.execute('CHECKPOINT'); c.execute('INSERT INTO t VALUES (1)')
    """

  @Test("a hard link whose WAL lies beside the other name is refused, and that name goes on", arguments: Engine.all)
  func hardLink(engine: Engine) throws {
    try withTemporaryFolder { folder in
      try engine.run(
        Self.make + "\nos.mkdir('other'); os.link('data/x.duckdb', 'other/y.duckdb'); os._exit(0)", in: folder)
      #expect(throws: (any Error).self) { try copy(folder, "other/y.duckdb") }
      #expect { try copy(folder, "other/y.duckdb") } throws: { isOtherName($0) }
      #expect(try copy(folder, "data/x.duckdb").walBytes > 0)
    }
  }

  @Test("snapshots by cp -al do not keep the database from being copied; a name that cannot be found does")
  func snapshots() throws {
    try withTemporaryFolder { folder in
      let engine = Engine("1.5.6")
      try engine.run(
        Self.make + "\nc.close()\nos.mkdir('snapshot'); os.link('data/x.duckdb', 'snapshot/x.duckdb')", in: folder)
      _ = try copy(folder, "data/x.duckdb")
      // Far away: it could have a WAL.
      try engine.run("os.makedirs('a/b/c/d'); os.makedirs('e'); os.rename('data', 'a/b/c/d/data')", in: folder)
      #expect { try copy(folder, "a/b/c/d/data/x.duckdb", to: "e/copy") } throws: { isOtherName($0) }
    }
  }

  @Test(
    "a writer's own descriptor tells which name counts",
    arguments: [("data/x.duckdb", "0"), ("far/a/b/c/y.duckdb", "1")])
  func holder(name: String, status: String) throws {
    try withTemporaryFolder { folder in
      let output = try Engine("1.5.6").run(
        Self.make + """

          import subprocess
          os.makedirs('far/a/b/c'); os.link('data/x.duckdb', 'far/a/b/c/y.duckdb')
          print(subprocess.run(['\(Checkout.hrp)', 'duckdb', 'copy', '\(name)', 'copy'], capture_output=True).returncode, flush=True)
          os._exit(0)
          """, in: folder)
      #expect(output == status)
    }
  }

  @Test("a database that is mounted as a single file is refused, its directory is not", .enabled(if: Mount.canMount))
  func mountedAlone() throws {
    try withTemporaryFolder { folder in
      try Engine("1.5.6").run(
        Self.make + "\nos.makedirs('a b'); open('a b/x.duckdb', 'w').close(); os.mkdir('whole'); os._exit(0)",
        in: folder)
      let script = """
        mount --bind data/x.duckdb 'a b/x.duckdb' && mount --bind data whole || exit 9
        '\(Checkout.hrp)' duckdb copy 'a b/x.duckdb' one --json; echo $?
        '\(Checkout.hrp)' duckdb copy whole/x.duckdb two >/dev/null; echo $?
        """
      let done = try run("/usr/bin/unshare", ["-m", "/bin/sh", "-c", script], in: folder)
      #expect(done.output.contains("duckdb.mounted-alone"))
      #expect(done.output.hasSuffix("1\n0\n"), "\(done)")
    }
  }

  @Test("two copies with one PID in two PID namespaces both end with their copy", .enabled(if: Mount.canMount))
  func onePID() throws {
    try withTemporaryFolder { folder in
      try Engine("1.5.6").run(
        "c = duckdb.connect('x.duckdb'); c.execute('CREATE TABLE t AS SELECT range i FROM range(2000000)'); c.close()",
        in: folder)
      let output = try Engine("1.5.6").run(
        """
        import subprocess
        for round in range(5):
            names = ['%d-%d.duckdb' % (round, n) for n in (1, 2)]
            both = [subprocess.Popen(['unshare', '-pf', '\(Checkout.hrp)', 'duckdb', 'copy', 'x.duckdb', n, '--json'], stdout=-3) for n in names]
            print([p.wait() for p in both], all(os.path.exists(n) for n in names))
        """, in: folder)
      #expect(Set(output.split(separator: "\n")) == ["[0, 0] True"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { !$0.hasPrefix(".hrp-copy") })
    }
  }

  @Test("what a killed copy left is removed by the next one; a living one's is not")
  func leftovers() throws {
    try withTemporaryFolder { folder in
      try Engine("1.5.6").run("duckdb.connect('x.duckdb').close()", in: folder)
      let (dead, alive) = (
        folder + "/.hrp-copy.0123456789abcdef.partial", folder + "/.hrp-copy.fedcba9876543210.partial"
      )
      for path in [dead, alive] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try Data([1]).write(to: URL(fileURLWithPath: path + "/db"))
      }
      let held = try OpenFile(FilePath(alive), mode: [.directory], files: Kernel())
      #expect(try Kernel().lock(held.descriptor, kind: .exclusive))
      _ = try copy(folder, "x.duckdb")
      #expect(!FileManager.default.fileExists(atPath: dead))
      #expect(FileManager.default.fileExists(atPath: alive + "/db"))
    }
  }

  @Test("a staged file that is gone before it gets its name is an error, not a copy")
  func missingStaged() throws {
    try withTemporaryFolder { folder in
      try Engine("1.5.6").run("duckdb.connect('x.duckdb').close()", in: folder)
      // Another process with the same hidden name could have removed it.
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        guard call == "openat", path == "db" else { return }
        let found = names(in: folder).filter { $0.hasPrefix(".hrp-copy.") }
        for name in found where FileManager.default.fileExists(atPath: "\(folder)/\(name)/db") {
          _ = unlink("\(folder)/\(name)/db")
        }
      }
      #expect(throws: (any Error).self) {
        try StandaloneCopy(
          FilePath(folder + "/x.duckdb"), to: FilePath(folder + "/copy"), files: files, time: ManualTime()
        ).run()
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/copy"))
    }
  }
}

private func names(in folder: String) -> [String] {
  (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
}
