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

  /// Runs one slot in a process of its own: how it ended, nil when its process died.
  package typealias Launch = (JobSettings, Slot, SlotReason) throws -> ScheduledBackup.Outcome?

  private let stack: Stack
  private let jobs: [JobSettings]
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream
  private let memory: UnrecordedSlots
  private let stop: StopRequest
  private let launch: Launch

  /// - Parameter memory: what was run before and could not be written down.
  package init(
    _ stack: Stack, jobs: [JobSettings], memory: UnrecordedSlots, stop: StopRequest, files: any FileSystem,
    time: any TimeSource, events: EventStream, launch: @escaping Launch
  ) {
    self.memory = memory
    self.stop = stop
    self.launch = launch
    self.stack = stack
    self.jobs = jobs
    self.files = files
    self.time = time
    self.events = events
  }

  /// Runs what is due now, and returns.
  /// - Parameter afterEach: is called after each run: what one job lost, the next may bring back, and both are told.
  /// - Throws: `BackupError`, also when the records cannot be read; a job that failed is a result.
  package func runDue(afterEach: () -> Void = {}) throws -> [JobResult] {
    let ledger = JobLedger(stack, memory: memory, files: files, time: time)
    if let problem = ledger.problem { events.send(.warning(problem)) }
    let paused = ledger.pausedJobs
    var results: [JobResult] = []
    for job in jobs where paused[job.id] == nil {
      try stop.check()
      let facts = try ledger.facts(of: job)
      let rules = SlotRules(job.schedule, job: job.id)
      for record in rules.future(facts, now: time.nowNanoseconds) {
        let due = job.schedule.zone.clock(at: record.due)
        events.send(.warning("a run of \(job.id) is dated after now and is ignored: \(due)"))
      }
      guard case .run(let slot, let reason) = rules.decide(facts, now: time.nowNanoseconds) else { continue }
      results.append(try run(job, slot: slot, reason: reason, ledger: ledger))
      afterEach()
    }
    return results
  }

  /// Runs one slot, and sees to it that its end is known.
  private func run(_ job: JobSettings, slot: Slot, reason: SlotReason, ledger: JobLedger) throws -> JobResult {
    let began = time.nowNanoseconds
    let outcome = try launch(job, slot, reason)
    ledger.forgetListing()
    var ended =
      outcome
      ?? .init(
        BackupError(
          "job.died", kind: .failed, message: "the process of the job died before it could say how it went",
          remedy: "It runs once more. Was it killed for want of memory? See dmesg."), state: .running)
    if outcome == nil { ended.isTold = false }
    if !ended.isTold {
      // Its process did not live to tell.
      let notices = JobNotices(job.id, of: stack, files: files, time: time, events: events)
      notices.tellEnd(ended)
    }
    let record: SlotRecord?
    do {
      record = try ledger.record(of: slot)
    } catch {
      // What its process wrote down cannot be read, so nothing is written in its place.
      let note = note(of: slot, ended: ended, record: nil, reason: reason, began: began)
      events.send(.warning(ledger.remember(note, because: error)))
      return JobResult(job: job, slot: slot, reason: reason, outcome: ended)
    }
    // What the process of the job could not write down, or did not live to write down, is remembered here. A process
    // that died leaves its slot begun, so it runs once more (Z5).
    if record == nil || (record?.state == .running && ended.state != .running) {
      let note = note(of: slot, ended: ended, record: record, reason: reason, began: began)
      if let problem = ledger.write(note) { events.send(.warning(problem)) }
    }
    return JobResult(job: job, slot: slot, reason: reason, outcome: ended)
  }

  /// - Parameter record: what its process wrote down before.
  private func note(
    of slot: Slot, ended: ScheduledBackup.Outcome, record: SlotRecord?, reason: SlotReason, began: Int64
  ) -> SlotRecord {
    SlotRecord(
      job: slot.job, due: slot.due, state: ended.state, deaths: record?.deaths ?? (reason == .killed ? 1 : 0),
      beganAt: record?.beganAt ?? began, endedAt: ended.state == .running ? nil : time.nowNanoseconds,
      code: ended.code, message: ended.message)
  }

  /// Waits, and stops waiting when the end is asked for.
  package func pause(_ duration: Duration) throws {
    let end = time.monotonicNanoseconds + duration.nanoseconds
    while time.monotonicNanoseconds < end {
      try stop.check()
      time.sleep(.seconds(1))
    }
  }
}
