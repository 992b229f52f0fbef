import DuckDBFile
import Files
import Foundation
import Synchronization
import SystemPackage
import TestKit
import Testing

/// V1–V6: the walk over the blocks of a live database.
@Suite("Walk over the blocks")
struct BlockScrubTests {
  private let time = ManualTime()

  /// A database of some blocks; the first is a data block in use, the second is free.
  private func make(in folder: String) throws -> (path: FilePath, used: Int, free: Int?) {
    try Engine.all[0].run(
      """
      c = duckdb.connect('x.duckdb')
      c.execute("CREATE TABLE gone AS SELECT range i, random() r FROM range(300000)"); c.execute('CHECKPOINT')
      c.execute("CREATE TABLE t AS SELECT range i, random() r FROM range(200000)"); c.execute('CHECKPOINT')
      c.execute('DROP TABLE gone'); c.execute('CHECKPOINT'); c.close()
      """, in: folder)
    let path = FilePath(folder).appending("x.duckdb")
    let state = try DatabaseFile(path, files: Kernel(), time: SystemTime()).state()
    let data = state.freeList.inUse.subtracting(state.freeList.metadata)
    let whole = state.geometry.wholeBlocks(inFileOf: try Kernel().status(path, at: nil).size)
    return (path, try #require(data.next(from: 0)), state.freeList.free.next(from: 0).flatMap { $0 < whole ? $0 : nil })
  }

  /// Changes a byte of a block, or puts it right again.
  private func flip(_ block: Int, of path: FilePath) throws {
    let offset = HeaderPair.end + Int64(block) * 262_144 + 1000
    let file = try OpenFile(path, mode: [.write], files: Kernel())
    let byte = try file.read(count: 1, at: offset)[0]
    try file.write([byte ^ 0x20], at: offset)
    try file.close()
  }

  /// Walks to the end of a pass, and as long as something is to be read again; half a second goes by at each step.
  private func pass(_ scrub: BlockScrub) throws {
    var step = BlockScrub.Step.read(bytes: 0)
    var steps = 0
    while step != .endOfPass || scrub.hasSuspects {
      step = try scrub.step()
      time.sleep(.milliseconds(600))
      steps += 1
      try #require(steps < 200, "The walk does not come to its end.")
    }
  }

  @Test("V3: a changed byte is found in a block in use, and not in a free one; V5: put right, it is right again")
  func damage() throws {
    try withTemporaryFolder { folder in
      let (path, used, free) = try make(in: folder)
      let scrub = BlockScrub(path, files: Kernel(), time: time)
      try pass(scrub)
      #expect(scrub.damaged.isEmpty)
      #expect(scrub.position.lastPass?.blocks == scrub.blocksInUse)
      if let free { try flip(free, of: path) }
      try pass(scrub)
      #expect(scrub.damaged.isEmpty)
      try flip(used, of: path)
      try pass(scrub)
      #expect(scrub.damaged == [used])
      try flip(used, of: path)
      try pass(scrub)
      #expect(scrub.damaged.isEmpty)
    }
  }

  @Test("V3: one wrong reading is no damage: it takes three, half a second apart")
  func threeReadings() throws {
    try withTemporaryFolder { folder in
      let (path, used, _) = try make(in: folder)
      let scrub = BlockScrub(path, files: Kernel(), time: time)
      try flip(used, of: path)
      while try scrub.step() != .endOfPass {}
      #expect(scrub.hasSuspects && scrub.damaged.isEmpty)
      // No time goes by: nothing is read again.
      _ = try scrub.step()
      #expect(scrub.hasSuspects && scrub.damaged.isEmpty)
      try flip(used, of: path)
      time.sleep(.seconds(1))
      _ = try scrub.step()
      #expect(!scrub.hasSuspects && scrub.damaged.isEmpty)
    }
  }

  @Test("V5: what the header does not use any more is not damaged")
  func released() throws {
    try withTemporaryFolder { folder in
      let (path, used, _) = try make(in: folder)
      let scrub = BlockScrub(path, files: Kernel(), time: time)
      try flip(used, of: path)
      try pass(scrub)
      #expect(scrub.damaged == [used])
      // Its table cannot be read, and can be dropped.
      try Engine.all[0].run(
        "c = duckdb.connect('x.duckdb'); c.execute('DROP TABLE t'); c.execute('CHECKPOINT'); c.close()", in: folder)
      _ = try scrub.step()
      #expect(scrub.damaged.isEmpty)
    }
  }

  @Test("V6: another file at the path begins anew, and a position of the same file is gone on from")
  func position() throws {
    try withTemporaryFolder { folder in
      let (path, _, _) = try make(in: folder)
      let scrub = BlockScrub(path, files: Kernel(), time: time)
      _ = try scrub.step()
      let position = scrub.position
      #expect(position.next > 0 && position.blocks > 0)
      let later = BlockScrub(path, from: position, files: Kernel(), time: time)
      _ = try later.step()
      #expect(later.position.next > position.next || later.position.next == 0)
      try FileManager.default.copyItem(atPath: path.string, toPath: path.string + ".new")
      try FileManager.default.removeItem(atPath: path.string)
      try FileManager.default.moveItem(atPath: path.string + ".new", toPath: path.string)
      let other = BlockScrub(path, from: Self.moved(position), files: Kernel(), time: time)
      _ = try other.step()
      #expect(other.position.blocks <= position.blocks)
    }
  }

  /// The position in a file of another inode.
  private static func moved(_ position: BlockScrub.Position) -> BlockScrub.Position {
    var position = position
    position.inode += 123_456_789
    position.blocks += 1000
    return position
  }

  @Test("V1: blocks are read past the page cache, or through it where the file system cannot")
  func direct() throws {
    try withTemporaryFolder { folder in
      let (path, used, _) = try make(in: folder)
      let asked = Mutex(0)
      let refusing = HookedFileSystem(
        leases: .answer(false),
        hook: { (call, name) throws(SystemError) in
          guard call == "O_DIRECT" else { return }
          asked.withLock { $0 += 1 }
          throw SystemError("openat", errno: .invalidArgument, path: name)
        })
      let scrub = BlockScrub(path, files: refusing, time: time)
      try flip(used, of: path)
      try pass(scrub)
      #expect(scrub.damaged == [used])
      #expect(asked.withLock { $0 } > 0)
    }
  }
}
