package import Files
internal import MLflow
package import Stacks
package import Store
package import SystemPackage

// A restore. The order of writes:
//
//   R1  Everything is staged below hidden, locked folders on the file systems that it goes to, and each byte is hashed
//       on its way: what does not match its checksum stops the restore before anything is visible.
//   R2  What was staged is durable before the first rename.
//   R3  A target that did not exist appears in one rename, whole. In one that exists, names change places under a
//       journal: W1 to W6 at the head of `Swap.swift`.
//   R4  Nothing is lost: what is replaced is kept, and `UndoRun` brings it back.
//   R5  A database that any process has open is not replaced, whatever the options are, and no process is ended for it.
//       A program that has the database open that was there before counts too, as far as `FormerHolders` sees it: when
//       it closes, DuckDB removes the WAL by its name, and that would be the restored one.
//       Example: an idle notebook has `hrp.duckdb` open. The restore ends with exit code 11 and names the notebook's
//       process, also with `--force`.

/// What a restore did.
public struct RestoreResult: Sendable {
  /// The backup's directory, absolute, in readable form.
  public let path: String
  /// The directory that was restored to, absolute, in readable form.
  public let target: String
  /// What was restored, in the backup's names: "hrp.duckdb", "mlruns/".
  public let restored: [String]
  /// How many files were restored.
  public let filesCount: Int
  /// Bytes of the restored files.
  public let sizeBytes: Int64
  /// The folder with what was replaced, which `hrp backup undo` brings back; nil when nothing was replaced.
  public let undoPath: String?
  /// The differences between the target and the backup; nil when the target held nothing, or could not be compared.
  public let losses: Losses?
  /// Locations in MLflow's records that name the new place now.
  public let relocated: [Relocated]
  /// Locations in MLflow's records that name what did not come with the backup; they are as they were.
  public let left: Int
  /// Parameters, tags and datasets of the user's that mention the old place; they are as they were.
  public let mentioned: Int

  /// Records of one kind whose locations were rewritten.
  public struct Relocated: Sendable, Equatable, Encodable {
    /// Where they are: "mlflow.db: runs.artifact_uri".
    public let place: String
    /// How many.
    public let count: Int
  }
}

