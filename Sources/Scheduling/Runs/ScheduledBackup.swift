internal import Backup
package import Files
package import Jobs
package import Settings
package import Stacks
package import Store
internal import SystemPackage

/// What a scheduled run does: it makes a backup, verifies it, drills it when a drill is due, and rotates.
package struct ScheduledBackup {
  /// How a run ended.
  package struct Outcome: Sendable {
    package var state: SlotRecord.State
    /// The code of its error; nil when it did not fail.
    package var code: String?
    package var message: String
  }

  private let stack: Stack
  private let job: JobSettings
  private let rotation: RetentionSettings
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

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

  /// Runs the job once.
  /// - Parameter clockJumped: whether something is dated after now: then nothing is rotated.
  /// - Throws: `BackupError` of the first step that failed.
  package func run(clockJumped: Bool) throws(BackupError) -> Outcome {
    let result = try create()
    try verify(result.path)
    try drillWhenDue(result.path)
    var words = "\(result.name), \(ByteCount.text(result.sizeBytes))"
    if job.rotates, let rotated = try rotate(clockJumped: clockJumped) { words += ", \(rotated)" }
    guard result.isComplete else {
      return Outcome(
        state: .partial, code: nil, message: "\(words); \(result.unread.count) source files could not be read")
    }
    return Outcome(state: .completed, code: nil, message: words)
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
    let result = try jobs.run(.rotate, events: events) { events in
      try Rotation(in: stack.backupDirectory, files: files, time: time, events: events)
        .run(rotation, isUnattended: true, clockJumped: clockJumped)
    }
    if let refusal = result.refusal { return "not rotated: \(refusal)" }
    return result.deleted.isEmpty ? nil : "\(result.deleted.count) old backups moved to the trash"
  }
}
