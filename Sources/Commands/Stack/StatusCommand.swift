internal import Advice
internal import ArgumentParser
internal import Backup
internal import Calendars
internal import Files
internal import Jobs
internal import Scheduling
internal import Settings
internal import Stacks
internal import Store

/// The command `hrp status`.
struct StatusCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Is this stack protected? If not: why, since when, and what to do.",
    discussion: """
      A stack is protected when its newest verified backup is young enough (the interval of the schedule and a day \
      more; without a schedule 8 days), when a drill passed in the last 35 days, when the last run of each job did not \
      fail, and when the size of the backups did not jump. The limits stand in config/hrp.yaml (status:).

      The exit code is 0 when it is protected, 15 when it is not, 10 when there is no database.

      Examples:
        hrp status
        hrp status --json | jq -r '.reasons[].message'
        hrp status -q || echo "look at the backups"
      """)

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let console = output.console
    let stack = try place.stack
    // Where it cannot be told, the age of the backups tells soon enough.
    let hasService = forPeople { try ServiceCommand.installation(of: stack).isOfStack() } ?? false
    let readiness = ReadinessWatch(stack, files: Kernel(), time: SystemTime()).readiness()
    let status = try StackStatus(
      stack, hasService: hasService, readiness: readiness, files: Kernel(), time: SystemTime())
    let now = SystemTime().nowNanoseconds
    console.result(status.protection.isProtected ? "✓ Protected" : "✗ Not protected")
    for reason in status.protection.reasons {
      let since = reason.since.map { " (since \(LocalTime(nanoseconds: $0).plain))" } ?? ""
      console.result("  \(reason.message)\(since)")
      console.result("    → \(reason.remedy)")
    }
    console.result("  Newest verified backup: \(Self.words(status.facts.newestBackup, now: now))")
    console.result("  Newest drill that passed: \(Self.words(status.facts.newestProof, now: now))")
    if let (name, lacks) = status.facts.incomplete {
      console.result("! The newest backup, \(name), is incomplete: \(lacks)")
      console.result("    → hrp backup create, when that can be read")
    }
    switch status.elsewhere {
    case .present(let place): console.result("  Copies on another disk: \(place)")
    case .none where status.facts.newestBackup == nil: break
    case .none:
      console.result("! Every backup is on the data's own disk: a broken disk takes all of them")
      console.result("    → hrp backup copy latest /mnt/OTHER-DISK/hrp-backups --new-place")
    case .unknown(let why): console.result("! Whether there are copies on another disk cannot be told: \(why)")
    }
    for place in status.places {
      let newest = Self.words(place.newestCopy, now: now)
      guard let problem = place.problem, let remedy = place.remedy else {
        console.result("  Newest copy in \(place.name): \(newest)")
        continue
      }
      console.result("! The place \(place.name): \(problem)")
      console.result("    → \(remedy)")
    }
    for problem in status.noticeProblems {
      console.result("! Notices: \(problem.message)")
      console.result("    → \(problem.remedy)")
    }
    if status.nextRuns.isEmpty { console.result("! No job is due ever: no backup is made by itself") }
    for (job, since) in status.pausedJobs {
      let when = since.prefix(16).split(separator: "T").joined(separator: " ")
      console.result("! Paused since \(when): \(job)")
      console.result("    → hrp scheduler resume \(job)")
    }
    for notice in status.lostNotices {
      console.result("! The notice of \(notice.kind) by \(notice.channel) was not delivered: \(notice.words)")
      console.result("    → hrp notify test")
    }
    tellRuns(status, console: console)
    try console.json(StatusOutput(status, completed: PrintedCommands.current.completed))
    if !status.protection.isProtected { throw ExitCode.notProtected }
  }

  private func tellRuns(_ status: StackStatus, console: Console) {
    let paused = Set(status.pausedJobs.map(\.job))
    let isRun = status.hasScheduler != false || status.schedulerLife.isRecent
    for (job, at) in status.nextRuns where !paused.contains(job.id) {
      let words = isRun ? "Next run" : "Next run, when a scheduler runs"
      console.result("  \(words): \(job.id) \(job.schedule.zone.clock(at: at))")
    }
    if status.hasScheduler == false, isRun, let began = status.schedulerLife.newest {
      console.result("  A scheduler ran last \(LocalTime(nanoseconds: began).plain), as cron starts it; none runs now")
    }
    if !isRun, !status.nextRuns.isEmpty {
      console.result("! No scheduler runs: no backup is made by itself")
      console.result("    → hrp service install")
    }
  }

  private static func words(_ event: ProtectionFacts.Event?, now: Int64) -> String {
    event.map { "\($0.name), \(Age.words(since: $0.timestamp, now: now)) ago" } ?? "none"
  }
}
