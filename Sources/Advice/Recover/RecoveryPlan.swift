public import Backup
public import Store

/// What is wrong with a stack, and what would put it right: the guide's disaster scenarios.
public struct RecoveryPlan: Sendable {
  /// The scenarios of the guide.
  public enum Scenario: String, Sendable {
    /// Nothing is wrong.
    case healthy
    /// The database is damaged or cannot be read.
    case corruptedDatabase = "corrupted-database"
    /// MLflow's directory is gone or has lost what its records name, or its database cannot be read; the DuckDB
    /// database is well.
    case damagedMLflow = "damaged-mlflow"
    /// Something that was there is gone: what `--missing` names, or every table.
    case accidentalDeletion = "accidental-deletion"
    /// There is no stack here, and there are backups: another machine, another place.
    case migration
    /// No backup can be restored.
    case noUsableBackup = "no-usable-backup"

    /// The words for people.
    public var words: String {
      switch self {
      case .healthy: "nothing was found that needs a restore"
      case .corruptedDatabase: "the database is damaged"
      case .damagedMLflow: "the MLflow directory is missing or damaged"
      case .accidentalDeletion: "something was deleted"
      case .migration: "there is no stack here, and there are backups of one"
      case .noUsableBackup: "no backup can be restored"
      }
    }
  }

  /// What it is.
  public let scenario: Scenario
  /// What was seen, a sentence each.
  public let findings: [String]
  /// The backup to restore, absolute, in readable form; nil: none is needed, or there is none.
  public var backup: String?
  /// When the backup was made, in nanoseconds since 1970 UTC; nil: nothing says, or there is none.
  public var timestamp: Int64?
  /// The part of the stack that is restored from it; nil: all of it.
  public var part: StackPart?
  /// What there is now and what the backup has; nil: there is nothing that could be lost.
  public var losses: Losses?
  /// Where the backup has what is missing, and the stack has not, or has fewer rows.
  public var missing: [SearchHit] = []
  /// What to do, in order, a sentence each.
  public var steps: [String]
}
