internal import ArgumentParser
internal import Scheduling

/// The hidden command that is the process of a scheduled job; nobody types it.
struct SchedulerJobCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: JobChild.command, shouldDisplay: false)

  func run() { JobChild.serve() }
}
