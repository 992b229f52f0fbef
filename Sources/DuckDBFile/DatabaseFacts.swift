internal import Files

/// Looks at a DuckDB file from outside: takes no lock, starts no engine, and writes nothing.
///
/// It works while another program has the database open, for milliseconds.
/// - Parameter path: the database.
/// - Returns: what its headers, its free list and its WAL say.
/// - Throws: ``HotCopyError`` for what is no DuckDB database, is damaged, of a version that is not known, or open in
///   this very process; ``SystemFailure`` when it cannot be read.
public func inspectDatabase(_ path: String) throws -> DatabaseFacts {
  try DatabaseFacts(Inspection(ThisProcess.absolute(path), files: Kernel(), time: SystemTime()))
}

/// What ``inspectDatabase(_:)`` sees of a DuckDB file.
public struct DatabaseFacts: Sendable, Equatable {
  /// The storage version: 64 to 69.
  public let storageVersion: UInt64
  /// The version of DuckDB that wrote the file: "v1.5.6"; empty in files of other programs.
  public let libraryVersion: String
  /// Whether it is encrypted; then only its main header can be read.
  public let isEncrypted: Bool
  /// Bytes of the file.
  public let sizeBytes: Int64
  /// The checkpoint that is current, a number that grows by one with each; nil when the file is encrypted.
  public let checkpoint: UInt64?
  /// Bytes of a block; nil when the file is encrypted.
  public let blockSize: Int64?
  /// Blocks in use; nil when the file is encrypted.
  public let blocksInUse: Int?
  /// Blocks that hold nothing; nil when the file is encrypted.
  public let blocksFree: Int?
  /// The WAL beside it; nil when there is none.
  public let wal: WAL?
  /// The WAL of commits that were made during a checkpoint (DuckDB 1.5 and later); nil when there is none.
  public let checkpointWAL: WAL?
  /// The process that has it open for writing; 0 when it cannot be identified, nil when there is none.
  public let writer: Int32?
  /// The process that holds any lock on it, a reader too; nil when there is none.
  public let holder: Int32?

  /// A write-ahead log, as it is seen from outside.
  public struct WAL: Sendable, Equatable {
    /// What can be said of a WAL.
    public enum State: String, Sendable {
      /// It can be walked up to its last commit.
      case readable
      /// The checkpoint that wrote it to the database has finished: nothing in it counts any more.
      case obsolete
      /// It is encrypted: entries are not told apart.
      case encrypted
      /// There is nothing but a torn header, which every engine ignores.
      case torn
      /// Engines refuse it, or lose what lies behind the damage.
      case damaged
      /// Its bytes are none that DuckDB writes.
      case unreadable
    }

    /// What can be said of it.
    public let state: State
    /// Commits in it, up to the damage if there is some; nil when they cannot be counted.
    public let commits: Int?
    /// What is wrong with it, as a clause; nil when nothing is.
    public let problem: String?

    /// Returns nil when there is no WAL.
    init?(_ wal: Inspection.WALState, header: DatabaseHeader?) {
      switch wal {
      case .none: return nil
      case .torn: (state, commits, problem) = (.torn, nil, nil)
      case .unreadable(let why): (state, commits, problem) = (.unreadable, nil, why)
      case .damaged(let scan, let damage):
        state = .damaged
        commits = scan.commits
        problem = "damaged at byte \(damage.offset), with \(damage.commitsBehind) commits behind that"
      case .found(let scan, _) where scan.header.version == 3: (state, commits, problem) = (.encrypted, nil, nil)
      case .found(let scan, _):
        let isObsolete = scan.finalMarker.map { $0.metaBlock == header?.metaBlock?.raw } ?? false
        (state, commits, problem) = (isObsolete ? .obsolete : .readable, scan.commits, nil)
      }
    }
  }

  init(_ found: Inspection) {
    storageVersion = found.state?.storageVersion ?? found.main.storageVersion
    libraryVersion = found.main.libraryVersion
    isEncrypted = found.main.isEncrypted
    sizeBytes = found.fileBytes
    checkpoint = found.state?.header.iteration
    blockSize = found.state?.geometry.allocationSize
    blocksInUse = found.state?.freeList.inUse.count
    blocksFree = found.state?.freeList.free.count
    wal = WAL(found.wal, header: found.state?.header)
    checkpointWAL = WAL(found.checkpointWAL, header: found.state?.header)
    writer = found.writer
    holder = found.holder
  }
}
