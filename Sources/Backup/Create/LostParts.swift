package import Files
package import MLflow
internal import Stacks
package import Store
package import SystemPackage

/// Databases and folders at the top of an MLflow directory that a backup has and that are missing now.
///
/// Example: `mlflow/mlruns` was deleted, and `mlflow/mlflow.db` is still there.
package enum LostParts {
  /// Whether MLflow itself keeps records or artifacts under a name; other folders are the user's own.
  package static func isEssential(_ name: FileName) -> Bool {
    (RestoreNames.storeFolders + [FileName("artifacts")]).contains(name)
      || name.bytes.suffix(3).elementsEqual(".db".utf8)
  }

  /// The places in the store where they should be.
  /// - Throws: `SystemError`, also when it cannot be told whether something is there.
  package static func find(
    in store: MLflowStore, beside backup: ListedBackup, files: any FileSystem
  ) throws -> [FilePath] {
    var lost: [FilePath] = []
    for folder in BackupLayout.stores.map({ backup.path.appending($0.name.path.components) })
    where try files.exists(folder) {
      let stored = try OpenFile(folder, mode: [.directory], files: files)
      let databases = try MLflowStore.databases(in: stored)
      let folders = try files.entries(of: stored.descriptor).filter { $0.kind == .directory }.map(\.name)
      // A flat store knows only the names that are there.
      for part in databases + folders.sorted() where store.holds(part) || store.layout == .flat && isEssential(part) {
        let path = store.directory.appending(part.path.components)
        if try !files.exists(path) { lost.append(path) }
      }
    }
    return lost
  }
}
