internal import Files
internal import SystemPackage

/// The WAL that belongs to a copy of the main file under one header, as it was staged beside the copy.
struct LiveWAL {
  /// Bytes that were staged; 0 when there is nothing to replay.
  var byteCount: Int64 = 0
  /// Whether an entry names blocks that are not in use under the header: they must be copied too.
  var hasRowGroups = false
  /// The marker of a checkpoint that has begun and has not made its header current (rule W).
  var runningCheckpoint: WALScan.Marker?

  var isEmpty: Bool { byteCount == 0 }
}

/// Reads the WALs beside a database and stages what belongs to a header
/// (docs/formats/duckdb.md §5.1, §5.2, §6 "live WAL").
final class LiveWALReader {
  /// The WALs do not fit the header, or changed while they were read: look at the header, and try again.
  enum Failure: Error, Equatable {
    case changedWhileRead
    /// Another checkpoint's WAL, or another database's: why.
    case mismatch(String)
    /// What follows the live part is damage, unless a writer is writing it just now.
    case damaged(WALDamage)
    /// An entry of a type that is not known is replayed.
    case unknownEntry(WALScan.UnknownEntry)
  }

  /// A stretch of a WAL that is kept.
  private struct Piece {
    let wal: WALFile
    let range: Range<Int64>
  }

  private let database: DatabaseFile
  private var files: any FileSystem { database.file.files }
  private var base: FilePath
  private let buffer = IOBuffer()
  private let other = IOBuffer()
  private var main: WALFile?
  private var checkpoint: WALFile?

  init(of database: DatabaseFile) {
    self.database = database
    base = database.path
  }

  /// Judges the live WAL without staging it.
  ///
  /// - Parameter progress: of the WAL and of the checkpoint's in an earlier look; it is brought up to date.
  /// - Returns: what would be staged, and how many commits there are to replay.
  /// - Throws: as `stage`.
  func judge(
    for state: StorageState, after progress: inout (main: WALProgress?, checkpoint: WALProgress?)
  ) throws -> (wal: LiveWAL, commits: Int) {
    base = try database.walBase()
    main = try WALFile.open(WALNames.wal(of: base), after: progress.main, buffer: buffer, files: files)
    checkpoint = try WALFile.open(
      WALNames.checkpointWAL(of: base), after: progress.checkpoint, buffer: buffer, files: files)
    progress = (main?.progress, checkpoint?.progress)
    let (pieces, running) = try judgedPieces(for: state)
    try checkPaths()
    var wal = LiveWAL()
    wal.runningCheckpoint = running
    if pieces.count > 1 { wal.byteCount = pieces.reduce(0) { $0 + Int64($1.range.count) } }
    let counted = Set(pieces.map { ObjectIdentifier($0.wal) })
    let commits = [main, checkpoint].compactMap { $0 }.filter { counted.contains(ObjectIdentifier($0)) }
    return (wal, commits.reduce(0) { $0 + ($1.scan?.commits ?? 0) })
  }

  /// Stages the live WAL into an empty file.
  ///
  /// The main WAL is opened before the checkpoint's: at the end of a checkpoint the latter takes the former's place.
  /// - Throws: `Failure` to try again; `FormatError`; `SystemError`.
  func stage(for state: StorageState, into target: OpenFile) throws -> LiveWAL {
    base = try database.walBase()
    main = try WALFile.open(WALNames.wal(of: base), buffer: buffer, files: files)
    checkpoint = try WALFile.open(WALNames.checkpointWAL(of: base), buffer: buffer, files: files)
    let (pieces, running) = try livePieces(for: state)
    var wal = LiveWAL()
    wal.runningCheckpoint = running
    // A header alone replays to nothing.
    if pieces.count > 1 {
      wal.hasRowGroups = pieces.contains { $0.wal.scan?.firstRowGroups != nil }
      for piece in pieces { wal.byteCount = try copy(piece, to: target, at: wal.byteCount) }
    }
    try target.truncate(to: wal.byteCount)
    try compareAgain(pieces.count > 1 ? pieces : [], with: target)
    try checkPaths()
    return wal
  }

  /// The marker of a checkpoint that has begun and has not made its header current, as the WAL is now.
  func runningCheckpoint(under header: DatabaseHeader) throws -> WALScan.Marker? {
    if main?.scan == nil {
      // There was no WAL, or nothing in it: one may have come since.
      main = try WALFile.open(WALNames.wal(of: database.walBase()), buffer: buffer, files: files)
    } else {
      try main?.scanAgain()
    }
    guard let marker = main?.scan?.finalMarker, marker.metaBlock != header.metaBlock?.raw else { return nil }
    return marker
  }

  // MARK: - Which parts

