package import Files
internal import Jobs
internal import Settings
internal import Stacks
package import Store
package import SystemPackage

/// Looks at the clock every minute and runs what is due, each job in a process of its own, until it is asked to stop.
///
/// One scheduler runs for a stack: it holds the lock `.hrp-scheduler.lock` of the data directory.
package struct SchedulerLoop {
  /// So often the clock is looked at.
  private static let period: Duration = .seconds(60)

  private let load: () throws -> SchedulerPlan
  private let program: FilePath?
  private let silence: Duration?
  private let stop: StopRequest
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream
  private let memory = UnrecordedSlots()
  private let alarmMemory = AlarmMemory()
  private let saidOnce = SaidOnce()

  /// - Parameter program: the program `hrp`; nil for the one that is found (``ThisProcess/hrp(files:)``).
  /// - Parameter silence: how long a job may tell of no progress; nil for what the job says.
  /// - Parameter load: reads the configuration; it is called before every look, so a change needs no restart.
  package init(
    program: FilePath? = nil, silence: Duration? = nil, stop: StopRequest = StopRequest(), files: any FileSystem,
    time: any TimeSource, events: EventStream,
    load: @escaping () throws -> SchedulerPlan
  ) {
    self.load = load
    self.program = program
    self.silence = silence
    self.stop = stop
    self.files = files
    self.time = time
    self.events = events
  }

  /// Runs what is due now, and returns.
  /// - Throws: `AdvisoryLock.Busy` while another scheduler runs; `BackupError`; `Interruption.Stopped`.
  package func runOnce() throws -> [SchedulerRun.JobResult] {
    let plan = try load()
    return try locked(plan.stack) {
      let office = office(of: plan)
      let results = try run(plan).runDue { office.watch(isUrgent: true) }
      office.watch(isUrgent: false)
      return results
    }
  }

  /// Runs until it is asked to stop.
  ///
  /// - Parameter onResult: is told of every job that ran.
  /// - Throws: `Interruption.Stopped`; `AdvisoryLock.Busy` while another scheduler runs; `BackupError` when the
  ///   configuration cannot be read at the start.
  package func run(
    onStart: (SchedulerPlan) throws -> Void, onResult: (SchedulerRun.JobResult) throws -> Void
  ) throws -> Never {
    var plan = try load()
    let first = plan
    return try locked(first.stack) {
      try onStart(first)
      while true {
        do {
          let now = try load()
          // Another stack would need another lock.
          if now.stack.dataDirectory == first.stack.dataDirectory { plan = now }
          let office = office(of: plan)
          let results = try run(plan).runDue { office.watch(isUrgent: true) }
          for result in results { try onResult(result) }
          office.watch(isUrgent: false)
          // After a run, what is still wrong is worth to be said again.
          if !results.isEmpty { saidOnce.forget() }
        } catch {
          try stop.check()
          // What ran before goes on.
          let words = BackupError(error, doing: "looking for what is due", on: plan.stack).message
          saidOnce.stream(to: events).send(.warning(words))
        }
        rotateLogs(of: plan.stack)
        try run(plan).pause(Self.period)
      }
    }
  }

  /// Sets aside the logs that a service manager has this process write to.
  private func rotateLogs(of stack: Stack) {
    for (name, stream) in [("scheduler", StandardStream.output), ("scheduler.error", .error)] {
      // A log that cannot be set aside grows.
      ignoringFailure {
        try LogFile(name, in: stack.dataDirectory, files: files, time: time).rotate(writtenBy: stream)
      }
    }
  }

  private func office(of plan: SchedulerPlan) -> NoticeOffice {
    NoticeOffice(
      of: plan.stack, memory: alarmMemory, files: files, time: time, events: saidOnce.stream(to: events))
  }

  private func run(_ plan: SchedulerPlan) -> SchedulerRun {
    let events = saidOnce.stream(to: events)
    return SchedulerRun(
      plan.stack, jobs: plan.jobs, memory: memory, stop: stop, files: files, time: time, events: events
    ) { job, slot, reason in
      guard let program = try program ?? ThisProcess.hrp(files: files) else {
        throw BackupError(
          "executable.not-found", kind: .notFound,
          message: "the program hrp, which runs a job in a process of its own, was not found",
          remedy: "Set HRP_EXECUTABLE, or put hrp on PATH.")
      }
      return try JobProcess(
        program: program, silence: silence ?? .seconds(job.timeoutMinutes * 60), stop: stop, events: events
      ).run(JobRequest(job, slot: slot, reason: reason, settings: plan.settings, keepDays: plan.keepDays))
    }
  }

  private func locked<Result>(_ stack: Stack, body: () throws -> Result) throws -> Result {
    try AdvisoryLock.whileHeld(
      .exclusive, of: .scheduler, on: stack.dataDirectory,
      note: ThisProcess.note(program: "hrp scheduler run", time: time), files: files, time: time, body: body)
  }
}
