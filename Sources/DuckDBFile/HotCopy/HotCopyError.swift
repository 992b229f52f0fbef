private import Files
public import SystemPackage

/// Why a DuckDB file could not be copied, and what to do about it.
public enum HotCopyError: Error, Sendable, Equatable {
  /// The file is no DuckDB database, or too damaged to be known as one.
  case notADatabase(FilePath, String)
  /// A storage version that this program does not know: it never guesses at a format.
  case unknownVersion(FilePath, UInt64, library: String)
  /// The database is encrypted.
  case encrypted(FilePath)
  /// A block in use, or a list, is damaged.
  case damaged(FilePath, String)
  /// This very process has the database open.
  case openInThisProcess(FilePath)
  /// The writer did not give us a quiet moment within the limits.
  case doesNotSettle(FilePath, String)
  /// The log beside the database is of another database or another checkpoint.
  case foreignLog(FilePath, String)
  /// The database was replaced or removed while it was copied, again and again.
  case replaced(FilePath)

  /// A stable name for scripts.
  public var code: String {
    switch self {
    case .notADatabase: "duckdb.not-a-database"
    case .unknownVersion: "duckdb.unknown-version"
    case .encrypted: "duckdb.encrypted"
    case .damaged: "duckdb.damaged"
    case .openInThisProcess: "duckdb.open-in-this-process"
    case .doesNotSettle: "duckdb.does-not-settle"
    case .foreignLog: "duckdb.foreign-log"
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
    case .encrypted(let path): "\(path.text) is encrypted, which this hrp cannot copy yet"
    case .damaged(let path, let why): "\(path.text) is damaged: \(why)"
    case .openInThisProcess(let path): "this process itself has \(path.text) open"
    case .doesNotSettle(let path, let why): "no consistent copy of \(path.text) could be taken: \(why)"
    case .foreignLog(let path, let why): "the log beside \(path.text) does not belong to it: \(why)"
    case .replaced(let path): "\(path.text) was replaced or removed while it was copied"
    }
  }

  /// What to do, as a sentence.
  public var remedy: String {
    switch self {
    case .notADatabase:
      "Check the path (--data-dir, HRP_DB_PATH). If it was a database once, restore the newest backup that verifies."
    case .unknownVersion:
      "Install a newer hrp. Until then: close every program that uses the database, then copy the file and its .wal."
    case .encrypted: "Close every program that uses the database, then copy the file and its .wal by hand."
    case .damaged:
      "Check the disk, keep the file as it is, and restore the newest backup that verifies (hrp backup list)."
    case .openInThisProcess: "Close the connection first, or run the copy in a process of its own."
    case .doesNotSettle: "Try again when less is being written, or run CHECKPOINT in the program that writes."
    case .foreignLog:
      "Open the database once with its own DuckDB to see what it says; do not delete the log before you have a copy."
    case .replaced: "Run the backup again when the program that replaces the file is done."
    }
  }
}
