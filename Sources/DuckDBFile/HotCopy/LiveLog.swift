internal import Files
internal import SystemPackage

/// The log that belongs to a copy of the main file under one header, as it was staged beside the copy.
struct LiveLog {
  /// Bytes staged; 0: there is nothing to replay, and no file.
  var byteCount: Int64 = 0
  /// Whether an entry names blocks that are not in use under the header: they must be copied too.
  var hasRowGroups = false
  /// The marker of a checkpoint that has begun and has not made its header current (rule W).
  var runningCheckpoint: LogScan.Marker?

  var isEmpty: Bool { byteCount == 0 }
}

/// Reads the logs beside a database and stages what belongs to a header
/// (docs/formats/duckdb.md §5.1, §5.2, §6 "live log").
final class LiveLogReader {
  /// The logs do not fit the header, or changed while they were read: look at the header, and try again.
  enum Failure: Error, Equatable {
    case changedWhileRead
    /// Another checkpoint's log, or another database's: why.
    case mismatch(String)
    /// What follows the live part is damage, unless a writer is writing it just now.
    case damaged(LogDamage)
    /// An entry of a type that is not known is replayed.
    case unknownEntry(LogScan.UnknownEntry)
  }

  /// A stretch of a log that is kept.
  private struct Piece {
    let log: LogFile
    let range: Range<Int64>
  }

  private let database: DatabaseFile
  private var files: any FileSystem { database.file.files }
  private var base: FilePath
  private let buffer = IOBuffer()
  private let other = IOBuffer()
  private var main: LogFile?
  private var checkpoint: LogFile?

  init(of database: DatabaseFile) {
    self.database = database
    base = database.path
  }

  /// Stages the live log into an empty file.
  ///
  /// The main log is opened before the checkpoint's: at the end of a checkpoint the latter takes the former's place.
  /// - Throws: `Failure` to try again; `FormatError`; `SystemError`.
  func stage(for state: StorageState, into target: OpenFile) throws -> LiveLog {
    base = try database.logBase()
    main = try LogFile.open(LogNames.log(of: base), buffer: buffer, files: files)
    checkpoint = try LogFile.open(LogNames.checkpointLog(of: base), buffer: buffer, files: files)
    let (pieces, running) = try livePieces(for: state)
    var log = LiveLog()
    log.runningCheckpoint = running
    // A header alone replays to nothing.
    if pieces.count > 1 {
      log.hasRowGroups = pieces.contains { $0.log.scan?.firstRowGroups != nil }
      for piece in pieces { log.byteCount = try copy(piece, to: target, at: log.byteCount) }
    }
    try target.truncate(to: log.byteCount)
    try compareAgain(pieces.count > 1 ? pieces : [], with: target)
    try checkPaths()
    return log
  }

  /// The marker of a checkpoint that has begun and has not made its header current, as the WAL is now.
  func runningCheckpoint(under header: DatabaseHeader) throws -> LogScan.Marker? {
    if main?.scan == nil {
      // There was no log, or nothing in it: one may have come since.
      main = try LogFile.open(LogNames.log(of: database.logBase()), buffer: buffer, files: files)
    } else {
      try main?.scanAgain()
    }
    guard let marker = main?.scan?.finalMarker, marker.metaBlock != header.metaBlock?.raw else { return nil }
    return marker
  }

  // MARK: - Which parts

  private func livePieces(for state: StorageState) throws -> (pieces: [Piece], running: LogScan.Marker?) {
    guard let main, let scan = main.scan else { return ([], nil) }
    try checkKind(scan.header)
    if let marker = scan.finalMarker, marker.metaBlock == state.header.metaBlock?.raw {
      // That checkpoint is done, and with it this log; what came during it is the live log.
      return (try allPieces(of: checkpoint, iteration: state.header.iteration, state), nil)
    }
    try checkOwner(scan.header, iteration: state.header.iteration, state)
    try checkWhole(main, scan, state)
    var pieces = [Piece(log: main, range: 0..<Int64(scan.header.length))]
    pieces += scan.liveRanges.map { Piece(log: main, range: $0) }
    guard let running = scan.finalMarker else { return (pieces, nil) }
    let during = try allPieces(of: checkpoint, iteration: state.header.iteration &+ 1, state)
    return (pieces + during.dropFirst(), running)
  }

  /// Header and live parts of the checkpoint's log; empty when there is none.
  private func allPieces(of log: LogFile?, iteration: UInt64, _ state: StorageState) throws -> [Piece] {
    guard let log, let scan = log.scan else { return [] }
    try checkKind(scan.header)
    try checkOwner(scan.header, iteration: iteration, state)
    try checkWhole(log, scan, state)
    return [Piece(log: log, range: 0..<Int64(scan.header.length))]
      + scan.liveRanges.map { Piece(log: log, range: $0) }
  }

  private func checkKind(_ header: LogHeader) throws(FormatError) {
    guard header.version == 2 else {
      throw FormatError("log header", at: 0, "version \(header.version) of the log is not one that hrp can read")
    }
  }

  private func checkWhole(_ log: LogFile, _ scan: LogScan, _ state: StorageState) throws(Failure) {
    if let damage = log.damage, damage.isDamage(inStorageVersion: state.storageVersion) { throw .damaged(damage) }
    if let entry = scan.unknownLiveEntry { throw .unknownEntry(entry) }
  }

  private func checkOwner(_ header: LogHeader, iteration: UInt64, _ state: StorageState) throws(Failure) {
    if let found = header.iteration, found != iteration {
      throw .mismatch("it follows checkpoint \(found), the database is at \(state.header.iteration)")
    }
    let identifier = state.main.databaseIdentifier
    if let found = header.databaseIdentifier, identifier.contains(where: { $0 != 0 }), found != identifier {
      throw .mismatch("it carries another database's identifier")
    }
  }

  // MARK: - Bytes

  private func copy(_ piece: Piece, to target: OpenFile, at start: Int64) throws -> Int64 {
    var offset = piece.range.lowerBound
    var position = start
    while offset < piece.range.upperBound {
      try Interruption.check()
      let count = try piece.log.file.read(
        into: buffer.room(Int(clamping: piece.range.upperBound - offset)), at: offset)
      guard count > 0 else { throw Failure.changedWhileRead }
      try target.write(buffer.prefix(count), at: position)
      offset += Int64(count)
      position += Int64(count)
    }
    return position
  }

  /// Reads everything a second time: a failed commit cuts the log back and writes over what was there.
  private func compareAgain(_ pieces: [Piece], with target: OpenFile) throws {
    var position: Int64 = 0
    for piece in pieces {
      var offset = piece.range.lowerBound
      while offset < piece.range.upperBound {
        let room = Int(clamping: piece.range.upperBound - offset)
        let count = try piece.log.file.read(into: buffer.room(room), at: offset)
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
    guard try database.logBase() == base else { throw Failure.changedWhileRead }
    for (path, log) in [(LogNames.log(of: base), main), (LogNames.checkpointLog(of: base), checkpoint)] {
      let now = try files.exists(path) ? files.status(path, at: nil).identity : nil
      if now != log?.identity { throw Failure.changedWhileRead }
    }
  }
}
