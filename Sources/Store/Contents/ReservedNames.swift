package import Files
package import SystemPackage

extension FileName {
  /// Whether it is one of the hidden folders of a restore.
  package var isOfRestore: Bool { Self.isOfRestore(lowered) }

  /// Whether hrp keeps things of its own under such a name: locks, pins, proofs, what is staged, what an undo needs.
  ///
  /// No backup holds one at the top of a directory that is restored into: a stranger may have made the backup, and hrp
  /// acts on what it finds under these names. Letters of either case count: some file systems do not tell them apart.
  package var isReserved: Bool {
    let text = lowered
    return text.hasPrefix(".hrp-") || Self.isOfRestore(text)
      || text.hasPrefix(".") && text.hasSuffix(BackupLayout.partialSuffix)
  }

  private var lowered: String { String(decoding: bytes, as: UTF8.self).lowercased() }

  private static func isOfRestore(_ text: String) -> Bool {
    text.hasPrefix(".") && (text.contains(".hrp-restore") || text.contains(".hrp-undo"))
  }
}

extension BackupLayout {
  /// The backup that a path lies in, or is: the nearest folder `backup_…` with `checksums.txt` and `metadata.json`.
  ///
  /// Symlinks on the way are followed; a path that does not exist yet lies where it would be made.
  /// - Returns: nil when the path lies in no backup.
  /// - Throws: `SystemError` when a folder on the way cannot be looked at.
  package static func enclosingBackup(of path: FilePath, files: any FileSystem) throws(SystemError) -> FilePath? {
    var folder = RealPath.ofWhatExists(path)
    while let name = folder.lastComponent {
      if FileName(name).hasPrefix(prefix), try isBackup(folder, files: files) { return folder }
      folder = folder.removingLastComponent()
    }
    return nil
  }

  private static func isBackup(_ folder: FilePath, files: any FileSystem) throws(SystemError) -> Bool {
    for list in [checksums, metadata] {
      let path = folder.appending(list.name.path.components)
      guard try files.exists(path), try files.status(path, at: nil).kind == .regular else { return false }
    }
    return true
  }
}

extension BackupError {
  /// Refuses to write into a backup, which is sealed.
  /// - Throws: `BackupError` `path.in-backup`; `SystemError` when it cannot be told.
  package static func checkOutsideOfBackups(_ path: FilePath, files: any FileSystem) throws {
    guard let backup = try BackupLayout.enclosingBackup(of: path, files: files) else { return }
    let isItself = RealPath.ofWhatExists(path) == backup
    throw BackupError(
      "path.in-backup", kind: .usage,
      message: isItself ? "\(path.text) is a backup itself" : "\(path.text) lies in a backup, \(backup.text)",
      remedy: "Restore it first (hrp backup restore \(backup.text) --target-dir NEW), or name the stack with "
        + "--data-dir and the place of its backups with --backup-dir.")
  }
}
