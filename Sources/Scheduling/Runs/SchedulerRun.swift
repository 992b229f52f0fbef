internal import Backup
internal import Calendars
package import Files
internal import Jobs
package import Settings
package import Stacks
package import Store
internal import SystemPackage

/// Runs the jobs of a stack when they are due.
package struct SchedulerRun {
  /// What became of a job.
  package struct JobResult: Sendable {
    package let job: JobSettings
    package let slot: Slot
    package let reason: SlotReason
    package let outcome: ScheduledBackup.Outcome
  }

  /// How often a run is tried again, and after how long.
  private static let backOff: [Duration] = [.seconds(60), .seconds(300)]

  private let stack: Stack
  private let jobs: [JobSettings]
  private let rotation: RetentionSettings
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream
  private let memory: UnrecordedSlots

  /// - Parameter memory: what this process ran before and could not write down.
  package init(
    _ stack: Stack, jobs: [JobSettings], rotation: RetentionSettings, memory: UnrecordedSlots = UnrecordedSlots(),
    files: any FileSystem, time: any TimeSource, events: EventStream
  ) {
    self.memory = memory
    self.stack = stack
    self.jobs = jobs
    self.rotation = rotation
    self.files = files
    self.time = time
    self.events = events
  }

  /// Runs what is due now, and returns.
  /// - Throws: `BackupError`, also when the records cannot be read; a job that failed is a result.
  package func runDue() throws -> [JobResult] {
    let ledger = openLedger()
    var results: [JobResult] = []
    for job in jobs {
      try Interruption.check()
      let facts = try ledger.facts(of: job)
      let rules = SlotRules(job.schedule, job: job.id)
      for record in rules.future(facts, now: time.nowNanoseconds) {
        let due = job.schedule.zone.clock(at: record.due)
        events.send(.warning("a run of \(job.id) is dated after now and is ignored: \(due)"))
      }
      guard case .run(let slot, let reason) = rules.decide(facts, now: time.nowNanoseconds) else { continue }
      results.append(try run(job, slot: slot, reason: reason, ledger: ledger))
    }
    return results
  }

  /// Runs a job now, whatever its schedule says; the run is written down, and belongs to no slot of the schedule.
  /// - Throws: `AdvisoryLock.Busy` while another job runs; `BackupError`.
  package func runNow(_ job: JobSettings) throws -> ScheduledBackup.Outcome {
    try run(job, slot: Slot(job: job.id, due: time.nowNanoseconds), reason: .scheduled, ledger: openLedger()).outcome
  }

  private func openLedger() -> JobLedger {
    let ledger = JobLedger(stack, memory: memory, files: files, time: time)
    if let problem = ledger.problem { events.send(.warning(problem)) }
    return ledger
  }

  /// Runs one slot under the lock of running jobs: its record first (Z1), its end last.
  private func run(_ job: JobSettings, slot: Slot, reason: SlotReason, ledger: JobLedger) throws -> JobResult {
    try locked {
      let before = try ledger.record(of: slot)
      let deaths = reason == .killed ? (before?.deaths ?? 0) + 1 : 0
      var record = SlotRecord(
        job: slot.job, due: slot.due, state: .running, deaths: deaths, beganAt: time.nowNanoseconds)
      note(ledger.write(record))
      let outcome = try performed(job, ledger: ledger)
      (record.state, record.code, record.message) = (outcome.state, outcome.code, outcome.message)
      record.endedAt = time.nowNanoseconds
      note(ledger.write(record))
      return JobResult(job: job, slot: slot, reason: reason, outcome: outcome)
    }
  }

  private func note(_ problem: String?) { if let problem { events.send(.warning(problem)) } }

  /// Does what the job does, again after a while when a failure may pass by itself.
  /// - Throws: `Interruption.Stopped`: the slot stays begun, and is run once more (Z5).
  private func performed(_ job: JobSettings, ledger: JobLedger) throws -> ScheduledBackup.Outcome {
    var waits = Self.backOff[...]
    let backup = ScheduledBackup(job, of: stack, rotation: rotation, files: files, time: time, events: events)
    while true {
      do {
        return try backup.run(clockJumped: ledger.clockMayHaveJumped())
      } catch {
        try Interruption.check()
        let error = BackupError(error, doing: "running the job", on: stack)
        guard error.mayPass, let wait = waits.popFirst() else {
          return ScheduledBackup.Outcome(
            state: .failed, code: error.code, message: error.message, backup: backup.made?.name,
            sizeBytes: backup.made?.sizeBytes)
        }
        events.send(.warning("\(job.id) failed, and is tried again in \(wait.components.seconds) s: \(error.message)"))
        try pause(wait)
      }
    }
  }

  private func locked<Result>(_ body: () throws -> Result) throws -> Result {
    try AdvisoryLock.whileHeld(
      .exclusive, of: .job, on: stack.dataDirectory, note: ThisProcess.note(program: "hrp scheduler", time: time),
      files: files, time: time, body: body)
  }

  /// Waits, and stops waiting when this process is asked to stop.
  package func pause(_ duration: Duration) throws {
    let end = time.monotonicNanoseconds + duration.nanoseconds
    while time.monotonicNanoseconds < end {
      try Interruption.check()
      time.sleep(.seconds(1))
    }
  }
}

extension BackupError {
  /// Whether the same run may succeed a few minutes later: something was busy, or a disk or a place failed.
  var mayPass: Bool {
    switch kind {
    case .busy: true
    case .notFound: code.hasPrefix("backup-directory.") || code.hasPrefix("place.")
    case .failed: code.hasPrefix("system.") || ["backup.read-back", "place.read-back"].contains(code)
    case .usage, .noSpace, .interrupted: false
    }
  }
}
