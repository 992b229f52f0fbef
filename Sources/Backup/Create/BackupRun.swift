internal import DuckDBFile
package import Files
internal import MLflow
package import Stacks
package import Store
internal import SystemPackage

// A backup exists only when it is whole. The order of writes:
//
//   B1  Everything is written below a hidden folder `.backup_….partial`, which is locked as long as its maker lives.
//   B2  The database is copied before the tracking database, and that before the artifacts. So whatever an id refers to
//       is copied after the id, and no id in the backup dangles.
//   B3  All files are durable (one sync of their file system, on a descriptor opened before the first write) before
//       they are read back from the device. Each was given a quick hash while it was written: what is read back must
//       have the same one, and its SHA-256 is made of what was read. So `checksums.txt` says what the disk gave back,
//       not what it was given. Example: a disk that loses one sector of a model gives a backup that fails, never one
//       whose list calls the loss right. The lists are written after that, made durable, read back and compared, before
//       `metadata.json` says "verified".
//       A file whose stored copy we linked from the backup before was read back when that was written, at most 30 days
//       ago; when it is linked it must have the size and the time that it was given then.
//   B4  `metadata.json` and the folder are durable before the rename that publishes; the rename is made durable.
//   B5  Nothing is replaced: the rename refuses an existing name.
//   B6  A backup that fails leaves nothing visible. What a killed one leaves is removed by the next run.

