internal import ArgumentParser

/// The command `hrp notify`.
struct NotifyCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "notify",
    abstract: "Try the notices that tell what became of a backup.",
    discussion: """
      Notices go to a service that is pinged, to a web server, to an e-mail address, and to commands of yours. They \
      stand in config/hrp.yaml, group notices (docs/operations/notices.md).

      Examples:
        hrp notify test                       send a test notice everywhere now
      """,
    subcommands: [NotifyTestCommand.self])

  @OptionGroup var place: StackOptions
}
