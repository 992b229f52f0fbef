import DuckDBFile
import Files
import Foundation
import SystemPackage
import TestKit

/// The moment that rule W is about (docs/formats/duckdb.md §5.4), built from real files of DuckDB 1.5.
///
/// `before` is the database at header N with a WAL that ends with the marker of a running checkpoint; `after` is the same
/// database once that checkpoint is done. In the window between them a bulk load has taken blocks that N still uses: here
/// each gets the bytes of another block, whose checksum is right.
struct CheckpointWindow {
  let folder: String
  /// What the engine answers on a right copy.
  let expected: String
  let iterationAfter: UInt64

  private let engine = Engine("1.5.6")
  private let query = "SELECT count(*), sum(i), sum(j) FROM t"

  init(in folder: String) throws {
    self.folder = folder
    try engine.run(
      """
      c = duckdb.connect('live.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
      c.execute("CREATE TABLE t AS SELECT range i, hash(range) % 1000003 AS j FROM range(600000)"); c.execute('CHECKPOINT')
      c.execute('UPDATE t SET j = j + 1')
      for n in ('', '.wal'): shutil.copy('live.duckdb' + n, 'before.duckdb' + n)
      c.execute('CHECKPOINT'); shutil.copy('live.duckdb', 'after.duckdb'); c.close()
      """, in: folder)
    let (before, after) = try (Self.state(folder + "/before.duckdb"), Self.state(folder + "/after.duckdb"))
    iterationAfter = after.header.iteration
    try appendMarker(to: folder + "/before.duckdb.wal", metaBlock: after.header.metaBlock?.raw ?? 0)
    let freed = before.freeList.inUse.subtracting(after.freeList.inUse).subtracting(before.freeList.metadata)
    precondition(freed.count >= 2, "The checkpoint freed no blocks: the window would be empty.")
    try Self.overwrite(Array(freed), in: folder + "/before.duckdb", geometry: before.geometry)
    try FileManager.default.copyItem(atPath: folder + "/after.duckdb", toPath: folder + "/expected.duckdb")
    expected = try engine.query("expected.duckdb", query, in: folder)
  }

  /// How old the files are by the copier's clock.
  enum Age { case young, old }

  /// Copies the database as it is in the window; the header flips while the copier sleeps.
  /// - Parameter writer: who holds the lock, as far as the copier sees.
  func copy(
    waiting: Bool, flips: Bool = true, patience: Duration = .seconds(60), writer: Int32? = 4242,
    leases: HookedFileSystem.Leases = .real, now: Age = .young
  ) throws -> (result: HotCopy.Result, value: String) {
    let (database, wal) = (folder + "/live.duckdb", folder + "/live.duckdb.wal")
    try replace(database, with: "before.duckdb")
    try replace(wal, with: "before.duckdb.wal")
    let age: Int64 = now == .young ? 1_000_000_000 : 3_600_000_000_000
    let time = ManualTime(now: SystemTime().nowNanoseconds + age) { number in
      guard flips, number == 3 else { return }
      // In place, as an engine writes: the copier has the file open.
      let bytes = FileManager.default.contents(atPath: folder + "/after.duckdb") ?? Data()
      let file = FileHandle(forWritingAtPath: database)
      file?.write(bytes)
      file?.closeFile()
      try? FileManager.default.removeItem(atPath: wal)
    }
    let files = HookedFileSystem(writer: writer, leases: leases)
    let target = folder + "/copy-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
    let directory = try OpenFile(FilePath(target), mode: [.directory], files: files)
    var options = HotCopy.Options()
    options.waitsForCheckpoints = waiting
    options.checkpointPatience = patience
    let result = try HotCopy(
      of: DatabaseFile(FilePath(database), files: files, time: time), to: "c.duckdb", at: directory.descriptor,
      options: options, files: files, time: time
    ).run()
    if result.walBytes == 0 { try FileManager.default.removeItem(atPath: target + "/c.duckdb.wal") }
    let value = (try? engine.query("c.duckdb", query, in: target)) ?? "does not open"
    return (result, value)
  }

  private func replace(_ path: String, with name: String) throws {
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.copyItem(atPath: folder + "/" + name, toPath: path)
  }

  private static func state(_ path: String) throws -> StorageState {
    try DatabaseFile(FilePath(path), files: Kernel(), time: SystemTime()).state()
  }

  /// Each block gets the bytes of its neighbour in the list.
  private static func overwrite(_ blocks: [Int], in path: String, geometry: BlockGeometry) throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    for (block, other) in zip(blocks, blocks.dropFirst() + blocks.prefix(1)) {
      let start = Int(geometry.offset(of: other))
      try file.seek(toOffset: UInt64(geometry.offset(of: block)))
      try file.write(contentsOf: bytes[start..<(start + Int(geometry.allocationSize))])
    }
    try file.close()
  }
}
