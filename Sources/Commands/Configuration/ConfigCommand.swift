internal import Advice
internal import ArgumentParser
internal import Files
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp config`.
struct ConfigCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Show, check or begin the configuration file of a stack.",
    discussion: """
      The file is config/hrp.yaml in the data directory. A value is taken from the first that has it: a flag, an \
      environment variable, the file, the default.

      Examples:
        hrp config init                       write a file with every key and what it means
        hrp config validate                   look for mistakes
        hrp config show                       each value, and where it comes from
      """,
    subcommands: [ConfigShowCommand.self, ConfigValidateCommand.self, ConfigInitCommand.self])

  @OptionGroup var place: StackOptions
}
