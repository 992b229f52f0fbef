package import Files
package import Stacks
internal import Store
internal import SystemPackage

/// The backup directory: it is created when it is new, and refused when a disk seems not to be mounted.
///
/// A backup that is written below an empty mount point fills the disk of the system, and protects from nothing.
package struct BackupPlace {
  private let stack: Stack
  private let beginsAnew: Bool
  private let memory: (any PlaceMemory)?
  private let files: any FileSystem
  private var path: FilePath { stack.backupDirectory }

  /// - Parameter beginsAnew: whether the place may have lost all backups that it held.
  /// - Parameter memory: what was seen in this place before; nil when nothing is remembered.
  package init(_ stack: Stack, beginsAnew: Bool = false, memory: (any PlaceMemory)?, files: any FileSystem) {
    self.stack = stack
    self.beginsAnew = beginsAnew
    self.memory = memory
    self.files = files
  }

  /// Refuses a place that has lost its backups, and a place that would need more than one new directory.
  /// - Throws: `BackupError` `backup-directory.not-mounted`, `backup-directory.no-parent`; `SystemError`.
  package func check() throws {
    let known = memory?.known(in: path)
    let isMissing = try !files.exists(path)
    if !beginsAnew, let known, let newest = known.paths.first, try !holdsAny(of: known) {
      throw notMounted(newest, isMissing: isMissing)
    }
    guard isMissing, try !files.exists(path.folder) else { return }
    throw BackupError(
      "backup-directory.no-parent", kind: .notFound,
      message: "there is no \(path.folder.text) to make the backup directory in",
      remedy:
        "Is the disk mounted? Mount it; or, when the place is to be new: mkdir -p \(ShellWord.quoted(path.folder))")
  }

  /// Makes the last component, when it is missing.
  package func make() throws {
    if beginsAnew { memory?.forget(path) }
    do throws(SystemError) {
      try files.makeDirectoryOfItsOwner(path)
    } catch {
      // Something is there already; opening it later tells whether it is a directory.
      if error.errno != .fileExists { throw error }
    }
  }

  private func holdsAny(of known: KnownBackups) throws -> Bool {
    guard try files.exists(path) else { return false }
    // Names are compared first. All backups are read only when no name fits, since they may have been renamed.
    for name in known.paths.prefix(100) {
      guard let bytes = ByteText.bytes(of: name.utf8), let last = FilePath(bytes: bytes).lastComponent else { continue }
      if try files.exists(path.appending([last])) { return true }
    }
    return try BackupDirectory(path, files: files).newest(where: known.contains) != nil
  }

  private func notMounted(_ newest: String, isMissing: Bool) -> BackupError {
    let words =
      isMissing ? "there is no \(path.text) now" : "\(path.text) holds none of the backups that were made there"
    return BackupError(
      "backup-directory.not-mounted", kind: .notFound, message: "\(words); its newest backup was \(newest)",
      remedy: "Is the disk mounted? Mount it, or name another place with --backup-dir. To begin anew in this one: "
        + "hrp backup create --new-place")
  }
}
