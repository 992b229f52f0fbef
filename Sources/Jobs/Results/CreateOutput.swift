package import Backup
internal import Files
internal import Store

/// What `hrp backup create --json` says.
package struct CreateOutput: Encodable {
  private struct Snapshot: Encodable {
    let method: String
    let iteration: Nullable<UInt64>
    let walBytes: Int64
    let blocksCopied: Int
    let blocksFree: Int
    let passes: Int
  }

  private let path: String
  private let name: String
  private let timestamp: String
  private let sizeBytes: Int64
  private let sizeMb: Double
  private let files: [String]
  private let checksumFile: String
  private let includeMlflow: Bool
  private let durationSeconds: Double
  private let verified: Bool
  private let complete: Bool
  private let snapshot: Snapshot
  private let unread: [CreateResult.SourceNote]
  private let unstable: [CreateResult.SourceNote]
  private let skipped: [CreateResult.SourceNote]
  private let sharedWith: Nullable<String>
  private let sharedBytes: Int64

  /// - Throws: what reading the names in the backup throws.
  package init(_ result: CreateResult) throws {
    path = result.path
    name = result.name
    timestamp = result.timestamp
    sizeBytes = result.sizeBytes
    sizeMb = result.sizeMB
    files = try StoredNames.of(result.path)
    checksumFile = result.checksumFile
    includeMlflow = result.includesMLflow
    durationSeconds = result.durationSeconds.roundedToMilliseconds
    verified = result.isVerified
    complete = result.isComplete
    snapshot = Snapshot(
      method: result.snapshot.method, iteration: Nullable(result.snapshot.iteration),
      walBytes: result.snapshot.walBytes, blocksCopied: result.snapshot.blocksCopied,
      blocksFree: result.snapshot.blocksFree, passes: result.snapshot.passes)
    (unread, unstable, skipped) = (result.unread, result.unstable, result.skipped)
    sharedWith = Nullable(result.sharedWith)
    sharedBytes = result.sharedBytes
  }
}

/// What `hrp backup create --dry-run --json` says.
package struct CreatePlanOutput: Encodable {
  private let dryRun = true
  private let unread: [String]
  private let database: String
  private let databaseBytes: Int64
  private let mlflow: Nullable<String>
  private let mlflowBytes: Int64
  private let mlflowFiles: Int
  private let backupDir: String
  private let neededBytes: Int64
  private let availableBytes: Int64

  private enum CodingKeys: CodingKey {
    case dryRun, unread, database, databaseBytes, mlflow, mlflowBytes, mlflowFiles, backupDir, neededBytes
    case availableBytes
  }

  package init(_ plan: BackupRun.Plan, unread: [String]) {
    self.unread = unread
    database = plan.database
    databaseBytes = plan.databaseBytes
    mlflow = Nullable(plan.mlflow)
    mlflowBytes = plan.mlflowBytes
    mlflowFiles = plan.mlflowFiles
    backupDir = plan.backupDirectory
    neededBytes = plan.neededBytes
    availableBytes = Int64(clamping: plan.availableBytes)
  }
}
