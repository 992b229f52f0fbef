internal import ArgumentParser
internal import Calendars
internal import Retention
internal import Scheduling
internal import Settings
internal import Stacks

/// The guide's options of the scheduler, which change the job that the guide has.
struct ScheduleOptions: ParsableArguments {
  @Option(
    name: .customLong("backup-time"),
    help: ArgumentHelp("When weekly_backup is due: HH:MM, of the configured timezone.", valueName: "time"),
    transform: { text in
      do { return try TimeOfDay(parsing: text) } catch {
        throw ValidationError((error as? UnusableTime)?.message ?? "")
      }
    })
  var backupTime: TimeOfDay?

  @Option(
    name: .customLong("backup-day"),
    help: ArgumentHelp("On which day of the week: mon to sun.", valueName: "day"),
    transform: { text in
      guard let day = Weekday(named: text) else {
        throw ValidationError("'\(text)' is no day of the week, such as sat")
      }
      return day
    })
  var backupDay: Weekday?

  @Option(
    name: .customLong("backup-keep-days"),
    help: ArgumentHelp("Keep backups that are younger than this.", valueName: "n"))
  var keepDays: Int?

  @Flag(name: .customLong("no-backup"), help: "Run no backup job.")
  var withoutBackup = false

  @Flag(name: .customLong("no-mlflow"), help: "weekly_backup takes the database only.")
  var withoutMLflow = false

  /// What the scheduler goes by.
  /// - Throws: `RetentionPolicyError`.
  func plan(of place: StackOptions) throws -> SchedulerPlan {
    let stack = try place.stack
    return try SchedulerPlan(stack: stack, settings: place.settings, jobs: jobs(of: stack), keepDays: keepDays)
  }

  /// Why no job of a stack runs at all, as a sentence; nil when jobs run.
  static func reasonForNone(of stack: Stack) -> String? {
    stack.settings.reasonToMakeNone.map { "No job runs: \($0)" }
  }

  private func jobs(of stack: Stack) throws -> [JobSettings] {
    if withoutBackup || stack.settings.isSwitchedOff.value { return [] }
    return try stack.settings.schedule.jobs.map { job in
      guard job.id == JobSettings.standardID else { return job }
      var job = job
      if withoutMLflow { job.includesMLflow = false }
      if backupTime == nil, backupDay == nil { return job }
      var (day, time) = (Weekday.sat, TimeOfDay.standard)
      if case .weekly(let ownDay, let ownTime) = job.schedule.rule { (day, time) = (ownDay, ownTime) }
      job.schedule = try Schedule(.weekly(backupDay ?? day, backupTime ?? time), in: job.schedule.zone)
      return job
    }
  }
}
