public import Backup
internal import Files
private import Jobs
private import Settings
private import Stacks
public import Store
private import SystemPackage

/// Makes a backup of a stack in use.
///
/// The database is copied while other processes write to it; nothing has to be stopped. Every byte is read back from
/// the disk before the backup appears. Blocks the calling thread.
/// - Parameters:
///   - backupDirectory: where backups are; when it is nil, `HRP_BACKUP_DIR`, else `backup_dir` in the configuration,
///     else `backups/` in the data directory.
///   - includeMLflow: whether MLflow's directory is part of it.
///   - dataDirectory: the stack; when it is nil, `HRP_DATA_DIR` names it, else it is the folder of `HRP_DB_PATH`, else
///     `~/hrp-data`.
///   - events: is told of progress, notices and warnings, on the calling thread.
/// - Returns: what was made.
/// - Throws: ``BackupError``: `source.not-found`, `disk.full`, `duckdb.…`; see <doc:Errors>. A database that this
///   process itself has open is refused: closing our descriptor would drop the engine's locks.
public func createBackup(
  backupDirectory: String? = nil, includeMLflow: Bool = true, dataDirectory: String? = nil,
  events: EventStream = EventStream()
) throws(BackupError) -> CreateResult {
  let stack = try Stack.load(
    StackSettings(dataDirectory: dataDirectory, backupDirectory: backupDirectory), files: Kernel())
  let jobs = jobs(on: stack)
  return try jobs.run(.create, events: events) { events in
    try BackupRun(
      stack, includesMLflow: includeMLflow, memory: jobs.memory, files: Kernel(), time: SystemTime(), events: events
    ).run()
  }
}

/// Whether a backup is what was written: false also when it is not there or its lists are missing.
///
/// ``verificationReport(_:level:events:)`` says what is wrong. Nothing in the backup is changed; a failure is noted
/// beside it.
/// - Parameters:
///   - backupPath: the backup's directory.
///   - level: how deep the check looks; ``VerificationLevel`` says what each level sees.
/// - Returns: whether nothing is wrong, as far as the level sees.
public func verifyBackup(_ backupPath: String, level: VerificationLevel = .checksums) -> Bool {
  do {
    return try verificationReport(backupPath, level: level).isOK
  } catch {
    // What cannot be read is not what was written.
    return false
  }
}

/// Checks a backup and says everything that is wrong with it; a failure is noted beside the backup.
/// - Parameters:
///   - backupPath: the backup's directory.
///   - level: how deep the check looks; ``VerificationLevel`` says what each level sees.
///   - events: is told of progress, notices and warnings, on the calling thread.
/// - Returns: what was found; damage is a finding, not an error.
/// - Throws: ``BackupError`` `backup.not-found`, or when it cannot be read.
public func verificationReport(
  _ backupPath: String, level: VerificationLevel = .structure, events: EventStream = EventStream()
) throws(BackupError) -> VerificationReport {
  try jobs(on: Stack.load(StackSettings(), files: Kernel())).run(.verify, events: events) { events in
    try Verification(files: Kernel(), time: SystemTime(), events: events).verify(
      DirectoryBackup(Stack.absolute(backupPath), files: Kernel()), level: level, isRecorded: true)
  }
}

/// Restores a backup; a stack that is there is replaced in one step that an undo takes back.
///
/// The backup is verified on the way; nothing appears at the target before all of it is right and durable. A database
/// that any program has open is never replaced. ``undoRestore(targetDirectory:events:)`` brings back what was replaced.
/// - Parameters:
///   - backupPath: the backup's directory.
///   - targetDirectory: where the backup is restored to; when it is nil, the stack that the environment names.
///   - events: is told of progress, notices and warnings, on the calling thread.
/// - Returns: false when the backup is damaged: then nothing was restored.
/// - Throws: ``BackupError``: `backup.not-found`, `restore.database-in-use`, `restore.mlflow-in-use`,
///   `restore.incomplete` for an incomplete backup that would replace a stack, `disk.full`.
public func restoreBackup(
  _ backupPath: String, targetDirectory: String? = nil, events: EventStream = EventStream()
) throws(BackupError) -> Bool {
  do {
    let stack = try Stack.load(StackSettings(), files: Kernel())
    _ = try jobs(on: stack).run(.restore, events: events) { events in
      var request = RestoreRun.Request()
      request.surveys = true
      return try RestoreRun(
        DirectoryBackup(Stack.absolute(backupPath), files: Kernel()), to: target(targetDirectory), request: request,
        protecting: stack.protected, trash: Trash(of: stack.backupDirectory, files: Kernel(), time: SystemTime()),
        files: Kernel(), time: SystemTime(), events: events
      ).run()
    }
    return true
  } catch {
    if error.known == .verificationFailed { return false }
    throw error
  }
}