/// Makes one backup.
package struct BackupRun {
  /// What a run would do.
  package struct Plan: Sendable {
    package let database: String
    package let databaseBytes: Int64
    package let mlflow: String?
    package let mlflowBytes: Int64
    /// The bytes among these that changed since the backup that unchanged files are hard-linked from.
    package let mlflowNewBytes: Int64
    package let mlflowFiles: Int
    package let backupDirectory: String
    /// What is free on the disk, and what would be when the trash is emptied.
    package let availableBytes: UInt64
    package fileprivate(set) var trashBytes: Int64

    /// Whether there is room, or would be without the trash.
    package var fits: Bool { UInt64(neededBytes) <= availableBytes + UInt64(trashBytes) }

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
  /// What was seen in the backup directory before; nil when nothing is remembered.
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
      let backups = try OpenFile.ifPresent(stack.backupDirectory, mode: [.directory], files: files),
      let source = try OpenFile.ifPresent(store.directory, mode: [.directory], files: files),
      try backups.status().identity == source.status().identity
    else { return }
    throw BackupError(
      "backup-directory.in-source", kind: .usage,
      message: "\(stack.backupDirectory.text) is the MLflow directory itself",
      remedy: "Name another directory with --backup-dir or HRP_BACKUP_DIR; a directory inside of it is fine.")
  }

  private var place: BackupPlace { BackupPlace(stack, beginsAnew: beginsAnew, memory: memory, files: files) }

  /// Looks at everything and writes nothing.
  package func plan() throws -> Plan {
    try stack.checkBackupsAreOn()
    try stack.checkOutsideOfBackups(files: files)
    guard try files.exists(stack.database) else { throw BackupError.sourceNotFound(stack.database) }
    try place.check()
    let database = try DatabaseFile(stack.database, files: files, time: time)
    let databaseBytes = try database.expectedCopyBytes()
    let store = includesMLflow ? try stack.mlflow(files: files) : nil
    if let store { try checkApart(store) }
    let tree = try store.map { try source($0).size(changedAfter: linkedSince()) } ?? (bytes: 0, newBytes: 0, files: 0)
    let wal = WALNames.wal(of: try database.walBase())
    let walBytes = try files.exists(wal) ? files.status(wal, at: nil).size : 0
    let place = try OpenFile.nearestDirectory(of: stack.backupDirectory, files: files)
    var plan = Plan(
      database: stack.database.text,
      databaseBytes: databaseBytes + walBytes,
      mlflow: store?.directory.text, mlflowBytes: tree.bytes, mlflowNewBytes: tree.newBytes, mlflowFiles: tree.files,
      backupDirectory: stack.backupDirectory.text, availableBytes: try files.space(of: place.descriptor).availableBytes,
      trashBytes: 0)
    // Only who needs the space asks what the trash could give; one that cannot be read gives none.
    if !plan.fits { plan.trashBytes = forPeople { try trash.bytesToFree() } ?? 0 }
    return plan
  }

  var trash: Trash { Trash(of: stack.backupDirectory, files: files, time: time) }

  /// Makes the backup.
  /// - Throws: `BackupError`, `HotCopyError`, `SystemError`, `SQLiteError`, `Interruption.Stopped`.
  package func run() throws -> CreateResult {
    events.send(.began(operation: "backup create", on: stack.database.text))
    try stack.checkOutsideOfBackups(files: files)
    // A stack that is half old and half restored must not be backed up: an interrupted restore is finished first.
    try PendingRestore(RestoreTarget(stack, files: files), files: files, time: time, events: events).finish()
    let plan = try plan()
    guard plan.fits else { throw try noSpace(plan) }
    events.send(.expected(bytes: 2 * (plan.databaseBytes + plan.mlflowBytes)))
    try place.make()
    let note = ThisProcess.note(program: "hrp backup create", time: time)
    let lock = try AdvisoryLock.take(.shared, of: .stack, on: stack.dataDirectory, note: note, files: files, time: time)
    defer { ignoringFailure { try lock.release() } }
    try BackupDirectory(stack.backupDirectory, files: files).removeDebris()
    try makeRoom(for: plan)
    let staging = try Staging(
      in: stack.backupDirectory, of: [stack.dataDirectory, stack.database.folder], began: time.nowNanoseconds,
      files: files)
    do {
      let result = try fill(staging, note: note)
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

  private func fill(_ staging: Staging, note: ProcessNote) throws -> CreateResult {
    let began = time.monotonicNanoseconds
    let writer = try DirectoryWriter(staging, files: files, time: time) { events.send(.progress(bytes: $0)) }
    let database = try copyDatabase(to: writer)
    let (mlflow, lost) = try copyMLflow(to: writer, note)
    let contents = try writer.finish(events: events)
    let report = Report(
      staging: staging, contents: contents, database: database, mlflow: mlflow,
      lost: lost, durationSeconds: Double(time.monotonicNanoseconds - began) / 1e9)
    tell(report)
    try writer.seal(WrittenMetadata(report, of: stack))
    let path = try publish(staging, note: note)
    return report.result(path: path)
  }

  private func copyDatabase(to writer: DirectoryWriter) throws -> CopiedDatabase {
    events.send(.phase("copying the database"))
    let source = try DatabaseFile(stack.database, files: files, time: time)
    let status = try source.file.status()
    let attributes = try files.attributeNames(of: source.file.descriptor).filter(FileCopy.isOfUser)
    if !attributes.isEmpty {
      let names = attributes.prefix(3).joined(separator: ", ")
      events.send(.notice("the extended attributes of \(stack.database.text) are not in the backup: \(names)"))
    }
    let hash = SequentialHash()
    var options = HotCopy.Options()
    options.keepsClone = sharesDatabase
    let place = try writer.place(of: BackupLayout.database)
    let result = try DatabaseCopy.run(
      of: source, to: place.name, at: place.directory, permissions: FileCopy.permissions(of: status),
      options: options, observer: hash, files: files, time: time
    ) { events.send(.progress(bytes: $0)) }
    for warning in result.warnings { events.send(.warning(warning)) }
    // There is no hash of a clone, nor of a file with a block that was written twice: both are read.
    try writer.take(BackupLayout.database, from: status, quick: sharesDatabase ? nil : hash.finalize())
    if result.walBytes > 0 { try writer.take(BackupLayout.wal, from: status) }
    if result.checkpointWALBytes > 0 { try writer.take(BackupLayout.checkpointWAL, from: status) }
    return CopiedDatabase(path: stack.database, result: result)
  }

  private func publish(_ staging: Staging, note: ProcessNote) throws -> FilePath {
    // The wait is long, since a rotation that deletes large backups has this lock; our backup is verified by now.
    try whileBackupsAreLocked(.exclusive, note: note) { try staging.publish() }
  }

  /// Runs the body while nobody moves a backup in or out (exclusive), or deletes one (shared).
  func whileBackupsAreLocked<Result>(_ kind: LockKind, note: ProcessNote, body: () throws -> Result) throws -> Result {
    try AdvisoryLock.whileHeld(
      kind, of: .backups, on: stack.backupDirectory, note: note, patience: .seconds(600),
      onWait: events.waitingForLock, files: files, time: time, body: body)
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
  let notes: MLflowSource.Notes
  let scan: ArtifactScan
  /// The backup whose files are shared by hard links; nil when no files are shared.
  let sharedWith: FileName?
  let sharedBytes: Int64
  let sharedFiles: Int
}
