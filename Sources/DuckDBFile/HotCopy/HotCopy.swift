package import Files
package import SystemPackage

// A consistent copy of a DuckDB file that another process is writing to. Nothing is locked, nothing is asked of the
// writer. The rules are those of the project's format study (docs/formats/duckdb.md §6); each was broken once by
// experiment and gave silently wrong data.
//
//   I1  Every block that is in use under the copy's header H has the contents that H refers to. It was read while H was
//       current, or while the header directly before H was current and used the block too.
//   I2  The WAL is read after the data blocks in use, and before the blocks outside of them that it names.
//   I3  WAL and main file belong to the same header. The header is the same before the WAL is read and after the last
//       block is read, and a WAL that names another checkpoint is never paired with it.
//   I4  The copied WAL ends with the last commit and contains no marker. A dead marker does not end it.
//   I5  (Rule W) No copy is finished under H while a writer is inside a checkpoint whose header is not yet current:
//       since 1.5, such a checkpoint overwrites blocks of H. A checkpoint of an empty WAL leaves no marker. In that
//       case the header must stay the same for a while (the rest), or the quiet proof must show that nothing was
//       written to the file while we read (`QuietProof.swift`).
//   I6  When a header was missed (two checkpoints between two looks), everything that was copied is discarded. Example:
//       one look sees header 7, and the next sees header 9. Header 8 may have freed a block of 7, and 9 may use it for
//       other data. So every block is read again.
//   I7  Metadata blocks are rewritten in place. So they are read last, each until its checksum is right.
//   I8  The path leads to the same file at the end as at the start.
//   I9  Where the file system has clones, a clone freezes the main file. It is taken after the WAL was read. The header
//       is the same before, after and in the clone, and I5 and I8 hold (docs/formats/duckdb.md §6.4). Everything is
//       then read from the clone. Nobody writes to it, so no other header can come in between.
//
//          ┌────────────── header changed: keep what both headers use, else forget (I1, I6) ─────────────┐
//          ▼                                                                                             │
//     data blocks ──▶ live WAL ──▶ rule W, settle ──▶ blocks the WAL names ──▶ metadata ──▶ confirm ─────┤
//          ▲             │ changed while read            (I2)                    (I7)       (I3, I5, I8) │
//          └─────────────┴───────────────────────────────────────────────────────────────────────────────┘
//                                                                                             │ unchanged
//                                                                                             ▼
//                                                                        header into both slots, length: done

