package import Files
package import SystemPackage

/// Writes a backup in the plain layout, entry by entry in the order of the paths.
///
/// A source that writes its own file, as DuckDB's hot copy and SQLite do, is given a place, and its entry waits for its
/// turn. Files that did not change are linked from the backup before, if there is one.
package final class DirectoryWriter {
  /// Where an entry is made: a name in an open directory, valid until the next call, and its whole path.
  package struct Place {
    package let directory: Descriptor
    package let name: FilePath
    package let path: FilePath
  }

  /// What became of a file of the source.
  package enum FileOutcome {
    case copied(FileCopy.Copied)
    /// Its stored copy is linked from the backup before.
    case linked(LinkableBackup.Stored)
    case gone
    case notAFile
  }

  /// What is known of a backup whose contents are written and read back.
  package struct Contents {
    package let checksums: Digest
    package let manifest: Digest
    package let filesCount: Int
    package let sizeBytes: Int64
  }

  /// A stored folder is open to those who could look into the source, and writable for its owner only.
  static func permissions(of directory: FileStatus) -> UInt16 { directory.permissions & 0o755 | 0o700 }

  let staging: Staging
  /// The backup to hard-link from; nil when everything is copied.
  package var previous: PreviousBackup?
  package private(set) var sharedBytes: Int64 = 0
  package private(set) var sharedFiles = 0

  let files: any FileSystem
  let written: WrittenFiles
  let manifest: DigestedList
  private let chain: DirectoryChain
  private let copier: FileCopy
  private let progress: (Int64) -> Void
  /// Entries whose turn has not come.
  private var waiting: [(line: ManifestLine, quick: QuickHash)] = []

  package init(
    _ staging: Staging, files: any FileSystem, time: any TimeSource, progress: @escaping (Int64) -> Void
  ) throws {
    self.staging = staging
    self.files = files
    self.progress = progress
    chain = DirectoryChain(root: staging.folder)
    copier = FileCopy(files: files, time: time, progress: progress)
    written = try WrittenFiles(at: staging.folder.descriptor, files: files)
    manifest = try DigestedList(BackupLayout.manifest, in: staging.folder)
  }

  // MARK: - Files that somebody else writes

  /// The place of a file that its source writes itself.
  package func place(of path: EntryPath) throws -> Place {
    Place(
      directory: try chain.directory(holding: path, makingMissing: 0o755), name: path.name.path,
      path: staging.folder.path.pushing(FilePath(bytes: path.bytes)))
  }

  /// Takes a file that its source wrote.
  /// - Parameter quick: the hash of what was written; when it is nil, the file is read to compute it.
  package func take(_ path: EntryPath, from source: FileStatus, quick: QuickHash? = nil) throws {
    let place = try place(of: path)
    let file = try OpenFile(place.name, at: place.directory, mode: [.noFollow], displayPath: place.path, files: files)
    let size = try file.status().size
    waiting.append(
      (
        ManifestLine(
          path: path, kind: .file, permissions: source.permissions,
          modifiedNanoseconds: source.modifiedNanoseconds, size: size), try quick ?? copier.hash(of: file, size: size)
      ))
    waiting.sort { $0.line.path < $1.line.path }
    try file.close()
  }

  /// Removes what a source began to write and could not finish.
  package func clear(_ path: EntryPath) throws {
    let place = try place(of: path)
    try files.removeTree(place.name, at: place.directory)
  }

  // MARK: - Entries in order

  /// Makes a folder.
  package func addDirectory(_ path: EntryPath, from source: FileStatus) throws {
    try addWaiting(before: path.bytes + [UInt8(ascii: "/")])
    let permissions = Self.permissions(of: source)
    // The folder of the store is there already when a database was copied into it.
    try files.setPermissions(chain.directory(path, makingMissing: permissions), to: permissions)
    try manifest.write(
      ManifestLine(
        path: path, kind: .directory, permissions: source.permissions,
        modifiedNanoseconds: source.modifiedNanoseconds, size: 0
      ).bytes)
  }

  /// Makes a symlink.
  package func addSymlink(_ path: EntryPath, to target: [UInt8], from source: FileStatus) throws {
    try addWaiting(before: path.bytes)
    let directory = try chain.directory(holding: path, makingMissing: 0o755)
    try files.makeLink(path.name.path, at: directory, target: target)
    try manifest.write(
      ManifestLine(
        path: path, kind: .link, permissions: 0o777, modifiedNanoseconds: source.modifiedNanoseconds,
        size: Int64(target.count), target: target
      ).bytes)
  }

  /// Links a file from the backup before when it did not change, or copies it.
  /// - Parameter keepsHead: whether the first 64 KiB of what is copied are wanted.
  /// - Throws: `FileCopy.Unreadable` for the source, `SystemError` for the backup.
  package func addFile(_ path: EntryPath, from source: TreeEntry, keepsHead: Bool) throws -> FileOutcome {
    try addWaiting(before: path.bytes)
    let directory = try chain.directory(holding: path, makingMissing: 0o755)
    if let stored = try previous?.link(path, source: source.status, at: directory) {
      sharedBytes += stored.line.size
      sharedFiles += 1
      // It counts for the copy and for the read-back that it does not need.
      progress(2 * stored.line.size)
      try manifest.write(stored.line.bytes)
      try written.add(path, size: stored.line.size, digest: stored.digest)
      return .linked(stored)
    }
    switch try copier.copy(
      source, to: directory, displayPath: FilePath(bytes: source.path.bytes), keepsHead: keepsHead)
    {
    case .gone: return .gone
    case .notAFile: return .notAFile
    case .copied(let copied):
      let origin = ManifestLine.Origin(
        identity: copied.source.identity, changedNanoseconds: copied.source.changedNanoseconds,
        readNanoseconds: copied.readNanoseconds)
      let line = ManifestLine(
        path: path, kind: .file, permissions: copied.source.permissions,
        modifiedNanoseconds: copied.source.modifiedNanoseconds, size: copied.size,
        origin: copied.isUnstable ? nil : origin, attributesCount: Int64(copied.attributes.count))
      try manifest.write(line.bytes)
      try written.add(path, size: copied.size, quick: copied.quick)
      return .copied(copied)
    }
  }

  /// Adds the waiting entries that come before a key; adds all of them when the key is nil.
  func addWaiting(before key: [UInt8]? = nil) throws {
    while let first = waiting.first, key.map({ first.line.path.bytes.lexicographicallyPrecedes($0) }) ?? true {
      try manifest.write(first.line.bytes)
      try written.add(first.line.path, size: first.line.size, quick: first.quick)
      waiting.removeFirst()
    }
  }
}
