internal import ArgumentParser
internal import Backup

/// `hrp backup`: its subcommands, and the guide's flags as they stand.
struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Make, list, verify and restore backups.",
    discussion: """
      The flags of the operations guide work too: hrp backup --backup, --list, --verify PATH, --restore PATH.

      Examples:
        hrp backup create --data-dir ~/hrp-data
        hrp backup verify backup_20260124_020000
        hrp backup restore 1 --target-dir /path/to/new/location
      """,
    subcommands: [
      CreateCommand.self, ListCommand.self, VerifyCommand.self, RestoreCommand.self, UndoCommand.self,
      DrillCommand.self,
      RotateCommand.self, FindCommand.self, PinCommand.self, UnpinCommand.self,
    ])

  @Flag(name: .customLong("backup"), help: "Make a backup.")
  var isBackup = false

  @Option(name: .customLong("verify"), help: ArgumentHelp("Verify a backup.", valueName: "path"))
  var verifyPath: String?

  @Option(name: .customLong("restore"), help: ArgumentHelp("Restore a backup.", valueName: "path"))
  var restorePath: String?

  @Flag(name: .customLong("rotate"), help: "Delete old backups.")
  var isRotate = false

  @Flag(name: .customLong("list"), help: "List the backups.")
  var isList = false

  // Groups that a subcommand has too: the parser hands it what was read here.
  @OptionGroup var target: TargetOptions
  @OptionGroup var content: ContentOptions
  @OptionGroup var retention: RetentionOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  /// The first action of the Python tool's order; none: the help.
  func run() throws {
    if isBackup {
      try CreateCommand.create(place.stack, content, console: output.console)
    } else if let verifyPath {
      try VerifyCommand.verify(verifyPath, level: .checksums, place.stack, output.console)
    } else if let restorePath {
      try RestoreCommand.restore(
        restorePath, place.stack, target: target.targetDirectory, RestoreRun.Request(),
        undo: UndoCommand.words(place, target), output.console)
    } else if isRotate {
      try RotateCommand.rotate(place.stack, keepDays: retention.keepDays, isDryRun: false, output.console)
    } else if isList {
      try ListCommand.list(place.stack, output.console)
    } else {
      throw CleanExit.helpRequest(Self.self)
    }
  }
}