/// Takes a consistent copy of a live database.
package final class HotCopy {
  /// Limits and pauses.
  package struct Options: Sendable {
    /// How long a copy may take at least before it is given up; five times the first pass when that is longer.
    package var patience: Duration = .seconds(600)
    /// How long a writer may stay inside one checkpoint.
    package var checkpointPatience: Duration = .seconds(60)
    /// Rest before a copy whose WAL is empty is believed: a checkpoint of an empty WAL leaves no marker to see.
    package var settle: Duration = .milliseconds(300)
    /// Whether I9 is used; a test switches it off to see what happens on a file system without clones.
    package var freezes = true
    /// The clone becomes the copy itself: it shares storage with the source.
    package var keepsClone = false
    /// Whether I5 is used; only a test switches it off, to show that it is needed.
    package var waitsForCheckpoints = true
    package init() {}
  }

  /// How the main file came into the copy; the names are promises to scripts.
  package enum Method: String, Sendable {
    /// Block by block from the live file.
    case hotCopy = "hot-copy"
    /// From a clone that froze it for a moment.
    case clone
    /// The clone is the copy.
    case reflink
    /// As it lay, encrypted, while nobody had it open.
    case verbatim
  }

  /// What the copy holds and what it took.
  package struct Result: Sendable, Equatable {
    package let method: Method
    /// The checkpoint that the copy belongs to; nil when the database is encrypted and no WAL names a checkpoint.
    package let iteration: UInt64?
    package let storageVersion: UInt64
    package let libraryVersion: String
    package let blockSize: Int64
    package let blocksInUse: Int
    package let blocksFree: Int
    package let walBytes: Int64
    /// Bytes of the WAL of a checkpoint that died; only a verbatim copy can have one.
    package var checkpointWALBytes: Int64 = 0
    /// Times that the whole round was begun; 1 on a quiet database.
    package let passes: Int
    /// Checkpoints seen while copying.
    package let flips: Int
    /// Times that everything was forgotten (I6).
    package let restarts: Int
    /// Bytes, holes included.
    package let byteCount: Int64
    /// What could not be told about writers, a sentence each without a full stop.
    package var warnings: [String] = []
  }

  /// Bytes between two looks at the header, at most: one buffer.
  private static let runBytes = 1 << 20

  /// The copy is given up when it is not done after this time because of checkpoints that come without a pause.
  private static let checkpointLoopPatience = Duration.seconds(40)
  /// From this number of full restarts (I6), or of checkpoints after the first pass, the writer is said to make no
  /// pauses.
  private static let checkpointLoopRestarts = 20
  private static let checkpointLoopFlips = 100
  let database: DatabaseFile
  let options: Options
  let time: any TimeSource
  let progress: (Int64) -> Void
  let name: FilePath
  let directory: Descriptor
  let permissions: UInt16
  var target: CopyTarget
  let walTarget: OpenFile
  let wals: LiveWALReader
  let buffer = IOBuffer(size: HotCopy.runBytes)
  let other = IOBuffer(size: 262_144)
  /// The clone that everything is read from (I9); nil when the live file itself is read.
  var frozen: OpenFile?
  /// Where blocks are read from.
  var blocks: OpenFile { frozen ?? database.file }

  var state: StorageState
  /// Data blocks of the copy that are known right for the state (I1).
  var valid: BlockSet
  /// Those of them that were copied under an earlier header.
  var carried: BlockSet
  var passes = 0
  var flips = 0
  var restarts = 0
  var warnings: [String] = []
  private var began: Int64
  private var firstPass: Int64?
  private var flipsInFirstPass = 0
  var checkpointSeen: (iteration: UInt64, at: Int64)?
  private var mismatchSeen: (iteration: UInt64, at: Int64)?
  private var damageSeen: WALDamage?
  /// The header under which no checkpoint without a marker can be running: a rest has shown it.
  var restedAt: UInt64?
  /// The marker of a checkpoint that died.
  var deadMarker: WALScan.Marker?
  var proof: QuietProof

  /// Prepares a copy into two new files of a directory, `name` and `name.wal`; neither may exist.
  ///
  /// - Parameter observer: sees the bytes of the main file as they are written.
  /// - Parameter progress: is told how many bytes were copied more.
  package init(
    of database: DatabaseFile, to name: FilePath, at directory: Descriptor, permissions: UInt16 = 0o644,
    options: Options = Options(), observer: (any WriteObserver)? = nil, files: any FileSystem, time: any TimeSource,
    progress: @escaping (Int64) -> Void = { _ in }
  ) throws {
    self.database = database
    self.options = options
    self.name = name
    self.directory = directory
    self.permissions = permissions
    self.time = time
    self.progress = progress
    began = time.monotonicNanoseconds
    proof = QuietProof(database)
    state = try database.state()
    valid = BlockSet(limit: state.blockCount)
    carried = valid
    target = CopyTarget(
      try TargetFile(name, at: directory, permissions: permissions, expectedBytes: state.bytesInUse, files: files),
      observer: observer)
    walTarget = try OpenFile(
      WALNames.wal(of: name), at: directory, mode: [.write, .create, .exclusive], permissions: permissions, files: files
    )
    wals = LiveWALReader(of: database)
  }

  /// Copies.
  ///
  /// The files are complete but not yet durable; the WAL stays as an empty file when there is nothing to replay.
  /// - Throws: `HotCopyError`, `SystemError`, `Interruption.Stopped`.
  package func run() throws -> Result {
    // The header goes first so that the bytes are written in the order of the file; the last word is in `finish`.
    try writeHeaders()
    if let wal = try freeze() { return try copyFrozen(wal) }
    while true {
      passes += 1
      try checkPatience()
      if let wal = try round() { return try finish(wal) }
    }
  }

  /// One round; nil when the header changed or the WAL would not hold still.
  private func round() throws -> LiveWAL? {
    guard try copyDataBlocks() else { return nil }
    if firstPass == nil { (firstPass, flipsInFirstPass) = (time.monotonicNanoseconds - began, flips) }
    guard let wal = try stageWAL() else { return nil }
    guard try isQuiet(wal) else { return nil }
    if wal.hasRowGroups { try copyBlocksOutsideUse() }
    guard try copyMetadataBlocks() else { return nil }
    return try confirm(wal) ? wal : nil
  }

  func stageWAL() throws -> LiveWAL? {
    do {
      let wal = try wals.stage(for: state, into: walTarget)
      (mismatchSeen, damageSeen) = (nil, nil)
      return wal
    } catch LiveWALReader.Failure.changedWhileRead {
      _ = try observe()
      return nil
    } catch LiveWALReader.Failure.mismatch(let why) {
      // This is normal between a new header and the removal of the old WAL; under one header it does not last.
      if try observe() {
        try remember(&mismatchSeen, patience: .seconds(10)) { .foreignWAL(database.path, why) }
        time.sleep(.milliseconds(10))
      }
      return nil
    } catch LiveWALReader.Failure.damaged(let damage) {
      if try observe() { try judge(damage) }
      return nil
    } catch LiveWALReader.Failure.unknownEntry(let entry) {
      guard try !observe() else {
        throw HotCopyError.unknownEntry(database.path, type: entry.type, offset: entry.offset)
      }
      return nil
    } catch let error as FormatError {
      guard try !observe() else { throw HotCopyError.damaged(WALNames.wal(of: database.path), "\(error)") }
      return nil
    }
  }

  /// Wrong bytes that stay for a second are damage; a writer would have finished them.
  private func judge(_ damage: WALDamage) throws {
    if let damageSeen, damage.isStill(damageSeen) {
      throw HotCopyError.walDamaged(database.path, offset: damage.offset, commitsBehind: damage.commitsBehind)
    }
    damageSeen = damage
    for _ in 0..<100 where try observe() { time.sleep(.milliseconds(10)) }
  }

  /// I3, I5, I8.
  func confirm(_ wal: LiveWAL) throws -> Bool {
    guard try observe() else { return false }
    for block in carried.intersection(valid) where try !hasSameStoredChecksum(block) {
      valid = BlockSet(limit: state.blockCount)
      carried = valid
      restarts += 1
      return false
    }
    if options.waitsForCheckpoints {
      if let marker = try wals.runningCheckpoint(under: state.header), try !mayFinish(beside: marker) { return false }
      guard try wasQuiet(wal) else { return false }
    }
    guard try observe() else { return false }
    guard try database.isStillInPlace() else { throw HotCopyError.replaced(database.path) }
    return true
  }

  /// Looks at the header; when it changed, keeps what both headers use.
  ///
  /// Returns whether it is unchanged.
  func observe() throws -> Bool {
    try Interruption.check()
    if frozen != nil { return true }
    let look = try proof.look(at: time.monotonicNanoseconds)
    if state.hasSameHeaders(as: try database.headers()) {
      proof.unchanged(look)
      return true
    }
    let next = try database.state()
    flips += 1
    // The other slot must still hold the header we knew: only then was none missed (I6).
    let other = next.pair.currentSlot == 0 ? next.pair.bytes.suffix(4096) : next.pair.bytes.prefix(4096)
    let isNext =
      next.header.iteration == state.header.iteration &+ 1
      && Array(other) == state.pair.currentBytes && next.geometry == state.geometry
    if isNext {
      valid = valid.intersection(state.freeList.inUse).intersection(next.freeList.inUse)
        .subtracting(state.freeList.metadata).subtracting(next.freeList.metadata).limited(to: next.blockCount)
    } else {
      valid = BlockSet(limit: next.blockCount)
      restarts += 1
    }
    try proof.changed(look, isNext: isNext)
    carried = valid
    state = next
    return false
  }

  // MARK: - Limits

  func checkPatience() throws {
    let elapsed = time.monotonicNanoseconds - began
    let isLoop =
      restarts >= Self.checkpointLoopRestarts
      || firstPass != nil && flips - flipsInFirstPass >= Self.checkpointLoopFlips
    if isLoop, elapsed > Self.checkpointLoopPatience.nanoseconds {
      throw HotCopyError.noPause(database.path, checkpoints: flips, seconds: elapsed / 1_000_000_000)
    }
    if elapsed > max(options.patience.nanoseconds, 5 * (firstPass ?? 0)) {
      throw HotCopyError.doesNotSettle(database.path, "\(flips) checkpoints came in \(elapsed / 1_000_000_000) s")
    }
  }

  /// Notes since when something holds under this header, and throws when that is too long.
  func remember(
    _ seen: inout (iteration: UInt64, at: Int64)?, patience: Duration, else error: () -> HotCopyError
  ) throws {
    let now = time.monotonicNanoseconds
    guard let since = seen, since.iteration == state.header.iteration else {
      seen = (state.header.iteration, now)
      return
    }
    if now - since.at > patience.nanoseconds { throw error() }
  }
}
