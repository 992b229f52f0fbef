internal import ArgumentParser
internal import Files
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp config init`.
struct ConfigInitCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write a configuration file with every key and what it means.",
    discussion: """
      Every line of it is a comment: nothing changes until you take a # away. A file that is there is never replaced.

      Examples:
        hrp config init
        hrp config init --data-dir ~/lab && ${EDITOR:-vi} ~/lab/config/hrp.yaml
      """)

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  private struct Output: Encodable {
    let file: String
  }

  func run() throws {
    let console = output.console
    let stack = place.stackWithoutFile
    let file = stack.configurationFile(Kernel())
    try stack.checkOutsideOfBackups(files: Kernel())
    guard try file.create() else {
      throw BackupError(
        "configuration.exists", kind: .failed, message: "there is a configuration: \(file.path.text)",
        remedy: "Change that file, or move it away first. hrp config validate looks for mistakes in it.")
    }
    console.result("Configuration: \(file.path.text)")
    try console.json(Output(file: file.path.text))
  }
}
