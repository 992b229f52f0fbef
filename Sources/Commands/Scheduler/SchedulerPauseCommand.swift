internal import ArgumentParser
internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store

/// The command `hrp scheduler pause`.
struct SchedulerPauseCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Keep a job from running until it is resumed.",
    discussion: """
      A pause outlives the scheduler and the machine; hrp status shows it. What is missed meanwhile is caught up by \
      one run after the job is resumed.

      Examples:
        hrp scheduler pause weekly_backup
      """)

  @Argument(help: ArgumentHelp("The id of the job, from list-jobs.", valueName: "job"), completion: .jobs)
  var job: String
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try place.stack
    _ = try SchedulerCommand.job(job, of: stack)
    try Catalogue.change(stack, files: Kernel(), time: SystemTime()) { try $0.pause(job) }
    output.console.result("Paused: \(job)")
    try output.console.json(PauseOutput(job: job, paused: true))
  }
}

/// The command `hrp scheduler resume`.
struct SchedulerResumeCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Let a paused job run again.",
    discussion: """
      Examples:
        hrp scheduler resume weekly_backup
      """)

  @Argument(help: ArgumentHelp("The id of the job.", valueName: "job"), completion: .jobs)
  var job: String
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try place.stack
    let wasPaused = try Catalogue.change(stack, files: Kernel(), time: SystemTime()) { try $0.resume(job) }
    output.console.result(wasPaused ? "Resumed: \(job)" : "It was not paused: \(job)")
    try output.console.json(PauseOutput(job: job, paused: false, wasPaused: wasPaused))
  }
}

/// What `hrp scheduler pause --json` and `resume --json` say.
private struct PauseOutput: Encodable {
  let job: String
  let paused: Bool
  var wasPaused: Bool?
}
