package import Files
internal import SystemPackage

/// Directories of backups that lie in an MLflow directory, left there when backups went elsewhere.
///
/// They are no part of the store: a backup of backups grows with every one. A restore leaves them where they are.
package struct OldBackups {
  /// The stores' own folders, whatever is in them.
  private static let storeFolders: Set<FileName> = [
    FileName("mlruns"), FileName("mlartifacts"), FileName("models"), FileName("artifacts"),
  ]

  /// The folders at the top of a directory that are backups, or hold backups and nothing else.
  ///
  /// A folder that may not be looked into counts as the store's: a backup names it as unread, and a restore keeps it
  /// with what it replaces.
  /// - Throws: `SystemError` when the directory, or a folder for another reason than its permissions, cannot be read.
  package static func find(in directory: OpenFile) throws(SystemError) -> [FileName] {
    let entries = try directory.files.entries(of: directory.descriptor).sorted { $0.name < $1.name }
    var found: [FileName] = []
    for entry in entries
    where (entry.kind == .directory || entry.kind == .unknown) && !storeFolders.contains(entry.name) {
      if try isOne(entry.name, in: directory) { found.append(entry.name) }
    }
    return found
  }

  private static func isOne(_ name: FileName, in directory: OpenFile) throws(SystemError) -> Bool {
    do throws(SystemError) {
      guard
        let folder = try OpenFile.ifPresent(
          name.path, at: directory.descriptor, mode: [.directory, .noFollow], files: directory.files)
      else { return false }
      if try isBackup(name, in: folder) { return true }
      return try holdsOnlyBackups(folder)
    } catch {
      guard error.errno == .permissionDenied || error.errno == .notPermitted else { throw error }
      return false
    }
  }

  private static func isBackup(_ name: FileName, in folder: OpenFile) throws(SystemError) -> Bool {
    guard BackupLayout.timestamp(ofName: name) != nil else { return false }
    for list in [BackupLayout.checksums, BackupLayout.metadata]
    where try !folder.files.exists(list.name.path, at: folder.descriptor) { return false }
    return true
  }

  private static func holdsOnlyBackups(_ folder: OpenFile) throws(SystemError) -> Bool {
    // Experiments and models have their record beside what is in them.
    if try folder.files.exists("meta.yaml", at: folder.descriptor) { return false }
    var isOne = false
    for entry in try folder.files.entries(of: folder.descriptor) where !entry.name.hasPrefix(".") {
      guard BackupLayout.timestamp(ofName: entry.name) != nil,
        let inner = try OpenFile.ifPresent(
          entry.name.path, at: folder.descriptor, mode: [.directory, .noFollow], files: folder.files),
        try isBackup(entry.name, in: inner)
      else { return false }
      isOne = true
    }
    return isOne
  }
}
