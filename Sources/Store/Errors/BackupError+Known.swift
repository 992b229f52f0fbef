extension BackupError {
  /// The codes that this program itself decides by; scripts know all of them (`docs/operations/exit-codes.md`).
  package enum Known: String, Sendable {
    case backupDirectoryNotFound = "backup-directory.not-found"
    case backupDirectoryNotMounted = "backup-directory.not-mounted"
    case backupNotFound = "backup.not-found"
    case databaseInUse = "restore.database-in-use"
    case diskFull = "disk.full"
    case engineRefused = "engine.refused"
    case engineUnavailable = "engine.unavailable"
    case executableNotFound = "executable.not-found"
    case foreignFolder = "restore.foreign-folder"
    case foreignWAL = "duckdb.foreign-log"
    case databaseDamaged = "duckdb.damaged"
    case mlflowInUse = "restore.mlflow-in-use"
    case noneValid = "backup.none-valid"
    case notADatabase = "duckdb.not-a-database"
    case scratchUnusable = "scratch.unusable"
    case sourceNotFound = "source.not-found"
    case undoElsewhere = "undo.elsewhere"
    case verificationFailed = "verification.failed"
    case walDamaged = "duckdb.wal-damaged"
  }

  /// The code as a case of `Known`; nil when this program decides nothing by it.
  package var known: Known? { Known(rawValue: code) }

  /// Whether it is one of these.
  package func isOne(of codes: Set<Known>) -> Bool { known.map { codes.contains($0) } ?? false }
}
