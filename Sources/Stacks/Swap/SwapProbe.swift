package import Files
internal import Store
package import SystemPackage

/// Asks the kernel whether a swap could rename everything that it will have to, without renaming anything.
///
/// A rename onto a folder that is not empty never succeeds. Where everything else allows it, the answer is ENOTEMPTY or
/// EEXIST (of a folder) or EISDIR (of a file); where not, it is what the rename itself would have said: owners, the
/// sticky bit, flags, mounts are looked at first (`vfs_rename` in Linux, man 2 rename).
package struct SwapProbe {
  private static let folderName = FilePath("probe")
  private static let possible: Set<Errno> = [.directoryNotEmpty, .fileExists, .isDirectory]
  /// What a folder of an overlay's lower layer says: `Swap` moves what is in it, name by name.
  private static let byName: Set<Errno> = [.improperLink]

  private let plan: SwapPlan
  private let files: any FileSystem

  package init(_ plan: SwapPlan, files: any FileSystem) {
    self.plan = plan
    self.files = files
  }

  /// What a dry run can tell of names that would go out, without writing anything.
  ///
  /// - Throws: `BackupError` `restore.cannot-rename`, naming the first that stands against it; `SystemError`.
  package static func foresee(_ paths: [FilePath], files: any FileSystem) throws {
    for path in paths where try files.exists(path) {
      do throws(SystemError) {
        try PathRights.checkRenamable(path, files: files)
      } catch { throw BackupError.cannotRename(path, error: error) }
    }
  }

  /// Probes what goes out of a swap directory and what comes in.
  ///
  /// - Parameter hidden: the hidden folder in that directory, under the name that it has now.
  /// - Throws: `BackupError` `restore.cannot-rename`, naming the first name that stands against it; `SystemError`.
  package func run(_ planned: SwapPlan.SwapDirectory, in directory: OpenFile, hidden: OpenFile) throws {
    let probe = try make(in: hidden)
    defer { ignoringFailure { try files.removeTree(Self.folderName, at: hidden.descriptor) } }
    let incoming = try OpenFile(
      plan.incoming, at: hidden.descriptor, mode: [.directory, .noFollow],
      displayPath: hidden.path.appending(plan.incoming.components), files: files)
    for item in planned.items {
      if item.old != nil { try ask(item.name, in: directory, probe: probe) }
      if item.new != nil { try ask(item.name, in: incoming, probe: probe) }
    }
  }

  /// A folder that is not empty, and its name below it: a rename to there cannot succeed.
  private func make(in hidden: OpenFile) throws(SystemError) -> OpenFile {
    try files.removeTree(Self.folderName, at: hidden.descriptor)
    try files.makeDirectory(Self.folderName, at: hidden.descriptor, permissions: 0o700)
    let folder = try OpenFile(Self.folderName, at: hidden.descriptor, mode: [.directory, .noFollow], files: files)
    try files.makeDirectory("full", at: folder.descriptor, permissions: 0o700)
    try files.makeDirectory("full/full", at: folder.descriptor, permissions: 0o700)
    return folder
  }

  private func ask(_ name: FileName, in place: OpenFile, probe: OpenFile) throws {
    do throws(SystemError) {
      try files.renameReplacing(name.path, at: place.descriptor, to: "full", at: probe.descriptor)
    } catch {
      if Self.possible.contains(error.errno) { return }
      if Self.byName.contains(error.errno) { return try askInside(name, in: place, probe: probe) }
      // A mount point has words of its own.
      throw BackupError.cannotRename(place.path.appending(name.path.components), error: error)
    }
    preconditionFailure("A rename onto a folder that is not empty succeeded.")
  }

  /// A folder that cannot be renamed as a whole: the names in it.
  private func askInside(_ name: FileName, in place: OpenFile, probe: OpenFile) throws {
    let folder = try OpenFile(
      name.path, at: place.descriptor, mode: [.directory, .noFollow],
      displayPath: place.path.appending(name.path.components),
      files: files)
    for entry in try files.entries(of: folder.descriptor) {
      try Interruption.check()
      try ask(entry.name, in: folder, probe: probe)
    }
  }
}

extension BackupError {
  static func cannotRename(_ path: FilePath, error: SystemError) -> BackupError {
    let why =
      switch error.errno {
      case .notPermitted:
        "It belongs to another user in a directory with the sticky bit, or a flag forbids changes (ls -ld, lsattr -d): "
          + "its owner may give it to you (chown), or take the flag away (chattr -i)."
      case .permissionDenied:
        "You need the right to write to it and to the directory that contains it: chmod u+w, or ask its owner."
      case .resourceBusy: "Something is mounted there: unmount it."
      default: "Look at its owner and permissions: ls -ld \(path.text)."
      }
    return BackupError(
      "restore.cannot-rename", kind: .failed, message: "\(path.text) cannot be put out of the way: \(error.errno)",
      remedy: why + " Or restore to another place with --target-dir. Nothing was touched.", cause: "\(error)")
  }
}
