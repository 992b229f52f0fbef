internal import Backup
package import Files
internal import MLflow
package import Stacks
internal import Store
internal import SystemPackage

/// What the MLflow directory of a stack has lost, as its backups tell.
package struct LostMLflow {
  /// A sentence without a full stop; nil when nothing is lost.
  package let words: String?

  /// Compares the top of the MLflow directory with the newest backup that lacks nothing.
  /// - Throws: `MLflowStore.Missing`, `SystemError`, `BackupError`.
  package init(of stack: Stack, files: any FileSystem) throws {
    let directory = BackupDirectory(stack.backupDirectory, files: files)
    // Who backs up without MLflow, and removed it, has lost nothing.
    guard try files.exists(directory.path),
      try directory.newest(where: { $0.isOf(stack) != false }).map({
        $0.metadata?.complete == true && $0.lacks(.mlflow)
      })
        != true,
      let whole = try directory.newest(where: {
        $0.isOf(stack) != false && !$0.lacks(.mlflow) && $0.lostWords == nil
      })
    else {
      words = nil
      return
    }
    let name = ByteText.escaped(whole.name.bytes)
    if let store = try stack.mlflow(files: files) {
      let lost = try LostParts.find(in: store, beside: whole, files: files).first { path in
        path.lastComponent.map { LostParts.isEssential(FileName($0)) } ?? false
      }
      words = lost.map {
        "\($0.text) is gone, and \(name) has it"
      }
    } else {
      words = "there is no MLflow directory, and \(name) has one"
    }
  }
}
