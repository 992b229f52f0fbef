internal import Advice
internal import ArgumentParser
internal import Files
internal import Jobs
internal import Store

/// The command `hrp backup find`.
struct FindCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "find",
    abstract: "Say which backups hold a hypothesis, an experiment, a run, a table or a file, newest first.",
    discussion: """
      In the database, columns of ids and names are asked for exactly this text, and tables and columns of this name \
      are found; views are not asked, for their rows are the tables'. In MLflow's records ids and names of \
      experiments, runs and models; of files, every path that holds the text. The exit code is 10 when no backup has it.

      Examples:
        hrp backup find HYP-2026-001
        hrp backup find prices --at offsite
        hrp backup find model.pkl --json | jq -r '.[0].name'
      """)

  @Argument(help: ArgumentHelp("An id, a name, a table or a column, or part of a file's path.", valueName: "text"))
  var text: String
  @OptionGroup var copies: PlaceOption
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try place.stack
    let console = output.console
    let report = try console.run(.find, on: stack, isRecorded: false) { events in
      try BackupSearch(in: copies.stack(stack), files: Kernel(), events: events).find(text)
    }
    try console.json(report.results)
    for reason in report.unread { console.warning("hrp: not looked into: \(reason)") }
    for result in report.results {
      console.result(result.name)
      for hit in result.hits { console.result("  \(hit.place): \(hit.count)") }
    }
    guard report.results.isEmpty else { return }
    guard report.unread.isEmpty else {
      console.result("No backup that could be looked into holds \(text); \(report.unread.count) could not")
      throw ExitCode.partial
    }
    console.result("No backup holds \(text)")
    throw ExitCode.notFound
  }
}
