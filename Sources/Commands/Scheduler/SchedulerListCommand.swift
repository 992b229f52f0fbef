internal import ArgumentParser
internal import Calendars
internal import Files
internal import Scheduling
internal import Settings
internal import Stacks
internal import Store

/// The command `hrp scheduler list-jobs`.
struct SchedulerListCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "list-jobs",
    abstract: "List the jobs with their next run.",
    discussion: """
      The next run is the first time after now, by the schedule. A run that was missed and waits for a scheduler is \
      told beside it. That there is a schedule does not mean that a scheduler runs: hrp scheduler run does.

      Examples:
        hrp scheduler list-jobs
        hrp scheduler list-jobs --json | jq -r '.[].next_run'
      """)

  @OptionGroup var schedule: ScheduleOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let console = output.console
    let stack = try place.stack
    let plan = try schedule.plan(of: place)
    let now = SystemTime().nowNanoseconds
    let waiting = try SchedulerLook.waiting(
      plan.jobs, of: stack, files: Kernel(), time: SystemTime(), events: console.events)
    let paused = SchedulerLook.paused(in: stack, files: Kernel(), time: SystemTime())
    let jobs = plan.jobs.map { ListedJob($0, now: now, waits: waiting.contains($0.id), pausedSince: paused[$0.id]) }
    if jobs.isEmpty {
      console.result("No scheduled jobs found")
      if let reason = ScheduleOptions.reasonForNone(of: stack) { console.notice("hrp: \(reason)") }
    } else {
      for line in ["", "Scheduled Jobs:", String(repeating: "-", count: 80)] { console.result(line) }
      for job in jobs {
        console.result("ID: \(job.id)")
        console.result("  Name: \(job.name)")
        console.result("  Next Run: \(job.nextRun)")
        console.result("  Trigger: \(job.trigger)")
        console.result("")
      }
    }
    for job in jobs where job.pausedSince != nil {
      console.notice("hrp: \(job.id) is paused: hrp scheduler resume \(job.id)")
    }
    for job in jobs where job.catchUp && job.pausedSince == nil {
      console.notice("hrp: \(job.id): a run was missed and waits: hrp scheduler run catches it up")
    }
    try console.json(jobs.map { ListedJobOutput($0) })
  }
}

/// A job as a list shows it.
struct ListedJob {
  let id: String
  let name: String
  let trigger: String
  /// Whether a run was missed and waits.
  let catchUp: Bool
  /// When it is due next, in the form of Python's `str(datetime)`.
  let nextRun: String
  /// Since when it is paused, ISO 8601 with offset; nil when it is not.
  let pausedSince: String?

  /// - Parameter now: in nanoseconds since 1970 UTC.
  init(_ job: JobSettings, now: Int64, waits: Bool = false, pausedSince: String? = nil) {
    (id, name, trigger, catchUp) = (job.id, job.title, job.schedule.rule.triggerText, waits)
    self.pausedSince = pausedSince
    nextRun = job.schedule.zone.clock(at: job.schedule.next(after: now)).description
  }
}

/// What `hrp scheduler list-jobs --json` says of one job.
private struct ListedJobOutput: Encodable {
  let id: String
  let name: String
  let nextRun: String
  let trigger: String
  let catchUp: Bool
  let pausedSince: Nullable<String>

  init(_ job: ListedJob) {
    pausedSince = Nullable(job.pausedSince)
    (id, name, trigger, catchUp) = (job.id, job.name, job.trigger, job.catchUp)
    // ISO 8601 with offset.
    nextRun = job.nextRun.split(separator: " ").joined(separator: "T")
  }
}
