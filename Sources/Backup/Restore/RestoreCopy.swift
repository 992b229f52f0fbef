internal import Files
internal import Stacks
internal import Store
internal import SystemPackage

/// Copies the entries of a backup into a staging folder, hashing each byte on its way (R1).
final class RestoreCopy {
  private let staging: RestoreStaging
  private let request: RestoreRun.Request
  private let files: any FileSystem
  private let databaseChain: DirectoryChain
  private let storeChain: DirectoryChain
  private let names: RestoreNames
  private let reader: ContentsReader
  private var directories: [(path: EntryPath, permissions: UInt16?, modified: Int64?)] = []
  private(set) var filesCount = 0
  private(set) var sizeBytes: Int64 = 0
  /// Which of the two parts the backup has.
  private(set) var hasDatabase = false
  private(set) var hasStore = false
  /// Names at the top of the backup and of its store that are not restored, as paths in the backup.
  private(set) var leftOut: Set<EntryPath> = []

  init(
    to staging: RestoreStaging, _ names: RestoreNames, request: RestoreRun.Request, files: any FileSystem,
    time: any TimeSource,
    events: EventStream
  ) throws {
    self.staging = staging
    self.names = names
    self.request = request
    self.files = files
    databaseChain = DirectoryChain(root: staging.databaseFolder)
    storeChain = DirectoryChain(root: staging.storeFolder)
    reader = ContentsReader(time: time) { events.send(.progress(bytes: $0)) }
  }

  /// Takes one entry.
  ///
  /// Returns the hash of a file's contents.
  func take(_ entry: StoredEntry) throws -> Digest? {
    guard let place = place(of: entry.path) else {
      // It was not asked for, but it is read too: a partial restore also checks the whole backup.
      return entry.status.kind == .regular ? try reader.digest(of: entry) : nil
    }
    let path = place.path
    switch entry.status.kind {
    case .directory:
      let directory = try chain(place).directory(path, makingMissing: 0o700)
      if !path.isRoot {
        try files.give(directory, to: owner(place))
        directories.append((path, entry.manifest?.permissions, entry.manifest?.modifiedNanoseconds))
      }
      return nil
    case .link:
      let directory = try chain(place).directory(holding: path, makingMissing: 0o700)
      try files.makeLink(path.name.path, at: directory, target: entry.manifest?.target ?? [])
      try files.give(path.name.path, at: directory, to: owner(place))
      if let modified = entry.manifest?.modifiedNanoseconds {
        try files.setModified(path.name.path, at: directory, nanoseconds: modified)
      }
      return nil
    default:
      return try copy(entry, to: place)
    }
  }

  private func copy(_ entry: StoredEntry, to place: Place) throws -> Digest {
    let source = try entry.open()
    let path = place.path
    let directory = try chain(place).directory(holding: path, makingMissing: 0o700)
    let target = try TargetFile(
      path.name.path, at: directory, permissions: 0o600, expectedBytes: entry.status.size,
      displayPath: entry.path.name.path, files: files)
    var end: Int64 = 0
    let digest = try reader.digest(of: source, size: entry.status.size) { bytes, offset in
      // Zeros are left out: free blocks of a database are holes, and a copy over a network may have filled them.
      guard !bytes.isZero else { return }
      try target.write(bytes, at: offset)
      end = offset + Int64(bytes.count)
    }
    if end != entry.status.size { try target.file.truncate(to: entry.status.size) }
    try files.give(target.file.descriptor, to: owner(place))
    // Stored files are read-only, and backups of the Python tool do not say which permissions the source had. Bits that
    // let a program run with its owner's rights are never restored.
    let permissions = entry.manifest?.permissions ?? (entry.status.permissions | 0o600)
    // The swap and its undo open the database for writing.
    try files.setPermissions(target.file.descriptor, to: permissions & 0o777 | (place.inStore ? 0 : 0o600))
    try files.setModified(
      target.file.descriptor,
      nanoseconds: entry.manifest?.modifiedNanoseconds ?? entry.status.modifiedNanoseconds)
    try target.file.close()
    filesCount += 1
    sizeBytes = sizeBytes.addingClamped(entry.status.size)
    return digest
  }

  /// Gives folders their times and permissions, once nothing is put into them any more.
  ///
  /// A folder keeps its setgid and sticky bits, which give nobody more rights. A folder at the top stays writable for
  /// its owner, because the swap may have to rename it.
  func finishDirectories() throws {
    for (path, permissions, modified) in directories.reversed() {
      let directory = try storeChain.directory(path)
      if let modified { try files.setModified(directory, nanoseconds: modified) }
      let kept = (permissions ?? 0o755) & 0o3777
      try files.setPermissions(directory, to: path.depth == 1 ? kept | 0o700 : kept)
    }
  }

  /// Where an entry goes: to the database's part or to the store's, and to which path there.
  private struct Place {
    let path: EntryPath
    let inStore: Bool
  }

  private func chain(_ place: Place) -> DirectoryChain { place.inStore ? storeChain : databaseChain }

  private func owner(_ place: Place) throws -> FileOwner {
    try staging.owner(of: place.path, inStore: place.inStore)
  }

  /// Where an entry goes; nil when it was not asked for, or is never restored.
  private func place(of path: EntryPath) -> Place? {
    guard request.wants(path) else { return nil }
    for folder in BackupLayout.stores where path.isInside(folder) {
      guard request.part != .duckdb else { return nil }
      hasStore = true
      guard let rest = path.relative(to: folder) else { return Place(path: staging.storePath, inStore: true) }
      guard let place = names.place(of: rest) else {
        leftOut.insert(folder / rest.components[0])
        return nil
      }
      if staging.storePath.isRoot { return Place(path: place, inStore: true) }
      let joined: EntryPath? = staging.storePath / place
      return joined.map { Place(path: $0, inStore: true) }
    }
    guard request.part != .mlflow else { return nil }
    // The database and its WALs get the name that the database has at the target.
    let prefix = BackupLayout.database.bytes
    for suffix in RestoreNames.databaseSuffixes where path.bytes.elementsEqual(prefix + Array(suffix.utf8)) {
      hasDatabase = true
      let name = FileName(bytes: staging.databaseName.bytes + Array(suffix.utf8))
      return Place(path: EntryPath.root / name, inStore: false)
    }
    leftOut.insert(EntryPath.root / path.components[0])
    return nil
  }
}
