package import Backup
package import Files
package import Stacks
package import Store

extension BackupPlace {
  /// That the backup directory of a stack has lost every backup that was made there; nil when it has not, as far as is
  /// known.
  package static func loss(of stack: Stack, files: any FileSystem, time: any TimeSource) -> BackupError? {
    do {
      try BackupPlace(stack, memory: CatalogueMemory(stack, files: files, time: time), files: files).check()
      return nil
    } catch {
      // Advice for people: what else is wrong is said by whoever looks for a backup.
      return (error as? BackupError).flatMap { $0.known == .backupDirectoryNotMounted ? $0 : nil }
    }
  }
}