/// Restores one backup.
package struct RestoreRun {
  /// What is asked for.
  package struct Request: Sendable {
    /// The part to restore; nil when both parts are restored.
    package var part: StackPart?
    /// Paths in the backup: only what lies in them is restored; everything is restored when there are none.
    package var includes: [EntryPath] = []
    /// Goes on beside open files of MLflow, and for a database that cannot be opened.
    package var isForced = false
    /// Replaces what is there although the backup is incomplete.
    package var takesIncomplete = false
    /// How long a holder of the database is waited for.
    package var wait = Duration.zero
    /// Rewrites MLflow's locations for the new place.
    package var relocates = true
    package var isDryRun = false
    /// Compares with what is at the target, and writes a report there.
    package var surveys = false

    package init(part: StackPart? = nil) { self.part = part }

    func wants(_ path: EntryPath) -> Bool {
      includes.isEmpty
        || includes.contains { path.isInside($0) || $0.isInside(path) || Self.areOneDatabase($0, path) }
    }

    /// Whether a path is wanted and belongs to the part that was asked for.
    func takes(_ path: EntryPath) -> Bool { wants(path) && canTake(path) }

    /// Whether what is asked for can lie in a path at all.
    func canTake(_ path: EntryPath) -> Bool { part == nil || part == BackupLayout.part(of: path) }

    /// A database and its WALs belong together.
    private static func areOneDatabase(_ paths: EntryPath...) -> Bool {
      paths.allSatisfy { [BackupLayout.database, BackupLayout.wal, BackupLayout.checkpointWAL].contains($0) }
    }
  }

  let backup: any StoredBackup
  let target: RestoreTarget
  private(set) var request: Request
  /// The part that was asked for; with it, a part that a damaged backup has lost is not taken for one it never had.
  private(set) var asked: StackPart?
  /// Directories inside the stack's directories that are no part of it: backups, logs, scratch.
  private(set) var protecting: [FilePath]
  /// Deleted backups, which go for good when the restore needs their space; nil when none may go.
  private let trash: Trash?
  let files: any FileSystem
  let time: any TimeSource
  let events: EventStream

  /// - Parameter protecting: directories that are never moved, though they lie in the store's.
  package init(
    _ backup: any StoredBackup, to target: RestoreTarget, request: Request = Request(), protecting: [FilePath] = [],
    trash: Trash? = nil, files: any FileSystem, time: any TimeSource, events: EventStream
  ) {
    self.trash = trash
    self.backup = backup
    self.target = target
    self.request = request
    self.protecting = (protecting + [backup.place]).map(RealPath.ofWhatExists)
    self.files = files
    self.time = time
    self.events = events
  }

  /// Restores, or with `isDryRun` only checks that it could.
  /// - Throws: `Damaged`, `BackupError`, `SystemError`, `Interruption.Stopped`.
  package func run() throws -> RestoreResult {
    events.send(.began(operation: "backup restore", on: "\(backup.place.text) to \(target.directory.text)"))
    try PendingRestore(target, files: files, time: time, events: events).finish()
    var run = self
    run.asked = request.part
    run.request.part = try partOfBackup()
    run.protecting += try oldBackups()
    return try run.restore()
  }

  private func restore() throws -> RestoreResult {
    let walk = try ContentsWalk(backup)
    let store = store(walk.metadata)
    try checkRequest(store)
    // From here on no backup of the stack begins. Where there is no database yet, nobody can begin one: such a place is
    // locked when it is published.
    if request.isDryRun {
      try AdvisoryLock.check(
        .exclusive, of: .stack, on: target.directory, grace: Self.lookGrace, files: files, time: time)
    }
    var lock = try !request.isDryRun && files.exists(target.database) ? takeLock() : nil
    defer { ignoringFailure { try lock?.release() } }
    let space = RestoreSpace(
      target, store: store, request: request, trash: trash, files: files, time: time, events: events)
    events.send(.expected(bytes: try space.check(backup)))
    try warn(of: walk.metadata)
    let before = ReadinessWatch(target, files: files, time: time).readiness()
    let losses = try survey(walk.metadata)
    try request.waiting(time, events: events) { try checkHolders(store) }
    if request.isDryRun {
      try PathRights.checkWritable(OpenFile.nearestDirectory(of: target.directory, files: files).path)
      try SwapProbe.foresee(outgoing(store), files: files)
      return try dryRun(walk, losses: losses)
    }
    let staging = try RestoreStaging(for: target, store: store, files: files)
    do {
      let copy = try RestoreCopy(
        to: staging, RestoreNames(store, in: backup), request: request, files: files, time: time, events: events)
      try fill(copy, walk: walk)
      tell(leftOut: copy.leftOut)
      let relocated = try relocate(staging, store: store, metadata: walk.metadata)
      events.send(.phase("making it durable"))
      try staging.synchronize()
      lock = try lock ?? takeLock()
      let result = try publish(staging, copy: copy, metadata: walk.metadata, relocation: relocated, losses: losses) {
        try checkOpen(store)
      }
      writeReport(result, before: before)
      return result
    } catch {
      // What cannot be removed now is hidden, and its lock is free: the next restore to this place removes it. Once it
      // is committed, it belongs to the swap (W1).
      if !staging.isCommitted { ignoringFailure { try staging.discard() } }
      throw error
    }
  }

  /// MLflow's records name the place that they go to.
  private func relocate(
    _ staging: RestoreStaging, store: RestoreTarget.Store, metadata: BackupMetadata?
  ) throws -> StoreRelocation.Result {
    guard request.relocates, request.part != .duckdb else { return StoreRelocation.Result() }
    let result = try RestoreRelocation(of: metadata, store: target.storeName(of: metadata), in: staging).run()
    let count = result.rewritten.reduce(0) { $0 + $1.count }
    if count > 0 {
      events.send(.notice("\(count) locations in MLflow's records name \(target.storeName(of: metadata).text) now"))
    }
    if result.left > 0 {
      events.send(
        .warning(
          "\(result.left) locations in MLflow's records name \(metadata?.sourceDirectory ?? "the old place") outside "
            + "of the MLflow directory: what they name is in no backup, and they were not changed"))
    }
    if result.mentioned > 0 {
      events.send(
        .notice(
          "\(result.mentioned) of your parameters, tags or datasets mention the old place; they were not changed"))
    }
    return result
  }

  private func publish(
    _ staging: RestoreStaging, copy: RestoreCopy, metadata: BackupMetadata?, relocation: StoreRelocation.Result,
    losses: Losses?, check: () throws -> Void
  ) throws -> RestoreResult {
    events.send(.phase("putting it in place"))
    let timestamp = LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset
    let programs = programsAside(metadata)
    let undo = try staging.publish(
      request, backup: backup.place, protecting: protecting, at: timestamp,
      permissions: staging.isNewTarget ? permissionsOfNewTarget() : 0o755, time: time, events: events, check: check)
    programs.warn(events)
    events.send(
      .finished(operation: "backup restore", summary: "\(copy.filesCount) files to \(target.directory.text)"))
    return RestoreResult(
      path: backup.place.text, target: target.directory.text,
      restored: (copy.hasDatabase ? ["hrp.duckdb"] : []) + (copy.hasStore ? ["mlruns/"] : []),
      filesCount: copy.filesCount, sizeBytes: copy.sizeBytes, undoPath: undo, losses: losses,
      relocated: relocation.rewritten.map { RestoreResult.Relocated(place: $0.place, count: $0.count) },
      left: relocation.left, mentioned: relocation.mentioned)
  }

  /// R1.
  private func fill(_ copy: RestoreCopy, walk: ContentsWalk) throws {
    events.send(.phase("restoring"))
    try walk.run { try copy.take($0) }
    try judge(walk)
    if let notice = walk.litter.notice { events.send(.notice(notice)) }
    try copy.finishDirectories()
  }

  private func dryRun(_ walk: ContentsWalk, losses: Losses?) throws -> RestoreResult {
    events.send(.phase("verifying"))
    let reader = ContentsReader(time: time) { events.send(.progress(bytes: $0)) }
    var count = 0
    var bytes: Int64 = 0
    try walk.run { entry in
      guard entry.status.kind == .regular else { return nil }
      if request.takes(entry.path) {
        count += 1
        bytes += entry.status.size
      }
      return try reader.digest(of: entry)
    }
    try judge(walk)
    if let notice = walk.litter.notice { events.send(.notice(notice)) }
    return RestoreResult(
      path: backup.place.text, target: target.directory.text, restored: [], filesCount: count, sizeBytes: bytes,
      undoPath: nil, losses: losses, relocated: [], left: 0, mentioned: 0)
  }

  /// Judges what was asked for; what is wrong with the rest is named.
  /// - Throws: `Damaged`.
  private func judge(_ walk: ContentsWalk) throws {
    let report = report(walk)
    guard report.findings(of: asked).isEmpty else { throw damaged(report) }
    for finding in report.findings.prefix(5) {
      events.send(.warning("the backup is damaged in what is not restored: \(finding.line)"))
    }
    guard report.findings.count > 5 else { return }
    events.send(.warning("and \(report.findings.count - 5) more: hrp backup verify says everything"))
  }

  private func report(_ walk: ContentsWalk) -> VerificationReport {
    VerificationReport(
      path: backup.place.text, level: .checksums, filesChecked: walk.filesListed, findings: walk.findings, notices: [])
  }

  private func writeReport(_ result: RestoreResult, before: StackReadiness) {
    // Where nothing was, there is nothing to record.
    guard request.surveys, result.losses != nil else { return }
    do {
      let after = ReadinessWatch(target, files: files, time: time).readiness()
      try RestoreReport(
        result: result, timestamp: LocalTime(nanoseconds: time.nowNanoseconds),
        answersBefore: ReadinessRecord(before), answersAfter: ReadinessRecord(after)
      ).write(in: target.directory, files: files)
    } catch {
      events.send(.warning("the report of this restore could not be written: \(error)"))
    }
  }
}
