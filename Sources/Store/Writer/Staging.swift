package import Files
package import SystemPackage

/// The hidden folder in which a backup is made, and the rename that publishes it (B1, B4, B5).
package final class Staging {
  /// Open since before the first write, so that a sync of its file system tells of every failed write.
  let folder: OpenFile
  /// When the backup began, in nanoseconds since 1970 UTC.
  package let began: Int64
  /// In the form `backup_YYYYMMDD_HHMMSS`.
  package let name: String

  private let parent: OpenFile
  /// Of the published folder.
  private let permissions: UInt16
  private let hiddenName: FilePath
  private let files: any FileSystem
  package private(set) var publishedName: String?

  /// - Parameter sources: the directories that the backup is of: it is open to nobody who could not look into them.
  package init(
    in directory: FilePath, of sources: [FilePath], began: Int64, files: any FileSystem
  ) throws(SystemError) {
    self.files = files
    self.began = began
    name = BackupLayout.prefix + LocalTime(nanoseconds: began).compact
    parent = try OpenFile(directory, mode: [.directory], files: files)
    var (folder, hiddenName): (OpenFile?, FilePath) = (nil, "")
    permissions = files.permissions(hiddenAs: sources)
    for attempt in 0..<1000 where folder == nil {
      hiddenName = FilePath(".\(name).\(ThisProcess.pid)-\(attempt)\(BackupLayout.partialSuffix)")
      folder = try Self.make(hiddenName, in: parent, files: files)
    }
    guard let folder else { throw SystemError("mkdirat", errno: .fileExists, path: directory.text) }
    self.folder = folder
    self.hiddenName = hiddenName
  }

  /// Makes and locks the folder; returns nil when the name is taken, or when another run removed it before the lock.
  private static func make(
    _ name: FilePath, in parent: OpenFile, files: any FileSystem
  ) throws(SystemError) -> OpenFile? {
    do throws(SystemError) {
      try files.makeDirectory(name, at: parent.descriptor, permissions: 0o700)
      let folder = try OpenFile(
        name, at: parent.descriptor, mode: [.directory, .noFollow], displayPath: parent.path.appending(name.components),
        files: files)
      guard try files.lock(folder.descriptor, kind: .exclusive), try files.exists(name, at: parent.descriptor) else {
        return nil
      }
      return folder
    } catch {
      if error.errno == .fileExists || error.errno == .noSuchFileOrDirectory { return nil }
      throw error.at(parent.path.text)
    }
  }

  /// Gives the backup its name.
  ///
  /// A second backup within one second gets a suffix: `backup_…_2`.
  package func publish() throws -> FilePath {
    // While nobody else can look into it.
    try folder.giveTree(to: parent.status().owner)
    try files.setPermissions(folder.descriptor, to: permissions)
    try folder.synchronize()
    for number in 1...1000 {
      let final = number == 1 ? name : "\(name)_\(number)"
      do throws(SystemError) {
        try files.renameNew(hiddenName, at: parent.descriptor, to: FilePath(final), at: parent.descriptor)
      } catch {
        if error.errno == .fileExists || error.errno == .directoryNotEmpty { continue }
        throw error
      }
      try parent.synchronize()
      // It is a backup like others now: to be read, and to be removed.
      try files.unlock(folder.descriptor)
      publishedName = final
      return parent.path.appending(final)
    }
    throw SystemError("renameat2", errno: .fileExists, path: parent.path.appending(name).text)
  }

  package func discard() throws(SystemError) { try files.removeTree(hiddenName, at: parent.descriptor) }
}
