internal import ArgumentParser
internal import Calendars
internal import Files
internal import Jobs
internal import Scheduling
internal import Settings
internal import Stacks
internal import Store

/// The command `hrp scheduler history`.
struct SchedulerHistoryCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "What the scheduler did: the newest runs first.",
    discussion: """
      Examples:
        hrp scheduler history
        hrp scheduler history --limit 3 --json
      """)

  @Option(help: ArgumentHelp("How many runs.", valueName: "n")) var limit = 10
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...10_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 10000, not \(limit)") }
  }

  func run() throws {
    let console = output.console
    let stack = try place.stack
    let runs = try SchedulerLook.history(of: stack, limit: limit, files: Kernel(), time: SystemTime())
    if runs.isEmpty { console.result("The scheduler has run no job") }
    let zone = stack.settings.zone.value
    for run in runs {
      let state = run.isInterrupted ? "interrupted" : run.record.state.rawValue
      console.result("  \(zone.clock(at: run.record.beganAt))  \(run.record.job)  \(state)  \(run.record.message)")
      console.result("    due \(zone.clock(at: run.record.due))")
      if run.record.deaths > 0 { console.result("    run again after it was killed") }
      if let code = run.record.code { console.result("    Error: \(code)") }
    }
    try console.json(runs.map { SlotRecordOutput($0.record, isInterrupted: $0.isInterrupted) })
  }
}

/// The command `hrp scheduler run-now`.
struct SchedulerRunNowCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "run-now",
    abstract: "Run a job now: backup, verification, drill when due, rotation.",
    discussion: """
      Its verified backup covers the runs that were missed. The exit code is 1 when it failed, 3 when the backup is \
      incomplete, 11 while another job runs.

      Examples:
        hrp scheduler run-now weekly_backup
      """)

  @Argument(help: ArgumentHelp("The id of the job, from list-jobs.", valueName: "job"), completion: .jobs)
  var job: String
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  private struct Output: Encodable {
    let job: String
    let state: String
    let code: Nullable<String>
    let message: String
  }

  func run() throws {
    Interruption.listen()
    let console = output.console
    let stack = try place.stack
    let settings = try SchedulerCommand.job(job, of: stack)
    let outcome = try JobRun(
      settings, of: stack, rotation: stack.settings.rotation, files: Kernel(), time: SystemTime(),
      events: console.events
    ).runNow()
    NoticeOffice(of: stack, files: Kernel(), time: SystemTime(), events: console.events).watch(isUrgent: true)
    console.result("\(outcome.state.mark) \(job): \(outcome.message)")
    try console.json(
      Output(job: job, state: outcome.state.rawValue, code: Nullable(outcome.code), message: outcome.message))
    if let code = outcome.state.failureCode { throw code }
  }
}
