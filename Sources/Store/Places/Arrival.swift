internal import Files
internal import SystemPackage

/// The hidden folder of a copy that is arriving, and the rename that makes it visible (Y2, Y5).
///
/// Its name has the backup's name and the hash of its metadata, so an interrupted copy goes on where it was, and only
/// with the very same backup.
final class Arrival {
  private static let suffix = ".arriving"
  /// What was interrupted so long ago is not gone on with.
  private static let maximumAgeNanoseconds: Int64 = 14 * 86_400 * 1_000_000_000

  /// Open since before the first write, so that a sync of its file system tells of every failed write.
  let folder: OpenFile
  let files: any FileSystem
  private let parent: OpenFile
  private let hiddenName: FilePath
  private let name: FileName
  private let permissions: UInt16
  /// Whether an interrupted copy had begun.
  let wasThere: Bool

  /// Makes the folder, or takes up the one that an interrupted copy left.
  /// - Throws: `BackupError` `place.busy` while another process copies the same backup.
  init(of backup: any StoredBackup, in directory: FilePath, sources: [FilePath], files: any FileSystem) throws {
    self.files = files
    name = backup.name
    parent = try OpenFile(directory, mode: [.directory], files: files)
    let seal = try backup.list(BackupLayout.metadata).map(ContentsReader.digest)
    hiddenName = FilePath(
      bytes: Array(".".utf8) + name.bytes + Array(".\(seal?.hex.prefix(16) ?? "none")\(Self.suffix)".utf8))
    permissions = files.permissions(hiddenAs: sources)
    try Self.removeOld(in: parent, but: hiddenName)
    wasThere = try files.exists(hiddenName, at: parent.descriptor)
    do throws(SystemError) {
      try files.makeDirectory(hiddenName, at: parent.descriptor, permissions: 0o700)
    } catch {
      if error.errno != .fileExists { throw error }
    }
    folder = try OpenFile(
      hiddenName, at: parent.descriptor, mode: [.directory, .noFollow], displayPath: directory.pushing(hiddenName),
      files: files)
    guard try files.lock(folder.descriptor, kind: .exclusive), try files.exists(hiddenName, at: parent.descriptor)
    else {
      throw BackupError(
        "place.busy", kind: .busy,
        message: "another hrp is copying \(ByteText.escaped(name.bytes)) to \(directory.text)",
        remedy: "Wait until it is done.")
    }
  }

  /// Removes what copies left that were interrupted long ago.
  private static func removeOld(in parent: OpenFile, but own: FilePath) throws {
    let files = parent.files
    for entry in try files.entries(of: parent.descriptor) where isArrival(entry.name) && entry.name.path != own {
      let folder: OpenFile
      do throws(SystemError) {
        folder = try OpenFile(entry.name.path, at: parent.descriptor, mode: [.directory, .noFollow], files: files)
      } catch {
        // Another user's, or gone by now.
        continue
      }
      let now = try files.status(of: parent.descriptor).changedNanoseconds
      let changed = try folder.status().changedNanoseconds
      guard now - changed > maximumAgeNanoseconds, try files.lock(folder.descriptor, kind: .exclusive) else { continue }
      ignoringFailure { try files.removeTree(entry.name.path, at: parent.descriptor) }
    }
  }

  private static func isArrival(_ name: FileName) -> Bool {
    name.hasPrefix("." + BackupLayout.prefix) && name.bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  /// Removes everything in it.
  func clear() throws {
    for entry in try files.entries(of: folder.descriptor) {
      try files.removeTree(entry.name.path, at: folder.descriptor)
    }
  }

  /// Reads everything back that was written, from the device, and compares it with the lists.
  ///
  /// What is hard-linked was read back when it was written.
  /// - Returns: what is not right.
  func findings(time: any TimeSource, events: EventStream) throws -> [Finding] {
    try files.synchronizeTree(folder)
    let files = files
    for list in BackupLayout.lists.sorted() { try dropCache(of: list) }
    let walk = try ContentsWalk(DirectoryBackup(adopting: folder))
    let check = try ContentsCheck(time: time, events: events) { file, reader in
      if let opened = file.contents as? OpenFile { try files.dropCache(of: opened.descriptor) }
      return .init(digest: try reader.digest(of: file.contents, size: file.status.size))
    }
    _ = try walk.run(check) { $0.status.kind == .regular && $0.status.linkCount > 1 }
    return walk.findings
  }

  private func dropCache(of list: EntryPath) throws {
    guard let file = try OpenFile.ifPresent(list.name.path, at: folder.descriptor, mode: [.noFollow], files: files)
    else { return }
    try files.dropCache(of: file.descriptor)
  }

  /// Gives the copy its name; whoever calls it has the exclusive lock of the place.
  func publish() throws -> FilePath {
    try folder.giveTree(to: parent.status().owner)
    try folder.setPermissionsWhereKept(to: permissions)
    try folder.synchronize()
    do throws(SystemError) {
      try files.renameNew(hiddenName, at: parent.descriptor, to: name.path, at: parent.descriptor)
    } catch {
      // Some mounts cannot rename without replacing. A folder replaces at most an empty one.
      guard [.invalidArgument, .notSupported, .noFunction].contains(error.errno),
        try !files.exists(name.path, at: parent.descriptor)
      else { throw error }
      try files.renameReplacing(hiddenName, at: parent.descriptor, to: name.path, at: parent.descriptor)
    }
    try parent.synchronize()
    // It is a backup like others now.
    try files.unlock(folder.descriptor)
    return parent.path.appending(name.path.components)
  }
}