/// Brings back what the last restore replaced; called again, it takes that back too.
/// - Parameters:
///   - targetDirectory: where the restore went; when it is nil, the stack that the environment names.
///   - events: is told of progress, notices and warnings, on the calling thread.
/// - Throws: ``BackupError``: `undo.nothing`, `restore.database-in-use`.
public func undoRestore(
  targetDirectory: String? = nil, events: EventStream = EventStream()
) throws(BackupError) {
  let stack = try Stack.load(StackSettings(), files: Kernel())
  _ = try jobs(on: stack).run(.undo, finishesPending: false, events: events) { events in
    try UndoRun(
      target(targetDirectory), keptDays: stack.settings.undoDays.value, files: Kernel(), time: SystemTime(),
      events: events
    ).run()
  }
}

private func jobs(on stack: Stack) -> JobRunner { JobRunner(stack, files: Kernel(), time: SystemTime()) }

private func target(_ directory: String?) throws -> RestoreTarget {
  guard let directory else { return try RestoreTarget(Stack.load(StackSettings(), files: Kernel()), files: Kernel()) }
  return try RestoreTarget(Stack.absolute(directory), files: Kernel())
}

/// Moves backups that are older than a number of days to the trash; the newest two verified ones stay.
///
/// <doc:KeepAndDelete> says what stays whatever the rules are.
/// - Parameters:
///   - backupDirectory: where backups are; when it is nil, the place that the environment or the configuration names.
///   - keepDays: when it is nil, the rules of the configuration hold, else 30 days.
///   - events: is told of progress, notices and warnings, on the calling thread.
/// - Returns: how many were deleted; 0 for a directory that is not there.
/// - Throws: ``BackupError``: `rotation.keep-days` for less than one day, `locked`.
public func rotateBackups(
  backupDirectory: String? = nil, keepDays: Int? = nil, events: EventStream = EventStream()
) throws(BackupError) -> Int {
  let stack = try Stack.load(StackSettings(backupDirectory: backupDirectory), files: Kernel())
  do {
    return try jobs(on: stack).run(.rotate, events: events) { events in
      try Rotation(in: stack.backupDirectory, files: Kernel(), time: SystemTime(), events: events)
        .run(stack.settings.rotation(keepingDays: keepDays)).deleted.count
    }
  } catch {
    if error.known == .backupDirectoryNotFound { return 0 }
    throw error
  }
}

/// Copies a finished backup to a second place: another disk, or a mount.
///
/// Every byte is compared with the lists of the backup on its way, and read back from the place before the copy
/// appears.
/// - Parameters:
///   - backup: a name, a number of the list, `latest`, or a path.
///   - place: a name under `places:` in the configuration, or a directory.
///   - beginsAnew: whether the directory is made a place, when it is none yet.
///   - dataDirectory: the stack; when it is nil, the one that the environment names.
///   - events: is told of progress, notices and warnings, on the calling thread.
/// - Returns: the directory of the copy, absolute, in readable form.
/// - Throws: ``BackupError``: `place.…`, `backup.not-found`, `verification.failed`, `disk.full`.
public func copyBackup(
  _ backup: String, to place: String, beginsAnew: Bool = false, dataDirectory: String? = nil,
  events: EventStream = EventStream()
) throws(BackupError) -> String {
  let stack = try Stack.load(StackSettings(dataDirectory: dataDirectory), files: Kernel())
  let target = try stack.place(named: place, files: Kernel(), time: SystemTime())
  return try jobs(on: stack).copy(to: target, beginsAnew: beginsAnew, events: events) { events in
    try DirectoryBackup(
      stack.findBackup(backup, files: Kernel(), time: SystemTime(), events: events), files: Kernel())
  }.receipt.path.text
}

/// A backup as a list shows it.
public struct BackupSummary: Sendable {
  /// The name of its directory, in readable form.
  public let name: String
  /// Its directory, absolute, in readable form.
  public let path: String
  /// When it was made, in seconds since 1970 UTC; nil when nothing tells.
  public let createdAt: Double?
  /// Bytes of its files; nil when nothing tells.
  public let sizeBytes: Int64?
  /// Whether it was read back and right when it was made.
  public let isVerified: Bool
  /// Whether no source file had to be left out.
  public let isComplete: Bool
}

/// The finished backups, newest first.
/// - Parameter backupDirectory: where backups are; when it is nil, the place that the environment or the configuration
///   names.
/// - Returns: what a list shows of each.
/// - Throws: ``BackupError`` `backup-directory.not-found`.
public func listBackups(backupDirectory: String? = nil) throws(BackupError) -> [BackupSummary] {
  let directory = try Stack.load(StackSettings(backupDirectory: backupDirectory), files: Kernel()).backupDirectory
  return try typed("listing backups") {
    try BackupDirectory(directory, files: Kernel()).list().map { backup in
      BackupSummary(
        name: ByteText.escaped(backup.name.bytes), path: backup.path.text,
        createdAt: backup.timestamp.map { Double($0) / 1e9 }, sizeBytes: backup.metadata?.sizeBytes,
        isVerified: backup.metadata?.verified ?? false, isComplete: backup.metadata?.complete ?? true)
    }
  }
}

/// Runs the body and gives its error the one type of this library.
private func typed<Result>(_ what: String, body: () throws -> Result) throws(BackupError) -> Result {
  do {
    return try body()
  } catch {
    throw BackupError(error, doing: what)
  }
}
