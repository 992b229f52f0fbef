internal import ArgumentParser

/// `hrp backup`: its subcommands; the guide's flags are those of `GuideCommand`.
struct BackupCommand: ParsableCommand, StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Make, list, verify and restore backups.",
    discussion: """
      The flags of the operations guide work too, one at a time and without a subcommand:

        hrp backup --backup [--no-mlflow]
        hrp backup --list
        hrp backup --verify PATH
        hrp backup --restore PATH [--target-dir DIR]
        hrp backup --rotate [--keep-days DAYS]

      Examples:
        hrp backup create --data-dir ~/hrp-data
        hrp backup verify backup_20260124_020000
        hrp backup restore 1 --target-dir /path/to/new/location
      """,
    subcommands: [
      CreateCommand.self, ListCommand.self, ShowCommand.self, VerifyCommand.self, RestoreCommand.self,
      UndoCommand.self, DrillCommand.self, BackupCopyCommand.self, RotateCommand.self, TrashCommand.self,
      FindCommand.self, PinCommand.self,
      UnpinCommand.self,
      GuideCommand.self,
    ],
    defaultSubcommand: GuideCommand.self)

  // Every subcommand has these options too. The parser passes on what it reads here, so they may come first.
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions
}
