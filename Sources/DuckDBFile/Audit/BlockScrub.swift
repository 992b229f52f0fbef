package import Files
package import SystemPackage

// Reads all blocks in use of a database that other programs are writing to, a stretch at a time, and compares each with
// its checksum. So damage of the disk is found while there is still a backup from before.
//
//   V1  What is read comes from the device, where the file system can: the page cache proves nothing.
//   V2  A reading counts only under one header: it is the same before the block is read and after.
//   V3  A block counts as damaged after three readings under one header, half a second apart, none of them during a
//       checkpoint that left a marker. A block in use may be torn for an instant: the engine writes metadata blocks in
//       place, and since 1.5 a bulk load may take a block shortly before the header changes
//       (docs/formats/duckdb.md §5).
//   V4  Beside a writer, a block that was never written (beyond the end of the file, or zeros) is not damaged before
//       the header has changed: an uncommitted load may own it already (docs/formats/duckdb.md §1.4).
//   V5  A block is right again when it is read right, or when the header does not use it any more.
//   V6  Another file at the path begins anew.
//
// Example: a bit of block 17 flips on the disk. The pass that comes to it reads it three times, and reports it. The
// engine then frees the block in a checkpoint: nothing is damaged any more.

/// Walks the blocks in use of a live database; for one thread at a time.
package final class BlockScrub {
  /// A pass over all blocks.
  package struct Pass: Codable, Sendable, Equatable {
    /// In nanoseconds since 1970 UTC.
    package let began: Int64
    package let ended: Int64
    /// Blocks that were read.
    package let blocks: Int
  }

  /// Where it is, to be kept for the next start.
  package struct Position: Codable, Sendable, Equatable {
    /// The file, by its inode and device.
    package var inode: UInt64
    package var device: UInt64
    /// The first block that was not read yet.
    package var next: Int
    /// When this pass began, in nanoseconds since 1970 UTC; nil before its first block.
    package var began: Int64?
    /// Blocks that this pass has read.
    package var blocks: Int
    /// The last pass that came to its end.
    package var lastPass: Pass?
    /// The damaged blocks; nil when there are none.
    package var damaged: [Int]?
  }

  /// A block that was read wrong.
  private struct Suspect {
    var readings = 0
    var iteration: UInt64
    var lastReading: Int64
    /// Whether it was never written, as far as can be told (V4).
    var isUnwritten: Bool
    /// The header under which it was seen first.
    let firstIteration: UInt64
  }

  /// What one step did.
  package enum Step: Sendable, Equatable {
    case read(bytes: Int)
    case endOfPass
    /// The database is encrypted, or there is none.
    case nothing
  }

  private static let readings = 3
  private static let pause: Duration = .milliseconds(500)
  private static let rereadPause: Duration = .seconds(2)
  /// Bytes that one step reads, and the most blocks that are remembered as wrong.
  package static let stepBytes = 1 << 20
  private static let maximumSuspects = 1000

  private let path: FilePath
  private let files: any FileSystem
  private let time: any TimeSource
  private let buffer = IOBuffer(size: BlockScrub.stepBytes)
  private var suspects: [Int: Suspect] = [:]
  private var state: StorageState?
  /// The blocks that are damaged (V3).
  package private(set) var damaged: Set<Int>
  private var here: Position
  /// When the damaged blocks were read last.
  private var reread: Int64 = .min
  /// Whether the database is encrypted: then it has no checksums that can be read.
  package private(set) var isEncrypted = false

  /// Where it is.
  package var position: Position {
    var position = here
    position.damaged = damaged.isEmpty ? nil : damaged.sorted()
    return position
  }

  /// - Parameter position: where an earlier scrub was; nil to begin at the first block.
  package init(_ path: FilePath, from position: Position? = nil, files: any FileSystem, time: any TimeSource) {
    self.path = path
    self.files = files
    self.time = time
    here = position ?? Position(inode: 0, device: 0, next: 0, blocks: 0)
    damaged = Set(position?.damaged ?? [])
  }

  /// Blocks that were read wrong and are to be read again before they count.
  package var hasSuspects: Bool { !suspects.isEmpty }

  /// Blocks in use, as of the last step.
  package var blocksInUse: Int { state?.freeList.inUse.count ?? 0 }

  /// Begins a pass anew.
  package func beginPass() {
    here.next = 0
    here.began = nil
    here.blocks = 0
  }

  /// Reads the next stretch, and what is due to be read again.
  /// - Throws: `HotCopyError`, `SystemError` when the database cannot be read at all.
  package func step() throws -> Step {
    let database = try DatabaseFile(path, attempts: DatabaseWatch.attempts, files: files, time: time)
    defer { ignoringFailure { try database.file.close() } }
    guard let (state, blocks) = try open(database) else { return .nothing }
    let size = Int(state.geometry.allocationSize)
    let next = state.freeList.inUse.run(from: here.next, maximum: max(1, Self.stepBytes / size))
    guard let range = next else { return endPass() }
    let wrong = try wrongBlocks(range, of: blocks, state: state)
    // V2: what was read under a header that has changed says nothing, and is read again.
    guard state.hasSameHeaders(as: try database.headers()) else { return .read(bytes: range.count * size) }
    here.began = here.began ?? time.nowNanoseconds
    here.next = range.upperBound
    here.blocks += range.count
    for block in range {
      if let isUnwritten = wrong[block] {
        note(block, isUnwritten: isUnwritten, state: state)
      } else {
        forget(block)
      }
    }
    return .read(bytes: range.count * size)
  }

  /// Reads only what is due to be read again.
  /// - Throws: as `step`.
  package func recheck() throws {
    let database = try DatabaseFile(path, attempts: DatabaseWatch.attempts, files: files, time: time)
    defer { ignoringFailure { try database.file.close() } }
    _ = try open(database)
  }

  /// Reads what is due to be read again; nil when the database is encrypted.
  private func open(_ database: DatabaseFile) throws -> (StorageState, OpenFile)? {
    isEncrypted = try database.mainHeader().isEncrypted
    if isEncrypted { return nil }
    begin(database.identity)
    let state = try current(database)
    let blocks = try blockReader(database)
    try readAgain(blocks, state: state, database: database)
    return (state, blocks)
  }

  // MARK: - The pass

  /// V6: what was found in another file says nothing of this one.
  package func begin(_ identity: FileIdentity) {
    guard here.inode != identity.inode || here.device != identity.device else { return }
    here = Position(inode: identity.inode, device: identity.device, next: 0, blocks: 0)
    (suspects, damaged, state) = ([:], [], nil)
  }

  private func endPass() -> Step {
    let now = time.nowNanoseconds
    here.lastPass = Pass(began: here.began ?? now, ended: now, blocks: here.blocks)
    beginPass()
    return .endOfPass
  }

  /// The state of the header that is current; what it does not use is not damaged (V5).
  private func current(_ database: DatabaseFile) throws -> StorageState {
    if let state, state.hasSameHeaders(as: try database.headers()) { return state }
    let now = try database.state()
    state = now
    let inUse = now.freeList.inUse
    suspects = suspects.filter { inUse.contains($0.key) }
    damaged = damaged.filter { inUse.contains($0) }
    return now
  }

  /// V1: the file once more, past the page cache where that can be.
  private func blockReader(_ database: DatabaseFile) throws(SystemError) -> OpenFile {
    do throws(SystemError) {
      return try OpenFile(database.path, mode: [.noFollow, .direct], displayPath: path, files: files)
    } catch  where error.errno == .invalidArgument || error.errno == .notSupported {
      return database.file
    }
  }

  /// The blocks of a stretch that are not what their checksums say, each with whether it was never written.
  private func wrongBlocks(
    _ range: Range<Int>, of file: OpenFile, state: StorageState
  ) throws -> [Int: Bool] {
    let size = Int(state.geometry.allocationSize)
    guard let count = try read(range, of: file, state: state) else {
      if range.count == 1 { return [range.lowerBound: false] }
      // One of them cannot be read: which one, each tells by itself.
      var wrong: [Int: Bool] = [:]
      for block in range { wrong.merge(try wrongBlocks(block..<(block + 1), of: file, state: state)) { $1 } }
      return wrong
    }
    return range.reduce(into: [:]) { wrong, block in
      let start = (block - range.lowerBound) * size
      guard start + size <= count else {
        wrong[block] = true
        return
      }
      let bytes = UnsafeRawBufferPointer(rebasing: buffer.prefix(count)[start..<(start + size)])
      if !Checksum.isRight(bytes) { wrong[block] = bytes.isZero }
    }
  }

  /// Reads a stretch into the buffer.
  /// - Returns: bytes that were read; nil when the device cannot read it.
  private func read(_ range: Range<Int>, of file: OpenFile, state: StorageState) throws(SystemError) -> Int? {
    let bytes = buffer.room(range.count * Int(state.geometry.allocationSize))
    do {
      return try file.read(into: bytes, at: state.geometry.offset(of: range.lowerBound))
    } catch {
      guard error.errno == .ioError else { throw error }
      return nil
    }
  }

  // MARK: - What was read wrong

  private func note(_ block: Int, isUnwritten: Bool, state: StorageState) {
    guard !damaged.contains(block), suspects[block] == nil, suspects.count < Self.maximumSuspects else { return }
    suspects[block] = Suspect(
      readings: 1, iteration: state.header.iteration, lastReading: time.monotonicNanoseconds, isUnwritten: isUnwritten,
      firstIteration: state.header.iteration)
  }

  private func forget(_ block: Int) {
    suspects[block] = nil
    damaged.remove(block)
  }

  /// V3: reads the suspects that are due once more.
  private func readAgain(_ file: OpenFile, state: StorageState, database: DatabaseFile) throws {
    try readDamagedAgain(file, state: state, database: database)
    let now = time.monotonicNanoseconds
    let due = suspects.filter { now - $0.value.lastReading >= Self.pause.nanoseconds }.keys.sorted().prefix(16)
    guard !due.isEmpty else { return }
    let isWritten = try database.writerPresence() != .nobody
    let wal = LiveWALReader(of: database)
    if isWritten, try wal.runningCheckpoint(under: state.header) != nil { return }
    for block in due {
      let wrong = try wrongBlocks(block..<(block + 1), of: file, state: state)[block]
      guard state.hasSameHeaders(as: try database.headers()) else { return }
      guard let isUnwritten = wrong else {
        forget(block)
        continue
      }
      count(block, isUnwritten: isUnwritten, isWritten: isWritten, iteration: state.header.iteration)
    }
  }

  /// V5: a block that somebody has put right is not reported for long.
  private func readDamagedAgain(_ file: OpenFile, state: StorageState, database: DatabaseFile) throws {
    let now = time.monotonicNanoseconds
    guard !damaged.isEmpty, now - Self.rereadPause.nanoseconds >= reread else { return }
    reread = now
    for block in damaged.sorted().prefix(16) {
      let isWrong = try wrongBlocks(block..<(block + 1), of: file, state: state)[block] != nil
      guard state.hasSameHeaders(as: try database.headers()) else { return }
      if !isWrong { forget(block) }
    }
  }

  private func count(_ block: Int, isUnwritten: Bool, isWritten: Bool, iteration: UInt64) {
    guard var suspect = suspects[block] else { return }
    // Readings under another header do not count any more.
    suspect.readings = suspect.iteration == iteration ? suspect.readings + 1 : 1
    suspect.iteration = iteration
    suspect.lastReading = time.monotonicNanoseconds
    suspect.isUnwritten = isUnwritten
    suspects[block] = suspect
    // V4.
    if isUnwritten, isWritten, suspect.firstIteration == iteration { return }
    guard suspect.readings >= Self.readings else { return }
    suspects[block] = nil
    damaged.insert(block)
  }
}
