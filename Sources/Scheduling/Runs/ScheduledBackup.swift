internal import Backup
package import Files
package import Jobs
package import Settings
package import Stacks
package import Store
internal import SystemPackage

/// What a scheduled run does: it makes a backup, verifies it, drills it when a drill is due, rotates, and copies it to
/// the second places.
///
/// When a step fails and the run is tried again, the steps that were done are not repeated.
package final class ScheduledBackup {
  /// How a run ended.
  package struct Outcome: Sendable {
    package var state: SlotRecord.State
    /// The code of its error; nil when it did not fail.
    package var code: String?
    package var message: String
    /// The name of its backup; nil when none was made.
    package var backup: String?
    /// Bytes of the backup.
    package var sizeBytes: Int64?
    /// Whether the process of the job told of its end itself.
    package var isTold = true

    package init(
      state: SlotRecord.State, code: String? = nil, message: String, backup: String? = nil, sizeBytes: Int64? = nil
    ) {
      self.state = state
      self.code = code
      self.message = message
      self.backup = backup
      self.sizeBytes = sizeBytes
    }

    /// How a run ended that an error stopped.
    package init(_ error: BackupError, state: SlotRecord.State = .failed) {
      self.init(state: state, code: error.code, message: error.message)
    }
  }

  private let stack: Stack
  private let job: JobSettings
  private let rotation: RetentionSettings
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  /// The backup of this run, once it is made.
  private(set) var made: CreateResult?
  private var isVerified = false
  private var isDrilled = false
  /// What the rotation did, as a clause; nil when nothing is to be told.
  private var rotated: String??
  private var copied: [String] = []

  package init(
    _ job: JobSettings, of stack: Stack, rotation: RetentionSettings, files: any FileSystem, time: any TimeSource,
    events: EventStream
  ) {
    self.stack = stack
    self.job = job
    self.rotation = rotation
    self.files = files
    self.time = time
    self.events = events
  }

  private var jobs: JobRunner { JobRunner(stack, files: files, time: time) }

  /// Runs the job once, or what is left of it.
  /// - Parameter clockJumped: whether something is dated after now: then nothing is rotated.
  /// - Throws: `BackupError` of the first step that failed.
  package func run(clockJumped: Bool) throws(BackupError) -> Outcome {
    let result: CreateResult
    if let made { result = made } else { result = try create() }
    made = result
    if !isVerified { try verify(result.path) }
    isVerified = true
    if !isDrilled { try drillWhenDue(result.path) }
    isDrilled = true
    if rotated == nil { rotated = .some(job.rotates ? try rotate(clockJumped: clockJumped) : nil) }
    if job.copies { try copy(result, clockJumped: clockJumped) }
    var words = "\(result.name), \(ByteCount.text(result.sizeBytes))"
    if let rotated = rotated ?? nil { words += ", \(rotated)" }
    if !copied.isEmpty { words += ", copied to \(copied.joined(separator: ", "))" }
    if !result.isComplete { words += "; \(ItemCount.text(result.unread.count, of: "source file")) could not be read" }
    return Outcome(
      state: result.isComplete ? .completed : .partial, message: words, backup: result.name,
      sizeBytes: result.sizeBytes)
  }

  private func create() throws(BackupError) -> CreateResult {
    try jobs.run(.create, events: events) { events in
      try BackupRun(
        stack, includesMLflow: job.includesMLflow, memory: jobs.memory, files: files, time: time, events: events
      ).run()
    }
  }

  private func verify(_ path: String) throws(BackupError) {
    let report = try jobs.run(.verify, events: events) { events in
      try Verification(files: files, time: time, events: events).verify(
        DirectoryBackup(Stack.absolute(path), files: files), level: .structure, isRecorded: true)
    }
    guard report.isOK else {
      throw BackupError(
        "verification.failed", kind: .failed, message: "the new backup does not verify: \(path)",
        remedy: "See what is wrong: hrp backup verify latest. Then look at the disk.")
    }
  }

  /// Drills the backup, unless a drill of another one is young enough.
  ///
  /// Where DuckDB's library is missing, the backup is good all the same: that is a warning.
  private func drillWhenDue(_ path: String) throws(BackupError) {
    guard let minimum = job.drill.minimumAgeSeconds else { return }
    if let last = lastDrill, time.nowNanoseconds - last < minimum * 1_000_000_000 { return }
    let report: DrillReport
    do throws(BackupError) {
      report = try jobs.run(.drill, events: events) { events in
        try DrillRun(
          DirectoryBackup(Stack.absolute(path), files: files), scratchDirectory: stack.scratchDirectory, files: files,
          time: time, events: events
        ).run()
      }
    } catch {
      guard error.isOne(of: [.engineUnavailable, .executableNotFound]) else { throw error }
      return events.send(.warning("no drill: \(error.message). \(error.remedy)"))
    }
    guard report.isOK else {
      throw BackupError(
        "drill.failed", kind: .failed,
        message: "the drill of the new backup failed: \(report.findings.first?.line ?? report.name)",
        remedy: "See all findings: hrp backup drill latest")
    }
  }

  /// When a drill of the stack passed last, in nanoseconds since 1970 UTC; when it cannot be told, one is due.
  private var lastDrill: Int64? {
    do { return try StackBackups(of: stack, files: files, time: time).newestDrill?.at } catch { return nil }
  }

  private func rotate(clockJumped: Bool) throws(BackupError) -> String? {
    let result = try rotate(stack.backupDirectory, by: rotation, clockJumped: clockJumped)
    if let refusal = result.refusal { return "not rotated: \(refusal)" }
    return result.deleted.isEmpty ? nil : "\(result.deleted.count) old backups moved to the trash"
  }

  private func rotate(
    _ directory: FilePath, by rotation: RetentionSettings, clockJumped: Bool
  ) throws(BackupError) -> RotationResult {
    try jobs.run(.rotate, events: events) { events in
      try Rotation(in: directory, files: files, time: time, events: events)
        .run(rotation, isUnattended: true, clockJumped: clockJumped)
    }
  }

  /// Copies the backup to every scheduled place, and rotates there; one place that fails keeps no other one from it.
  /// - Throws: `BackupError` of the first place that failed.
  private func copy(_ result: CreateResult, clockJumped: Bool) throws(BackupError) {
    var failure: BackupError?
    for place in stack.secondPlaces where place.isScheduled && !copied.contains(place.name) {
      do {
        let target = stack.place(place, files: files, time: time)
        _ = try jobs.copy(to: target, events: events) { _ in
          try DirectoryBackup(Stack.absolute(result.path), files: files)
        }
        if job.rotates {
          _ = try rotate(target.path, by: stack.settings.rotation(of: place), clockJumped: clockJumped)
        }
        copied.append(place.name)
      } catch {
        let error = BackupError(error, doing: "copying the backup", on: stack)
        if case .interrupted = error.kind { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }
}
