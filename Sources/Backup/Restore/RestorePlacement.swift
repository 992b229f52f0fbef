internal import Files
internal import SystemPackage

/// Where the parts of a backup go below a target.
struct RestorePlacement {
  let target: FilePath
  /// Whether MLflow's names lie in the target itself rather than in `mlflow/`.
  let isFlat: Bool

  init(_ metadata: BackupMetadata?, target: FilePath) {
    self.target = target
    isFlat = metadata?.mlflowLayout == "flat"
  }

  /// Refuses a target that holds a stack.
  func checkIsFree(_ part: StackPart?, files: any FileSystem) throws {
    var names: [String] = []
    if part != .mlflow { names += ["hrp.duckdb", "hrp.duckdb.wal", "hrp.duckdb.wal.checkpoint"] }
    if part != .duckdb { names += isFlat ? ["mlruns", "mlflow.db"] : ["mlflow"] }
    for name in names where try files.exists(target.appending(name)) {
      throw BackupError(
        "restore.target-holds-a-stack", .failed, "there is a \(name) in \(target.text) already",
        remedy: "Name an empty place with --target-dir. Restoring in place comes with a later version of hrp; until "
          + "then restore beside it and move the directories yourself, with everything stopped.")
    }
  }
}
