internal import Files
internal import SystemPackage

/// Copies the entries of a backup into a staging folder, hashing each byte on its way (R1).
final class RestoreCopy {
  private let staging: RestoreStaging
  private let request: RestoreRun.Request
  private let files: any FileSystem
  private let databaseChain: DirectoryChain
  private let storeChain: DirectoryChain
  private let reader: ContentsReader
  private var directories: [(path: EntryPath, permissions: UInt16, modified: Int64)] = []
  private(set) var filesCount = 0
  private(set) var sizeBytes: Int64 = 0
  /// What there is of the backup's two parts.
  private(set) var hasDatabase = false
  private(set) var hasStore = false

  init(
    to staging: RestoreStaging, _ request: RestoreRun.Request, files: any FileSystem, time: any TimeSource,
    events: EventStream
  ) throws {
    self.staging = staging
    self.request = request
    self.files = files
    databaseChain = DirectoryChain(root: staging.databaseFolder)
    storeChain = DirectoryChain(root: staging.storeFolder)
    reader = ContentsReader(fromDevice: false, files: files, time: time) { events.send(.progress(bytes: $0)) }
  }

  /// Takes one entry.
  ///
  /// Returns the hash of a file's contents.
  func take(_ entry: StoredEntry) throws -> Digest? {
    guard let (path, chain) = target(of: entry.path) else {
      // Not asked for: read all the same, for a restore in part comes from a backup that is whole.
      return entry.status.kind == .regular ? try reader.digest(of: entry) : nil
    }
    switch entry.status.kind {
    case .directory:
      _ = try chain.directory(path, makingMissing: 0o755)
      // A directory that is there already keeps what it has.
      if let line = entry.manifest, !path.isRoot {
        directories.append((path, line.permissions, line.modifiedNanoseconds))
      }
      return nil
    case .link:
      let directory = try chain.directory(holding: path, makingMissing: 0o755)
      try files.makeLink(path.name.path, at: directory, target: entry.manifest?.target ?? [])
      if let modified = entry.manifest?.modifiedNanoseconds {
        try files.setModified(path.name.path, at: directory, nanoseconds: modified)
      }
      return nil
    default:
      return try copy(entry, to: path, chain)
    }
  }

  private func copy(_ entry: StoredEntry, to path: EntryPath, _ chain: DirectoryChain) throws -> Digest {
    let source = try reader.open(entry)
    let directory = try chain.directory(holding: path, makingMissing: 0o755)
    let target = try TargetFile(
      path.name.path, at: directory, permissions: 0o600, expectedBytes: entry.status.size,
      shown: entry.name, files: files)
    var end: Int64 = 0
    let digest = try reader.digest(of: source, size: entry.status.size) { bytes, offset in
      // Zeros are left out: free blocks of a database are holes, and a copy over a network may have filled them.
      guard !Self.isZero(bytes) else { return }
      try target.write(bytes, at: offset)
      end = offset + Int64(bytes.count)
    }
    if end != entry.status.size { try target.file.truncate(to: entry.status.size) }
    // Backups are read-only and in those of the Python tool nothing says what the source was.
    try files.setPermissions(target.file.descriptor, entry.manifest?.permissions ?? (entry.status.permissions | 0o600))
    try files.setModified(
      target.file.descriptor,
      nanoseconds: entry.manifest?.modifiedNanoseconds ?? entry.status.modifiedNanoseconds)
    try target.file.close()
    filesCount += 1
    sizeBytes += entry.status.size
    return digest
  }

  /// Gives folders their times and permissions, once nothing is put into them any more.
  func finishDirectories() throws {
    for (path, permissions, modified) in directories.reversed() {
      let directory = try storeChain.directory(path)
      try files.setModified(directory, nanoseconds: modified)
      try files.setPermissions(directory, permissions)
    }
  }

  /// Where an entry goes; nil: it is not asked for.
  private func target(of path: EntryPath) -> (EntryPath, DirectoryChain)? {
    guard request.wants(path) else { return nil }
    for folder in BackupLayout.stores where path.isInside(folder) {
      guard request.part != .duckdb else { return nil }
      hasStore = true
      guard let rest = path.relative(to: folder) else { return (staging.storePath, storeChain) }
      if staging.storePath.isRoot { return (rest, storeChain) }
      let joined: EntryPath? = staging.storePath / rest
      return joined.map { ($0, storeChain) }
    }
    guard request.part != .mlflow else { return nil }
    // The database and its logs under the name that the target has for it.
    let prefix = BackupLayout.database.bytes
    guard path.bytes.starts(with: prefix) else { return (path, databaseChain) }
    hasDatabase = true
    let name = FileName(bytes: staging.databaseName.bytes + path.bytes.dropFirst(prefix.count))
    return (EntryPath.root / name, databaseChain)
  }

  private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 4096 else { return false }
    // Most blocks differ in the first word: only those that do not are looked at whole.
    guard bytes.loadUnaligned(as: UInt64.self) == 0 else { return false }
    return bytes.allSatisfy { $0 == 0 }
  }
}
