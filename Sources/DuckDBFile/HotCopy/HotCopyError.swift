private import Files
public import SystemPackage

/// Why a DuckDB file could not be copied, and what to do about it.
public enum HotCopyError: Error, Sendable, Equatable {
  /// The file is no DuckDB database, or too damaged to be known as one.
  case notADatabase(FilePath, String)
  /// A storage version that this program does not know: it never guesses at a format.
  case unknownVersion(FilePath, UInt64, library: String)
  /// The database is encrypted: its blocks cannot be told apart.
  case encrypted(FilePath)
  /// The database is encrypted, and a process has it open for writing; the PID is 0 when it is unknown.
  case encryptedInUse(FilePath, writer: Int32, program: String?)
  /// The file system cannot share the database's storage with the copy.
  case cannotShare(FilePath)
  /// A block in use, or a list, is damaged.
  case damaged(FilePath, String)
  /// This very process has the database open.
  case openInThisProcess(FilePath)
  /// The writer left no quiet time in which a copy could be finished.
  case doesNotSettle(FilePath, String)
  /// The writer makes one checkpoint after the other: how many were seen, and in how many seconds.
  case noPause(FilePath, checkpoints: Int, seconds: Int64)
  /// The WAL beside the database is of another database or another checkpoint.
  case foreignWAL(FilePath, String)
  /// The WAL is damaged before its end: where, and how many commits lie behind that.
  case walDamaged(FilePath, offset: Int64, commitsBehind: Int)
  /// The WAL holds an entry of a type that this program does not know.
  case unknownEntry(FilePath, type: UInt8, offset: Int64)
  /// The file has another name (a hard link), and committed data may lie in a WAL beside that name; the text says why.
  case otherName(FilePath, String)
  /// The file alone is mounted, without the directory in which its WAL lies.
  case mountedAlone(FilePath)
  /// The database was replaced or removed while it was copied, again and again.
  case replaced(FilePath)

  /// A stable name for scripts.
  public var code: String {
    switch self {
    case .notADatabase: "duckdb.not-a-database"
    case .unknownVersion: "duckdb.unknown-version"
    case .encrypted: "duckdb.encrypted"
    case .encryptedInUse: "duckdb.encrypted-in-use"
    case .cannotShare: "reflink.unsupported"
    case .damaged: "duckdb.damaged"
    case .openInThisProcess: "duckdb.open-in-this-process"
    case .doesNotSettle, .noPause: "duckdb.does-not-settle"
    case .foreignWAL: "duckdb.foreign-log"
    case .walDamaged: "duckdb.wal-damaged"
    case .unknownEntry: "duckdb.unknown-entry"
    case .otherName: "duckdb.other-name"
    case .mountedAlone: "duckdb.mounted-alone"
    case .replaced: "duckdb.replaced"
    }
  }

  /// What is wrong, naming the file: lower case, no full stop.
  public var message: String {
    switch self {
    case .notADatabase(let path, let why): "\(path.text) is not a DuckDB database: \(why)"
    case .unknownVersion(let path, let version, let library):
      "\(path.text) has storage version \(version)\(library.isEmpty ? "" : " (written by DuckDB \(library))"), "
        + "which this hrp does not know (it knows 64 to 69)"
    case .encrypted(let path): "\(path.text) is encrypted, and cannot be read without its key"
    case .encryptedInUse(let path, let writer, let program):
      "\(path.text) is encrypted and in use by "
        + (writer == 0 ? "a process that cannot be seen from here" : "PID \(writer)")
        + (program.map { " (\($0))" } ?? "")
    case .cannotShare(let path): "the file system cannot share the storage of \(path.text) with a backup"
    case .damaged(let path, let why): "\(path.text) is damaged: \(why)"
    case .openInThisProcess(let path): "this process itself has \(path.text) open"
    case .doesNotSettle(let path, let why): "no consistent copy of \(path.text) could be taken: \(why)"
    case .noPause(let path, let checkpoints, let seconds):
      "no consistent copy of \(path.text) could be taken: a program makes a checkpoint of it all the time "
        + "(\(checkpoints) seen in \(seconds) s), with no pause between them"
    case .foreignWAL(let path, let why): "the WAL beside \(path.text) does not belong to it: \(why)"
    case .walDamaged(let path, let offset, let commits):
      "the WAL of \(path.text) is damaged at byte \(offset)"
        + (commits == 0 ? "" : ", and \(commits) \(commits == 1 ? "commit lies" : "commits lie") behind that")
    case .unknownEntry(let path, let type, let offset):
      "the WAL of \(path.text) holds an entry of type \(type) at byte \(offset), which this hrp does not know"
    case .otherName(let path, let why): "\(path.text) has more than one name, and \(why)"
    case .mountedAlone(let path):
      "\(path.text) is mounted as a single file, so its WAL, which lies beside it, cannot be seen here"
    case .replaced(let path): "\(path.text) was replaced or removed while it was copied"
    }
  }

  /// What to do, as a sentence.
  public var remedy: String {
    switch self {
    case .notADatabase:
      "Check the path (--data-dir, HRP_DB_PATH). If it was a database once, see which backup helps: hrp recover"
    case .unknownVersion:
      "Install a newer hrp. Until then: close every program that uses the database, then copy the file and its .wal."
    case .encrypted: "Open it with its own DuckDB and its key."
    case .encryptedInUse:
      "Close that program, or run the backup when it is closed. Without the key hrp cannot tell whether a copy of a "
        + "changing file is right."
    case .cannotShare:
      "Leave out --reflink, or put the backups on the database's own file system (XFS with reflink, btrfs, APFS)."
    case .damaged:
      "Check the disk, and keep the file as it is. See which backup helps: hrp recover"
    case .openInThisProcess: "Close the connection first, or run the copy in a process of its own."
    case .doesNotSettle: "Try again when less is being written, or run CHECKPOINT in the program that writes."
    case .noPause:
      "Let that program wait a tenth of a second between two checkpoints (COMMIT needs none), or keep the database on "
        + "a file system with clones (XFS, btrfs, APFS)."
    case .foreignWAL:
      "Open the database once with its own DuckDB to see what it says; do not delete the WAL before you have a copy."
    case .walDamaged:
      "If a program has the database open, run CHECKPOINT in it now: it still holds every row, and writes them to the "
        + "database file. If none has, copy the database and its .wal elsewhere before anything opens them, then "
        + "restore the newest backup that verifies (hrp recover)."
    case .unknownEntry: "Install a newer hrp. Or run CHECKPOINT in the program that writes: then the WAL is empty."
    case .otherName:
      "Use the name that the writing program uses, and remove names that nobody needs (find DIR -samefile FILE lists "
        + "them)."
    case .mountedAlone: "Mount the directory that holds the database instead of the file (docker run -v DIR:DIR)."
    case .replaced: "Run the backup again when the program that replaces the file is done."
    }
  }
}