  private func livePieces(for state: StorageState) throws -> (pieces: [Piece], running: WALScan.Marker?) {
    guard let main, let scan = main.scan else { return ([], nil) }
    try checkKind(scan.header)
    if let marker = scan.finalMarker, marker.metaBlock == state.header.metaBlock?.raw {
      // That checkpoint is done, and with it this WAL; what came during it is the live WAL.
      return (try allPieces(of: checkpoint, iteration: state.header.iteration, state), nil)
    }
    try checkOwner(scan.header, iteration: state.header.iteration, state: state)
    try checkWhole(main, scan: scan, state: state)
    var pieces = [Piece(wal: main, range: 0..<Int64(scan.header.length))]
    pieces += scan.liveRanges.map { Piece(wal: main, range: $0) }
    guard let running = scan.finalMarker else { return (pieces, nil) }
    let during = try allPieces(of: checkpoint, iteration: state.header.iteration &+ 1, state)
    return (pieces + during.dropFirst(), running)
  }

  /// Header and live parts of the checkpoint's WAL; empty when there is none.
  private func allPieces(of wal: WALFile?, iteration: UInt64, _ state: StorageState) throws -> [Piece] {
    guard let wal, let scan = wal.scan else { return [] }
    try checkKind(scan.header)
    try checkOwner(scan.header, iteration: iteration, state: state)
    try checkWhole(wal, scan: scan, state: state)
    return [Piece(wal: wal, range: 0..<Int64(scan.header.length))]
      + scan.liveRanges.map { Piece(wal: wal, range: $0) }
  }

  /// The live pieces; a WAL of another checkpoint that holds no entry is as good as none.
  ///
  /// Such a WAL is left for a moment by a checkpoint that had nothing to mark.
  private func judgedPieces(for state: StorageState) throws -> (pieces: [Piece], running: WALScan.Marker?) {
    do {
      return try livePieces(for: state)
    } catch Failure.mismatch where main?.scan?.entries == 0 {
      return ([], nil)
    }
  }

  private func checkKind(_ header: WALHeader) throws(FormatError) {
    guard header.version == 2 else {
      throw FormatError(
        "WAL header", at: 0, problem: "version \(header.version) of the WAL is not one that hrp can read")
    }
  }

  private func checkWhole(_ wal: WALFile, scan: WALScan, state: StorageState) throws(Failure) {
    if let damage = wal.damage, damage.isDamage(inStorageVersion: state.storageVersion) { throw .damaged(damage) }
    if let entry = scan.unknownLiveEntry { throw .unknownEntry(entry) }
  }

  private func checkOwner(_ header: WALHeader, iteration: UInt64, state: StorageState) throws(Failure) {
    if let found = header.iteration, found != iteration {
      throw .mismatch("it follows checkpoint \(found), the database is at \(state.header.iteration)")
    }
    // Where the format of the database has no identifier, the WAL has none, or zeros (tried: 1.5.6, 2.0.1).
    if let found = header.databaseIdentifier, found != state.main.databaseIdentifier {
      throw .mismatch("it carries another database's identifier")
    }
  }

  // MARK: - Bytes

  private func copy(_ piece: Piece, to target: OpenFile, at start: Int64) throws -> Int64 {
    var offset = piece.range.lowerBound
    var position = start
    while offset < piece.range.upperBound {
      try Interruption.check()
      let count = try piece.wal.file.read(
        into: buffer.room(Int(clamping: piece.range.upperBound - offset)), at: offset)
      guard count > 0 else { throw Failure.changedWhileRead }
      try target.write(buffer.prefix(count), at: position)
      offset += Int64(count)
      position += Int64(count)
    }
    return position
  }

  /// Reads everything a second time: a failed commit cuts the WAL back and writes over what was there.
  private func compareAgain(_ pieces: [Piece], with target: OpenFile) throws {
    var position: Int64 = 0
    for piece in pieces {
      var offset = piece.range.lowerBound
      while offset < piece.range.upperBound {
        let room = Int(clamping: piece.range.upperBound - offset)
        let count = try piece.wal.file.read(into: buffer.room(room), at: offset)
        let staged = try target.read(into: other.room(count), at: position)
        guard count > 0, staged == count, buffer.prefix(count).elementsEqual(other.prefix(count)) else {
          throw Failure.changedWhileRead
        }
        offset += Int64(count)
        position += Int64(count)
      }
    }
  }

  /// The paths must lead to the files that were read; what was absent must be absent still.
  private func checkPaths() throws {
    guard try database.walBase() == base else { throw Failure.changedWhileRead }
    for (path, wal) in [(WALNames.wal(of: base), main), (WALNames.checkpointWAL(of: base), checkpoint)] {
      let now = try files.exists(path) ? files.status(path, at: nil).identity : nil
      if now != wal?.identity { throw Failure.changedWhileRead }
    }
  }
}
