internal import ArgumentParser
internal import Settings
internal import Stacks
internal import Store

/// The command `hrp scheduler`.
struct SchedulerCommand: ParsableCommand, StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "scheduler",
    abstract: "Make backups by a schedule, and see what is due and what was done.",
    discussion: """
      The jobs stand in config/hrp.yaml (jobs:). Without any, the guide's holds: every Saturday at 02:00 of the \
      configured timezone, America/New_York if none is named.

      Examples:
        hrp scheduler list-jobs
        hrp scheduler run
      """,
    subcommands: [
      SchedulerRunCommand.self, SchedulerListCommand.self, SchedulerRunNowCommand.self, SchedulerPauseCommand.self,
      SchedulerResumeCommand.self, SchedulerHistoryCommand.self,
    ])

  @OptionGroup var place: StackOptions

  /// The job of a stack that a user names.
  /// - Throws: `BackupError` `scheduler.no-job`.
  static func job(_ id: String, of stack: Stack) throws(BackupError) -> JobSettings {
    if let job = stack.settings.schedule.jobs.first(where: { $0.id == id }) { return job }
    throw BackupError(
      "scheduler.no-job", kind: .notFound, message: "there is no job \(id)",
      remedy: "See what there is: hrp scheduler list-jobs")
  }
}
