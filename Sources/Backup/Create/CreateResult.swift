internal import Files
internal import Store

/// What `createBackup` made.
public struct CreateResult: Sendable {
  /// The backup's directory, absolute.
  public let path: String
  /// The name of that directory: `backup_YYYYMMDD_HHMMSS`.
  public let name: String
  /// When the backup began: ISO 8601 local time with offset, microseconds.
  public let timestamp: String
  /// Bytes of all files that `checksums.txt` names.
  public let sizeBytes: Int64
  /// How many files those are.
  public let filesCount: Int
  /// The path of `checksums.txt`, absolute.
  public let checksumFile: String
  /// Whether there was an MLflow directory and it was wanted.
  public let includesMLflow: Bool
  /// From the first byte to the last check, in seconds.
  public let durationSeconds: Double
  /// Every file was read back from the device and was right.
  ///
  /// Never true of an incomplete backup.
  public let isVerified: Bool
  /// No source file had to be left out.
  public let isComplete: Bool
  /// How the database was copied.
  public let snapshot: Snapshot
  /// What was left out because it could not be read: path and why.
  public let unread: [SourceNote]
  /// What never held still while it was read, and is in the backup as it was read last.
  public let unstable: [SourceNote]
  /// FIFOs, sockets and devices, which hold no data of their own.
  public let skipped: [SourceNote]

  /// The backup whose files this one shares by hard links; nil when it shares none.
  public let sharedWith: String?
  /// Bytes of the files that are shared.
  public let sharedBytes: Int64

  /// Bytes in units of 1024 x 1024, two decimals.
  public var sizeMB: Double { ByteCount.roundedMegabytes(sizeBytes) }

  /// How the database was copied.
  public struct Snapshot: Sendable {
    /// "hot-copy"; "clone": by way of a clone that froze it; "reflink": the clone itself, which shares storage with the
    /// source; "verbatim": an encrypted database as it lay, while nobody wrote to it.
    public let method: String
    /// The checkpoint that the copy belongs to; nil when the database is encrypted and no WAL names a checkpoint.
    public let iteration: UInt64?
    /// Bytes of the WAL that belongs to it; 0 when there is none.
    public let walBytes: Int64
    /// Blocks in use, all of which were copied; 0 when the database is encrypted and they cannot be told apart.
    public let blocksCopied: Int
    /// Blocks that hold nothing and were left out.
    public let blocksFree: Int
    /// How often the copy was begun: once on a quiet database, and again each time a checkpoint came.
    public let passes: Int
  }

  /// A source path and what happened with it.
  public struct SourceNote: Sendable, Equatable, Encodable {
    /// Relative to the MLflow directory, in readable form.
    public let path: String
    /// The reason, as a clause.
    public let why: String
  }
}
