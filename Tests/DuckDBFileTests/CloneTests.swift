import DuckDBFile
import Files
import Foundation
import Synchronization
import SystemPackage
import TestKit
import Testing

/// I9, on a real file system with clones.
@Suite("Copies by way of a clone", .enabled(if: Mount.hasClones, "needs root, mkfs.xfs and a loop device"))
struct CloneTests {
  private static let create = """
    c = duckdb.connect('x.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
    c.execute('CREATE TABLE t AS SELECT range i FROM range(200000)'); c.execute('CHECKPOINT')
    c.execute('INSERT INTO t SELECT range FROM range(200000, 500000)'); os._exit(0)
    """

  private func copy(
    in folder: String, options: HotCopy.Options = HotCopy.Options(), files: any FileSystem = Kernel()
  ) throws -> HotCopy.Result {
    let source = try DatabaseFile(FilePath(folder + "/x.duckdb"), files: files, time: SystemTime())
    try TestKit.run("/bin/mkdir", ["-p", folder + "/copy"])
    let target = try OpenFile(FilePath(folder + "/copy"), mode: [.directory], files: files)
    return try DatabaseCopy.run(
      of: source, to: "x.duckdb", at: target.descriptor, permissions: 0o644, options: options, files: files,
      time: SystemTime())
  }

  private func content(_ engine: Engine, _ folder: String) throws -> String {
    try engine.query("copy/x.duckdb", "SELECT count(*), sum(i) FROM t", in: folder)
  }

  @Test(
    "I9: a copy is taken from a clone that leaves nothing behind, and holds what was committed", arguments: Engine.all)
  func clone(engine: Engine) throws {
    try Mount.withCloningFolder { folder in
      try engine.run(Self.create, in: folder)
      let result = try copy(in: folder)
      #expect(result.method == .clone && result.passes == 1)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["copy", "x.duckdb", "x.duckdb.wal"])
      #expect(try content(engine, folder) == "500000|124999750000")
    }
  }

  @Test("I9: a checkpoint between the WAL and the clone makes both be taken again", arguments: Engine.all)
  func checkpoint(engine: Engine) throws {
    try Mount.withCloningFolder { folder in
      try engine.run(Self.create, in: folder)
      let clones = Mutex(0)
      let files = HookedFileSystem { (call, _) throws(SystemError) in
        // The first asks whether there are clones; the second would pair the old WAL with the new main file.
        guard call == "FICLONE",
          clones.withLock({
            $0 += 1; return $0 == 2
          })
        else { return }
        _ = try? engine.run(
          "c = duckdb.connect('x.duckdb'); c.execute('INSERT INTO t VALUES (7)'); c.close()", in: folder)
      }
      let result = try copy(in: folder, files: files)
      #expect(result.method == .clone && result.passes == 2)
      #expect(try content(engine, folder) == "500001|124999750007")
    }
  }

  @Test(
    "a kept clone shares storage, is checked block by block, and stays when the source goes on", arguments: Engine.all)
  func reflink(engine: Engine) throws {
    try Mount.withCloningFolder { folder in
      try engine.run(Self.create, in: folder)
      var options = HotCopy.Options()
      options.keepsClone = true
      #expect(try copy(in: folder, options: options).method == .reflink)
      let extents = try TestKit.run("/bin/sh", ["-c", "sync -f .; filefrag -v copy/x.duckdb"], in: folder)
      if extents.status == 0 { #expect(extents.output.contains("shared")) }
      try engine.run(
        "c = duckdb.connect('x.duckdb'); c.execute('DELETE FROM t'); c.execute('CHECKPOINT'); c.close()", in: folder)
      #expect(try content(engine, folder) == "500000|124999750000")
    }
  }

  @Test("a damaged block in use is damage, also by way of a clone", arguments: [false, true])
  func damage(keepsClone: Bool) throws {
    try Mount.withCloningFolder { folder in
      try Engine("2.0.1").run(Self.create, in: folder)
      let file = try #require(FileHandle(forUpdatingAtPath: folder + "/x.duckdb"))
      try file.seek(toOffset: 12_288 + 5_000)
      try file.write(contentsOf: Data([0xA5, 0x5A]))
      try file.close()
      var options = HotCopy.Options()
      options.keepsClone = keepsClone
      #expect { try copy(in: folder, options: options) } throws: { ($0 as? HotCopyError)?.code == "duckdb.damaged" }
    }
  }

  /// Says so by the file system's own answer, as ext4 gives it.
  private static let withoutClones = HookedFileSystem(hasClones: false)

  @Test("on a file system without clones a kept one is refused, and a copy is made without")
  func unsupported() throws {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(Self.create, in: folder)
      var options = HotCopy.Options()
      options.keepsClone = true
      #expect { try copy(in: folder, options: options, files: Self.withoutClones) } throws: {
        ($0 as? HotCopyError)?.code == "reflink.unsupported"
      }
      try TestKit.run("/bin/rm", ["-r", folder + "/copy"])
      #expect(try copy(in: folder, files: Self.withoutClones).method == .hotCopy)
      #expect(try content(Engine("2.0.1"), folder) == "500000|124999750000")
    }
  }
}
