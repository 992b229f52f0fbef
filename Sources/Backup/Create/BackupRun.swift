internal import DuckDBFile
package import Files
internal import MLflow
package import Stacks
package import Store
internal import SystemPackage

// A backup exists only when it is whole. The order of writes:
//
//   B1  Everything is written below a hidden folder `.backup_….partial`, which is locked as long as its maker lives.
//   B2  The database is copied before the tracking database, and that before the artifacts: what refers is copied
//       before what it refers to, so that no id dangles.
//   B3  All files are durable (one sync of their file system, on a descriptor opened before the first write) before
//       they are read back; they are read back from the device, and compared, before `metadata.json` says "verified".
//       A file that is shared with the backup before was read back when that wrote it, and at most 30 days ago; here it
//       is seen to be there, with the size and the time that it was given then.
//   B4  `metadata.json` and the folder are durable before the rename that publishes; the rename is made durable.
//   B5  Nothing is replaced: the rename refuses an existing name.
//   B6  A backup that fails leaves nothing visible; what a killed one leaves is removed by the next run.

/// Makes one backup.
package struct BackupRun {
  /// What a run would do.
  package struct Plan: Sendable {
    package let database: String
    package let databaseBytes: Int64
    package let mlflow: String?
    package let mlflowBytes: Int64
    /// Of these, what changed since the backup that unchanged files are linked from.
    package let mlflowNewBytes: Int64
    package let mlflowFiles: Int
    package let backupDirectory: String
    package let availableBytes: UInt64

    /// What must be free, with a margin for folders and lists.
    package var neededBytes: Int64 {
      (databaseBytes + mlflowNewBytes) / 100 * 101 + Int64(mlflowFiles) * 512 + (8 << 20)
    }
  }

  let stack: Stack
  let includesMLflow: Bool
  /// Whether files that did not change since the backup before are hard-linked from it.
  let linksUnchanged: Bool
  /// Whether the database is kept as a clone that shares its storage.
  let sharesDatabase: Bool
  /// Whether the backup directory may have lost all backups that it held.
  let beginsAnew: Bool
  /// What was seen in the backup directory before; nil: nobody remembers.
  let memory: (any PlaceMemory)?
  let files: any FileSystem
  let time: any TimeSource
  let events: EventStream

  package init(
    _ stack: Stack, includesMLflow: Bool, linksUnchanged: Bool = true, sharesDatabase: Bool = false,
    beginsAnew: Bool = false, memory: (any PlaceMemory)? = nil, files: any FileSystem, time: any TimeSource,
    events: EventStream
  ) {
    self.stack = stack
    self.linksUnchanged = linksUnchanged
    self.sharesDatabase = sharesDatabase
    self.beginsAnew = beginsAnew
    self.memory = memory
    self.includesMLflow = includesMLflow
    self.files = files
    self.time = time
    self.events = events
  }

  /// Refuses a backup directory that is the MLflow directory itself: backups would become part of what is backed up.
  private func checkApart(_ store: MLflowStore) throws {
    guard store.layout == .directory,
      let backups = try OpenFile.ifPresent(stack.backupDirectory, [.directory], files: files),
      let source = try OpenFile.ifPresent(store.directory, [.directory], files: files),
      try backups.status().identity == source.status().identity
    else { return }
    throw BackupError(
      "backup-directory.in-source", .usage, "\(stack.backupDirectory.text) is the MLflow directory itself",
      remedy: "Name another directory with --backup-dir or HRP_BACKUP_DIR; one inside of it will do.")
  }

  private var place: BackupPlace { BackupPlace(stack, beginsAnew: beginsAnew, memory: memory, files: files) }

  /// Looks at everything and writes nothing.
  package func plan() throws -> Plan {
    try EnvironmentSettings.checkBackupsAreOn()
    try stack.checkOutsideOfBackups(files: files)
    guard try files.exists(stack.database) else { throw BackupError.sourceNotFound(stack.database) }
    try place.check()
    let database = try DatabaseFile(stack.database, files: files, time: time)
    let databaseBytes = try database.expectedCopyBytes()
    let store = includesMLflow ? try stack.mlflow(files: files) : nil
    if let store { try checkApart(store) }
    let tree = try store.map { try size(of: $0) } ?? (bytes: 0, newBytes: 0, files: 0)
    let wal = WALNames.wal(of: try database.walBase())
    let walBytes = try files.exists(wal) ? files.status(wal, at: nil).size : 0
    let place = try OpenFile.nearestDirectory(of: stack.backupDirectory, files: files)
    return Plan(
      database: stack.database.text,
      databaseBytes: databaseBytes + walBytes,
      mlflow: store?.directory.text, mlflowBytes: tree.bytes, mlflowNewBytes: tree.newBytes, mlflowFiles: tree.files,
      backupDirectory: stack.backupDirectory.text, availableBytes: try files.space(of: place.descriptor).availableBytes)
  }

  /// Makes the backup.
  /// - Throws: `BackupError`, `HotCopyError`, `SystemError`, `SQLiteError`, `Interruption.Stopped`.
  package func run() throws -> CreateResult {
    events.send(.began(operation: "backup create", on: stack.database.text))
    try stack.checkOutsideOfBackups(files: files)
    // A stack that is half the old and half the restored one is no stack to back up.
    try PendingRestore(RestoreTarget(stack, files: files), files: files, time: time, events: events).finish()
    let plan = try plan()
    guard UInt64(plan.neededBytes) <= plan.availableBytes else {
      throw try noSpace(plan)
    }
    events.send(.expected(bytes: 2 * (plan.databaseBytes + plan.mlflowBytes)))
    try place.make()
    let note = ThisProcess.note(program: "hrp backup create", time: time)
    let lock = try AdvisoryLock.take(.shared, .stack, on: stack.dataDirectory, note: note, files: files, time: time)
    defer { ignoringFailure { try lock.release() } }
    try BackupDirectory(stack.backupDirectory, files: files).removeDebris()
    let staging = try Staging(
      in: stack.backupDirectory, of: [stack.dataDirectory, stack.database.folder], began: time.nowNanoseconds,
      files: files)
    do {
      let result = try fill(staging, note)
      memory?.update()
      events.send(.finished(operation: "backup create", summary: "\(result.name), \(ByteCount.text(result.sizeBytes))"))
      return result
    } catch {
      // B6. The reason is the error itself; what cannot be removed now is removed by the next run.
      ignoringFailure { try staging.discard() }
      guard let full = error as? SystemError, full.errno == .noSpace || full.errno == .diskQuotaExceeded else {
        throw error
      }
      throw try noSpace(plan)
    }
  }

  private func noSpace(_ plan: Plan) throws -> BackupError {
    let place = try OpenFile.nearestDirectory(of: stack.backupDirectory, files: files)
    let target = try RestoreTarget(stack, files: files)
    return BackupError.noSpace(
      stack.backupDirectory, needed: plan.neededBytes,
      available: try files.space(of: place.descriptor).availableBytes,
      keptForUndo: forPeople { try KeptStates.bytes(of: target, on: place, files: files) } ?? 0)
  }

  private func fill(_ staging: Staging, _ note: ProcessNote) throws -> CreateResult {
    let began = time.monotonicNanoseconds
    let lists = try BackupLists(at: staging.folder.descriptor, files: files)
    let database = try copyDatabase(staging, lists)
    let (mlflow, lost) = try copyMLflow(staging, lists, note)
    let digests = try lists.close()
    events.send(.phase("making it durable"))
    try files.synchronizeTree(staging.folder)
    events.send(.phase("reading it back"))
    try readBack(staging, digests)
    let report = Report(
      staging: staging, lists: lists, digests: digests, database: database, mlflow: mlflow,
      lost: lost, durationSeconds: Double(time.monotonicNanoseconds - began) / 1e9)
    tell(report)
    try writeMetadata(report)
    try readBackMetadata(staging)
    let path = try publish(staging, note)
    return report.result(path: path)
  }

  // MARK: - Steps

  private func copyDatabase(_ staging: Staging, _ lists: BackupLists) throws -> CopiedDatabase {
    events.send(.phase("copying the database"))
    let source = try DatabaseFile(stack.database, files: files, time: time)
    let status = try source.file.status()
    let attributes = try files.attributeNames(of: source.file.descriptor).filter(FileCopy.isOfUser)
    if !attributes.isEmpty {
      let names = attributes.prefix(3).joined(separator: ", ")
      events.send(.notice("the extended attributes of \(stack.database.text) are not in the backup: \(names)"))
    }
    let digest = SequentialDigest()
    var options = HotCopy.Options()
    options.keepsClone = sharesDatabase
    let result = try DatabaseCopy.run(
      of: source, to: BackupLayout.database.name.path, at: staging.folder.descriptor,
      permissions: FileCopy.permissions(of: status), options: options, observer: digest, files: files, time: time
    ) { events.send(.progress(bytes: $0)) }
    for warning in result.warnings { events.send(.warning(warning)) }
    try add(
      BackupLayout.database, status, result.byteCount, sharesDatabase ? nil : digest.finalize(), staging, lists)
    for (path, bytes) in [(BackupLayout.wal, result.walBytes), (BackupLayout.checkpointWAL, result.checkpointWALBytes)]
    where bytes > 0 {
      try add(path, status, bytes, nil, staging, lists)
    }
    return CopiedDatabase(path: stack.database, result: result)
  }

  /// Adds a file of the database to the lists; a hash that could not be made on the way is made now.
  private func add(
    _ path: EntryPath, _ source: FileStatus, _ size: Int64, _ digest: Digest?, _ staging: Staging, _ lists: BackupLists
  ) throws {
    var digest = digest
    if digest == nil {
      let file = try OpenFile(path.name.path, at: staging.folder.descriptor, [.noFollow], files: files)
      digest = try ContentsReader(fromDevice: false, files: files, time: time).digest(of: file, size: size)
      try file.close()
    }
    try lists.add(
      ManifestLine(
        path: path, kind: .file, permissions: source.permissions,
        modifiedNanoseconds: source.modifiedNanoseconds, size: size), digest: digest)
  }

  /// - Returns: what was copied, and what should be there and is not.
  private func copyMLflow(
    _ staging: Staging, _ lists: BackupLists, _ note: ProcessNote
  ) throws -> (CopiedStore?, lost: [CreateResult.SourceNote]) {
    guard includesMLflow else { return (nil, []) }
    guard let store = try stack.mlflow(files: files) else {
      let lost = try lostStore()
      if lost == nil { events.send(.notice("there is no MLflow directory: the backup holds the database only")) }
      return (nil, lost.map { [$0] } ?? [])
    }
    events.send(.phase("copying MLflow"))
    let previous = try linksUnchanged ? previousBackup(note) : nil
    let copy = try MLflowCopy(
      store, excluding: try excluded(from: store), to: staging.folder, lists: lists, previous: previous, files: files,
      time: time
    ) { events.send(.progress(bytes: $0)) }
    try copy.copyDatabases()
    try copy.copyTree()
    if let count = previous?.damagedCount, count > 0 {
      events.send(.notice("\(count) files are copied afresh: a verification found damage in backups that share them"))
    }
    try noteOldBackups(in: store, copy)
    return (
      CopiedStore(
        store: store, notes: copy.notes, survey: copy.survey, sharedWith: copy.sharedFiles > 0 ? previous?.name : nil,
        sharedBytes: copy.sharedBytes, sharedFiles: copy.sharedFiles), try lostParts(of: store)
    )
  }

  /// The backup to link from.
  ///
  /// While it is chosen nobody rotates; afterwards its own lock keeps it.
  private func previousBackup(_ note: ProcessNote) throws -> PreviousBackup? {
    let lock = try AdvisoryLock.take(
      .shared, .backups, on: stack.backupDirectory, note: note, patience: .seconds(600),
      onWait: events.waitingForLock, files: files, time: time)
    defer { ignoringFailure { try lock.release() } }
    return try PreviousBackup.newest(in: stack.backupDirectory, files: files, time: time)
  }

  /// What never belongs to a store, though it lies in it: other parts of the stack.
  func excluded(from store: MLflowStore) throws -> Set<FileIdentity> {
    let folders = [
      stack.backupDirectory, stack.dataDirectory.appending("logs"), stack.dataDirectory.appending("scratch"),
    ]
    var identities: Set<FileIdentity> = []
    for path in folders {
      guard let status = try files.statusIfPresent(path) else { continue }
      let end = status.kind == .link ? ThisProcess.realPath(path) : nil
      identities.insert(try end.map { try files.status($0, at: nil).identity } ?? status.identity)
    }
    for name in try DatabaseFile.names(of: stack.database, files: files) {
      for path in [name, WALNames.wal(of: name), WALNames.checkpointWAL(of: name)] where try files.exists(path) {
        identities.insert(try files.status(path, at: nil).identity)
      }
    }
    let root = try OpenFile(store.directory, [.directory], files: files)
    for name in try OldBackups.find(in: root) where store.holds(name) {
      identities.insert(try files.status(name.path, at: root.descriptor).identity)
    }
    // What a restore stages or keeps where it cannot rename the store itself.
    for entry in try files.entries(of: root.descriptor) where entry.name.isOfRestore {
      identities.insert(try files.status(entry.name.path, at: root.descriptor).identity)
    }
    return identities
  }

  /// B3: from the device, and compared with what was hashed on the way.
  ///
  /// A file that is linked from the backup before was read back when it was written.
  private func readBack(_ staging: Staging, _ digests: (checksums: Digest, manifest: Digest)) throws {
    let walk = try ContentsWalk(staging.folder, written: digests)
    let check = try ContentsCheck(fromDevice: true, files: files, time: time, events: events) {
      (file, stored, reader) in
      .init(digest: try reader.digest(of: file, size: stored.status.size))
    }
    _ = try walk.run(check) { $0.status.linkCount > 1 }
    guard let first = walk.findings.first else { return }
    throw BackupError(
      "backup.read-back", .failed,
      "what was read back from the disk is not what was written: \(first.line)"
        + (walk.findings.count > 1 ? " and \(walk.findings.count - 1) more" : ""),
      remedy: "Check the disk (dmesg, smartctl -a) or name another one with --backup-dir.")
  }

  /// The metadata, too, is read from the device before the backup appears.
  private func readBackMetadata(_ staging: Staging) throws {
    let file = try OpenFile(
      BackupLayout.metadata.name.path, at: staging.folder.descriptor, [.noFollow], files: files)
    try files.dropCache(of: file.descriptor)
    guard let problem = try MetadataReader.read(file).problem else { return }
    throw BackupError(
      "backup.read-back", .failed, "what was read back of metadata.json \(problem)",
      remedy: "Check the disk (dmesg, smartctl -a) or name another one with --backup-dir.")
  }

  private func publish(_ staging: Staging, _ note: ProcessNote) throws -> FilePath {
    // Long: a rotation that deletes large backups holds this lock, and the backup is whole and verified by now.
    let lock = try AdvisoryLock.take(
      .exclusive, .backups, on: stack.backupDirectory, note: note, patience: .seconds(600),
      onWait: events.waitingForLock, files: files, time: time)
    defer { ignoringFailure { try lock.release() } }
    return try staging.publish()
  }

  // MARK: - Sizes

  private func size(of store: MLflowStore) throws -> (bytes: Int64, newBytes: Int64, files: Int) {
    var bytes: Int64 = 0
    var newBytes: Int64 = 0
    let linked =
      try linksUnchanged ? PreviousBackup.timestamp(in: stack.backupDirectory, files: files, time: time) : nil
    var count = 0
    let root = try OpenFile(store.directory, [.directory], files: files)
    let excluded = try excluded(from: store)
    try TreeWalk(files: files).walk(root) { step in
      try Interruption.check()
      switch step {
      case .directory(let entry):
        return !excluded.contains(entry.status.identity)
          && (!entry.path.parent.isRoot || store.holds(entry.path.name))
      case .entry(let entry):
        if entry.path.parent.isRoot, !store.holds(entry.path.name) { return true }
        bytes += entry.status.size
        if entry.status.changedNanoseconds > linked ?? .min { newBytes += entry.status.size }
        count += 1
      case .unreadable: break
      }
      return true
    }
    return (bytes, newBytes, count)
  }
}

/// What the hot copy of the database gave.
struct CopiedDatabase {
  let path: FilePath
  let result: HotCopy.Result
}

/// What the copy of an MLflow store gave.
struct CopiedStore {
  let store: MLflowStore
  let notes: MLflowCopy.Notes
  let survey: ArtifactScan
  /// The backup whose files are shared; nil: none are.
  let sharedWith: FileName?
  let sharedBytes: Int64
  let sharedFiles: Int
}
