internal import Advice
internal import ArgumentParser
internal import Files
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp config validate`.
struct ConfigValidateCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Say every mistake in the configuration file, with its line and what is allowed.",
    discussion: """
      The exit code is 1 when there is a mistake. A stack without a file has none: the defaults hold.

      Examples:
        hrp config validate
        hrp config validate --data-dir ~/lab
      """)

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let console = output.console
    let check = try ConfigurationCheck(place.stackWithoutFile, files: Kernel())
    let problems = check.problems + check.placeProblems
    for problem in problems {
      console.result("✗ \(problem.line.map { "line \($0): " } ?? "")\(problem.message)")
    }
    for warning in check.warnings { console.warning("hrp: warning: \(warning)") }
    if problems.isEmpty {
      console.result(check.exists ? "✓ \(check.file.text) has no mistakes" : "✓ There is no \(check.file.text)")
    } else {
      console.result(
        "\(check.file.text): \(problems.count == 1 ? "1 mistake" : "\(problems.count) mistakes")"
      )
    }
    try console.json(ConfigurationCheckOutput(check))
    if !problems.isEmpty { throw ExitCode.failed }
  }
}
