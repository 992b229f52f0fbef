package import Files
package import SystemPackage

/// A backup that is a folder: the plain layout.
package final class DirectoryBackup: StoredBackup {
  package let name: FileName
  package let place: FilePath
  let root: OpenFile
  private let files: any FileSystem

  /// Opens a backup and locks it against removal.
  /// - Throws: `BackupError` `backup.not-found`, `backup.busy`; any other as `BackupError` too.
  package init(_ place: FilePath, files: any FileSystem) throws {
    self.place = place
    self.files = files
    name = place.lastComponent.map { FileName($0) } ?? FileName("backup")
    do {
      root = try OpenFile(place, mode: [.directory], files: files)
    } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
      throw BackupError(
        "backup.not-found", kind: .notFound, message: "Backup directory not found: \(place.text)",
        remedy: "See what there is: hrp backup list")
    } catch {
      throw BackupError.of(error, doing: "opening the backup")
    }
    let marks = [BackupLayout.checksums, BackupLayout.metadata, BackupLayout.database]
    guard try marks.contains(where: { try files.exists($0.name.path, at: root.descriptor) }) else {
      throw BackupError(
        "backup.not-found", kind: .notFound,
        message: "\(place.text) is not a backup: it holds none of the files of one",
        remedy: "See what there is: hrp backup list")
    }
    guard try files.lock(root.descriptor, kind: .shared) else {
      throw BackupError(
        "backup.busy", kind: .busy, message: "\(place.text) is being removed or made by another hrp",
        remedy: "Try again when that is done.")
    }
  }

  /// Takes a folder that is open, and locked by whoever opened it.
  init(adopting root: OpenFile) {
    self.root = root
    place = root.path
    files = root.files
    name = place.lastComponent.map { FileName($0) } ?? FileName("backup")
  }

  package func status(of path: EntryPath) throws(SystemError) -> FileStatus? {
    let chain = DirectoryChain(root: root)
    do {
      return try files.statusIfPresent(path.name.path, at: chain.directory(holding: path))
    } catch  where error.meansAbsent {
      return nil
    }
  }

  package func entries(of folder: EntryPath) throws(SystemError) -> [DirectoryEntry] {
    let chain = DirectoryChain(root: root)
    return try files.entries(of: chain.directory(folder))
  }

  package func contents(of path: EntryPath) throws(SystemError) -> any ReadableBytes {
    let chain = DirectoryChain(root: root)
    return try OpenFile(
      path.name.path, at: chain.directory(holding: path), mode: [.noFollow], displayPath: FilePath(bytes: path.bytes),
      files: files)
  }

  package func walk(_ visit: (StoredStep) throws -> Bool) throws {
    try TreeWalk(files: files).walk(root) { step in
      switch step {
      case .directory(let entry): try visit(.directory(Item(entry: entry, files: files)))
      case .entry(let entry): try visit(.entry(Item(entry: entry, files: files)))
      case .unreadable(let path, let error): try visit(.unreadable(path, error))
      }
    }
  }

  package func materialize(_ path: EntryPath) throws -> FilePath { place.pushing(FilePath(bytes: path.bytes)) }

  private struct Item: StoredItem {
    let entry: TreeEntry
    let files: any FileSystem

    var path: EntryPath { entry.path }
    var status: FileStatus { entry.status }

    func open() throws(SystemError) -> any ReadableBytes {
      try OpenFile(
        entry.name, at: entry.directory, mode: [.noFollow], displayPath: FilePath(bytes: entry.path.bytes),
        files: files)
    }

    func target() throws(SystemError) -> [UInt8] { try files.linkTarget(entry.name, at: entry.directory) }
  }
}
