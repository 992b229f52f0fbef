internal import Files
internal import SystemPackage

/// A clone of the file, where the file system has clones: a frozen source to copy from, or with `--reflink` the copy
/// itself.
extension HotCopy {
  /// Freezes the main file with the WAL that belongs to it (I9); returns nil when the file system has no clones.
  func freeze() throws -> LiveWAL? {
    guard options.freezes || options.keepsClone else { return nil }
    let folder = try OpenFile(database.path.folder, mode: [.directory], files: database.file.files)
    // Asked first: most file systems have none, and then the WAL is not read in vain.
    guard try makeClone(in: folder) != nil else { return nil }
    while true {
      passes += 1
      try checkPatience()
      guard let wal = try stageWAL(), try isQuiet(wal) else { continue }
      guard let clone = try makeClone(in: folder) else { return nil }
      let bytes = try clone.read(count: Int(HeaderPair.end), at: 0)
      guard try confirm(wal), bytes == state.mainBytes + state.pair.bytes else { continue }
      frozen = clone
      return wal
    }
  }

  private func makeClone(in folder: OpenFile) throws -> OpenFile? {
    let files = folder.files
    guard options.keepsClone else {
      return try files.clone(database.file.descriptor, to: nil, at: folder.descriptor, permissions: 0o600)
        .map { OpenFile(adopting: $0, path: database.path, files: files) }
    }
    try files.remove(name, at: directory)
    guard let clone = try files.clone(database.file.descriptor, to: name, at: directory, permissions: permissions)
    else { throw HotCopyError.cannotShare(database.path) }
    let file = OpenFile(adopting: clone, path: name, files: files)
    target = CopyTarget(TargetFile(adopting: file), observer: nil)
    return file
  }

  func copyFrozen(_ wal: LiveWAL) throws -> Result {
    // A clone stands still, so neither can be false.
    let isWhole = try copyDataBlocks()
    precondition(isWhole, "A clone changed.")
    if wal.hasRowGroups, !options.keepsClone { try copyBlocksOutsideUse() }
    return try finish(wal)
  }
}
