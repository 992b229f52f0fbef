internal import DuckDBFile
internal import Files
internal import MLflow
internal import Stacks
internal import Store
internal import SystemPackage

/// From an MLflow store into a backup: the databases first (B2), then the tree.
extension BackupRun {
  /// - Returns: what was copied, and what should be there and is not.
  func copyMLflow(
    to writer: DirectoryWriter, _ note: ProcessNote
  ) throws -> (CopiedStore?, lost: [CreateResult.SourceNote]) {
    guard includesMLflow else { return (nil, []) }
    guard let store = try stack.mlflow(files: files) else {
      let lost = try lostStore()
      if lost == nil { events.send(.notice("there is no MLflow directory: the backup holds the database only")) }
      return (nil, lost.map { [$0] } ?? [])
    }
    events.send(.phase("copying MLflow"))
    let previous = try linksUnchanged ? previousBackup(note) : nil
    writer.previous = previous
    let source = try source(store)
    try copyDatabases(of: source, to: writer)
    try copyTree(of: source, to: writer)
    if let count = previous?.damagedCount, count > 0 {
      events.send(.notice("\(count) files are copied afresh: a verification found damage in backups that share them"))
    }
    try noteOldBackups(in: source)
    let copied = CopiedStore(
      store: store, notes: source.notes, scan: source.scan,
      sharedWith: writer.sharedFiles > 0 ? previous?.name : nil, sharedBytes: writer.sharedBytes,
      sharedFiles: writer.sharedFiles)
    return (copied, try lostParts(of: store))
  }

  /// The store as a source, without the other parts of the stack that lie in it.
  func source(_ store: MLflowStore) throws -> MLflowSource {
    try MLflowSource(store, excluding: excluded(from: store), files: files)
  }

  private func copyDatabases(of source: MLflowSource, to writer: DirectoryWriter) throws {
    for (name, status) in try source.databases() {
      let path = BackupLayout.mlflow / name
      let place = try writer.place(of: path)
      guard source.copyDatabase(name, to: place.path) else {
        try writer.clear(path)
        continue
      }
      // SQLite has closed it, so from here on it is an ordinary file.
      let file = try OpenFile(place.name, at: place.directory, mode: [.noFollow], displayPath: place.path, files: files)
      try files.setPermissions(file.descriptor, to: FileCopy.permissions(of: status))
      try file.close()
      try writer.take(path, from: status)
    }
  }

  private func copyTree(of source: MLflowSource, to writer: DirectoryWriter) throws {
    try writer.addDirectory(BackupLayout.mlflow, from: source.root.status())
    try source.walk { entry in
      switch entry {
      case .directory(let entry, let path): try writer.addDirectory(path, from: entry.status)
      case .symlink(let entry, let path, let target): try writer.addSymlink(path, to: target, from: entry.status)
      case .file(let entry, let path, let isMeta):
        try copyFile(entry, to: path, isMeta: isMeta, source: source, writer: writer)
      }
    }
    source.noteRest()
  }

  private func copyFile(
    _ entry: TreeEntry, to path: EntryPath, isMeta: Bool, source: MLflowSource, writer: DirectoryWriter
  ) throws {
    let outcome: DirectoryWriter.FileOutcome
    do {
      outcome = try writer.addFile(path, from: entry, keepsHead: isMeta)
    } catch let failure as FileCopy.Unreadable {
      return source.note(unread: FilePath(bytes: entry.path.bytes), "\(failure.error.errno)")
    }
    switch outcome {
    case .gone: break
    case .notAFile:
      source.note(unread: FilePath(bytes: entry.path.bytes), "it became something else while it was read")
    case .copied(let copied):
      if copied.isUnstable { source.note(unstable: entry.path) }
      if isMeta { source.noteMeta(entry, head: copied.head) }
      source.note(attributesCount: Int64(copied.attributes.count), names: copied.attributes, of: entry.path)
    case .linked(let stored):
      if isMeta { source.noteMeta(entry, head: nil) }
      source.note(attributesCount: stored.line.attributesCount, of: entry.path)
    }
  }

  /// The backup to link from.
  ///
  /// No rotation runs while it is chosen; afterwards its own lock protects it.
  private func previousBackup(_ note: ProcessNote) throws -> PreviousBackup? {
    try whileBackupsAreLocked(.shared, note: note) {
      try PreviousBackup.newest(in: stack.backupDirectory, files: files, time: time)
    }
  }

  /// When the backup that files will be hard-linked from was made, as an estimate; nil when there is none.
  func linkedSince() throws -> Int64? {
    try linksUnchanged ? PreviousBackup.timestamp(in: stack.backupDirectory, files: files, time: time) : nil
  }

  /// What never belongs to a store, though it lies in it: other parts of the stack.
  func excluded(from store: MLflowStore) throws -> Set<FileIdentity> {
    let folders = [
      stack.backupDirectory, stack.dataDirectory.appending("logs"), stack.dataDirectory.appending("scratch"),
    ]
    var identities: Set<FileIdentity> = []
    for path in folders {
      guard let status = try files.statusIfPresent(path) else { continue }
      let end = status.kind == .link ? RealPath.of(path) : nil
      identities.insert(try end.map { try files.status($0, at: nil).identity } ?? status.identity)
    }
    for name in try DatabaseFile.names(of: stack.database, files: files) {
      for path in [name, WALNames.wal(of: name), WALNames.checkpointWAL(of: name)] where try files.exists(path) {
        identities.insert(try files.status(path, at: nil).identity)
      }
    }
    let root = try OpenFile(store.directory, mode: [.directory], files: files)
    for name in try OldBackups.find(in: root) where store.holds(name) {
      identities.insert(try files.status(name.path, at: root.descriptor).identity)
    }
    // What a restore stages or keeps where it cannot rename the store itself.
    for entry in try files.entries(of: root.descriptor) where entry.name.isOfRestore {
      identities.insert(try files.status(entry.name.path, at: root.descriptor).identity)
    }
    return identities
  }
}
