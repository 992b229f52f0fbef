internal import ArgumentParser
internal import Calendars
internal import Files
internal import Jobs
internal import Scheduling
internal import Settings
internal import Stacks
internal import Store

/// The command `hrp scheduler run`.
struct SchedulerRunCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the jobs when they are due, in the foreground, until it is asked to stop.",
    discussion: """
      A run makes a backup, verifies it, drills it when a drill is due, and rotates. What was missed, because the \
      machine slept or was off, is caught up by one run. A newer verified backup, a manual one too, covers it. What \
      was killed runs once more. The configuration is read again every minute.

      With --once it runs what is due now and ends, for cron:
        * * * * * hrp scheduler run --once -q

      The service writes logs/scheduler.log and logs/scheduler.error.log; they are set aside at 10 MB, and deleted \
      after 30 days.

      The exit code of --once is 1 when a job failed, 3 when a backup is incomplete. A second scheduler of the same \
      stack ends with 11. SIGTERM and SIGINT end it with 0.

      Examples:
        hrp scheduler run
        hrp scheduler run --backup-time 02:00 --backup-day sat --backup-keep-days 30
        hrp scheduler run --once --json
      """)

  @Flag(help: "Run what is due now, and end.") var once = false
  @Flag(
    name: .customLong("log-lines"),
    help: "Write lines of a log, each with time and level, as the service does; log_format says in which form.")
  var writesLogLines = false
  @Flag(
    name: .customLong("while-stdin-is-open"),
    help: ArgumentHelp(
      "End as on SIGTERM when stdin ends: for a program that starts the scheduler, and may die.", visibility: .hidden))
  var endsWithInput = false
  @OptionGroup var schedule: ScheduleOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if output.json, !once { throw ValidationError("--json needs --once: a scheduler that goes on has no result") }
  }

  func run() throws {
    Interruption.listen()
    if endsWithInput { try Interruption.followInput() }
    var console = output.console
    if writesLogLines { console.logFormat = try place.stack.settings.logFormat.value }
    let loop = SchedulerLoop(files: Kernel(), time: SystemTime(), events: console.events) {
      try schedule.plan(of: place)
    }
    if once { return try runOnce(loop, console: console) }
    do {
      try loop.run(
        onStart: { plan in
          console.result("Scheduler started: \(Self.count(plan.jobs.count))")
          for job in plan.jobs { console.result("  \(job.id): next run \(ListedJob(job, now: Self.now).nextRun)") }
        }, onResult: { console.result(Self.line(of: $0)) })
    } catch is Interruption.Stopped {
      console.result("Received shutdown signal, stopping scheduler...")
      console.result("Scheduler stopped")
    }
  }

  private func runOnce(_ loop: SchedulerLoop, console: Console) throws {
    let results = try loop.runOnce()
    // Cron sends by mail whatever is printed.
    if results.isEmpty, !output.quiet {
      console.result(try ScheduleOptions.reasonForNone(of: place.stack) ?? "Nothing is due")
    }
    for result in results { console.result(Self.line(of: result)) }
    try console.json(results.map { ScheduledRunOutput($0) })
    // A job that failed weighs more than one that is incomplete.
    let codes = results.compactMap(\.outcome.state.failureCode)
    if let code = codes.first(where: { $0 == .failed }) ?? codes.first { throw code }
  }

  private static func count(_ jobs: Int) -> String { jobs == 0 ? "no jobs" : jobs == 1 ? "1 job" : "\(jobs) jobs" }

  private static var now: Int64 { SystemTime().nowNanoseconds }

  /// What became of a job, for people.
  private static func line(of result: SchedulerRun.JobResult) -> String {
    let due = result.job.schedule.zone.clock(at: result.slot.due)
    let why =
      switch result.reason {
      case .scheduled: "due \(due)"
      case .missed: "missed \(due), caught up"
      case .killed: "due \(due), again after it was killed"
      }
    let mark = result.outcome.state.mark
    switch result.outcome.state {
    case .failed: return "\(mark) \(result.job.id) (\(why)) failed: \(result.outcome.message)"
    case .partial: return "\(mark) \(result.job.id) (\(why)) is incomplete: \(result.outcome.message)"
    case .running: return "\(mark) \(result.job.id) (\(why)) was interrupted: \(result.outcome.message)"
    case .completed: return "\(mark) \(result.job.id) (\(why)): \(result.outcome.message)"
    }
  }
}
