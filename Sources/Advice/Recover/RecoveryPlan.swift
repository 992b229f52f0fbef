public import Backup
public import Store

/// What is wrong with a stack, and what would put it right: the guide's disaster scenarios.
public struct RecoveryPlan: Sendable {
  /// The scenarios of the guide.
  public enum Scenario: String, Sendable {
    /// Nothing is wrong.
    case healthy
    /// The database is damaged, cannot be read, or is gone.
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
      case .corruptedDatabase: "the database is damaged or gone"
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
  /// The absolute path of the backup to restore, in readable form; nil when none is needed, or when none can be used.
  public var backup: String?
  /// When the backup was made, in nanoseconds since 1970 UTC; nil when nothing tells, or when there is no backup.
  public var timestamp: Int64?
  /// The part of the stack that is restored from it; nil when both parts are.
  public var part: StackPart?
  /// The differences between the stack now and the backup; nil when the stack holds nothing that could be lost.
  public var losses: Losses?
  /// Places that the backup has and that the stack lacks, or has with fewer rows.
  public var missing: [SearchHit] = []
  /// What to do, in order, a sentence each.
  public var steps: [String]
}
