internal import Files
internal import SystemPackage

/// Takes a consistent copy of a DuckDB file, also while other programs write to it.
///
/// No lock is taken, and nothing is asked of the program that writes. The copy holds every transaction that was
/// committed before the call, and none in part. It stays hidden until it is whole and durable; then it gets its name.
/// An encrypted database is copied as it is, and only while no program has it open for writing. Blocks the calling
/// thread.
/// - Parameters:
///   - source: the database, by the name that the program which writes to it uses.
///   - target: the copy. Neither it nor a WAL of it may exist; its directory must be there.
/// - Returns: what the copy holds, and how it was taken.
/// - Throws: ``HotCopyError`` when no copy can be right; ``SystemFailure`` when the source is not there, the target is
///   there, or the disk is full.
@discardableResult
public func copyDatabase(_ source: String, to target: String) throws -> CopiedDatabase {
  let path = ThisProcess.absolute(target)
  let copy = try StandaloneCopy(ThisProcess.absolute(source), to: path, files: Kernel(), time: SystemTime()).run()
  return CopiedDatabase(copy, at: path)
}

/// A copy of a database that ``copyDatabase(_:to:)`` took.
public struct CopiedDatabase: Sendable, Equatable {
  /// The copy, absolute, in readable form.
  public let path: String
  /// The WAL that lies beside the copy and belongs to it; nil when there is nothing to replay.
  public let walPath: String?
  /// How it was copied: "hot-copy", block by block; "clone", from a clone of the file system that froze it for a
  /// moment; "verbatim", an encrypted database as it is.
  public let method: String
  /// The checkpoint that the copy belongs to; nil when the database is encrypted and no WAL names a checkpoint.
  public let checkpoint: UInt64?
  /// Bytes of the copy without its WAL.
  public let sizeBytes: Int64
  /// Bytes of its WAL; 0 when there is none.
  public let walBytes: Int64
  /// Blocks in use, all of which were copied; 0 when the database is encrypted and they cannot be told apart.
  public let blocksInUse: Int
  /// Blocks that hold nothing and were left out.
  public let blocksFree: Int
  /// How often the copy was begun: once on a quiet database, and again each time a checkpoint came.
  public let passes: Int
  /// What could not be told about programs that write, a sentence each without a full stop.
  public let warnings: [String]

  init(_ copy: HotCopy.Result, at path: FilePath) {
    self.path = path.text
    walPath = copy.walBytes > 0 ? WALNames.wal(of: path).text : nil
    method = copy.method.rawValue
    checkpoint = copy.iteration
    sizeBytes = copy.byteCount
    walBytes = copy.walBytes
    blocksInUse = copy.blocksInUse
    blocksFree = copy.blocksFree
    passes = copy.passes
    warnings = copy.warnings
  }
}
