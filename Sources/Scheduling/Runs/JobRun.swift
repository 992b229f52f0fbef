internal import Backup
package import Files
internal import Jobs
package import Settings
package import Stacks
package import Store
internal import SystemPackage

/// Runs one slot in this process, under the lock of running jobs: its record first (Z1), its end last.
package struct JobRun {
  private let stack: Stack
  private let job: JobSettings
  private let rotation: RetentionSettings
  private let memory: UnrecordedSlots
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  /// - Parameter memory: what this process ran before and could not write down.
  package init(
    _ job: JobSettings, of stack: Stack, rotation: RetentionSettings, memory: UnrecordedSlots = UnrecordedSlots(),
    files: any FileSystem, time: any TimeSource, events: EventStream
  ) {
    self.job = job
    self.stack = stack
    self.rotation = rotation
    self.memory = memory
    self.files = files
    self.time = time
    self.events = events
  }

  /// Runs a job now, whatever its schedule says; the run is written down, and belongs to no slot of the schedule.
  /// - Throws: as `run`.
  package func runNow() throws -> ScheduledBackup.Outcome {
    try run(Slot(job: job.id, due: time.nowNanoseconds), wasKilled: false)
  }

  /// Runs a slot.
  /// - Throws: `AdvisoryLock.Busy` while another job runs; `Interruption.Stopped`: the slot stays begun, and is run
  ///   once more (Z5). A job that failed is an outcome.
  package func run(_ slot: Slot, wasKilled: Bool) throws -> ScheduledBackup.Outcome {
    try locked {
      let ledger = JobLedger(stack, memory: memory, files: files, time: time)
      note(ledger.problem)
      let deaths = wasKilled ? (try ledger.record(of: slot)?.deaths ?? 0) + 1 : 0
      var record = SlotRecord(
        job: slot.job, due: slot.due, state: .running, deaths: deaths, beganAt: time.nowNanoseconds)
      note(ledger.write(record))
      let notices = JobNotices(job.id, of: stack, files: files, time: time, events: events)
      notices.tellStart()
      let outcome: ScheduledBackup.Outcome
      do {
        outcome = try refusal(notices) ?? performed(ledger)
      } catch {
        notices.tellStop()
        throw error
      }
      (record.state, record.code, record.message) = (outcome.state, outcome.code, outcome.message)
      record.endedAt = time.nowNanoseconds
      note(ledger.write(record))
      notices.tellEnd(outcome)
      return outcome
    }
  }

  /// Why the user's command lets no backup be made; nil when it lets one be made.
  private func refusal(_ notices: JobNotices) throws -> ScheduledBackup.Outcome? {
    do throws(BackupError) {
      try notices.runBefore()
      return nil
    } catch {
      try Interruption.check()
      return .init(error)
    }
  }

  private func note(_ problem: String?) { if let problem { events.send(.warning(problem)) } }

  /// Does what the job does, again after a while when a failure may pass by itself.
  private func performed(_ ledger: JobLedger) throws -> ScheduledBackup.Outcome {
    var waits = [Duration.seconds(job.retrySeconds), .seconds(5 * job.retrySeconds)][...]
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

  /// Waits before the next try; whoever watches is told that this is alive.
  private func pause(_ duration: Duration) throws {
    let end = time.monotonicNanoseconds + duration.nanoseconds
    while time.monotonicNanoseconds < end {
      try Interruption.check()
      time.sleep(.seconds(1))
      events.send(.progress(bytes: 0))
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
