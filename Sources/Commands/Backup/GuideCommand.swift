internal import ArgumentParser
internal import Backup
internal import Settings
internal import Stacks
internal import Store

/// The flags of the operations guide, as they stand after `hrp backup`.
///
/// They are a hidden subcommand of their own, the default one: so no other subcommand takes them.
struct GuideCommand: ParsableCommand, StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "guide-flags",
    abstract: "The flags of the operations guide, for hrp backup without a subcommand.",
    shouldDisplay: false)

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

  @Option(
    name: .customLong("target-dir"),
    help: ArgumentHelp("With --restore: the directory that is restored to.", valueName: "dir"),
    completion: .directory)
  var targetDirectory: String?

  @Flag(name: .customLong("no-mlflow"), help: "With --backup: the database only.")
  var withoutMLflow = false

  @Flag(name: .customLong("no-link"), help: "With --backup: copy every MLflow file.")
  var withoutLinks = false

  @Option(
    name: .customLong("keep-days"), help: ArgumentHelp("With --rotate: delete what is older.", valueName: "n"))
  var keepDays: Int?

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  private enum Action: String {
    case backup = "--backup"
    case verify = "--verify"
    case restore = "--restore"
    case rotate = "--rotate"
    case list = "--list"
  }

  private var actions: [Action] {
    let all: [(Action, Bool)] = [
      (.backup, isBackup), (.verify, verifyPath != nil), (.restore, restorePath != nil), (.rotate, isRotate),
      (.list, isList),
    ]
    return all.filter(\.1).map(\.0)
  }

  /// Each flag is obeyed or refused: what belongs to another action is never ignored.
  func validate() throws {
    let actions = actions
    if actions.count > 1 {
      throw ValidationError(
        "\(actions.map(\.rawValue).joined(separator: " and ")) cannot be asked for together: run one after the other")
    }
    let partners: [(flag: String, isGiven: Bool, action: Action)] = [
      ("--target-dir", targetDirectory != nil, .restore), ("--no-mlflow", withoutMLflow, .backup),
      ("--no-link", withoutLinks, .backup), ("--keep-days", keepDays != nil, .rotate),
    ]
    for partner in partners where partner.isGiven && actions.first != partner.action {
      throw ValidationError(
        "\(partner.flag) works only together with \(partner.action.rawValue)"
          + (actions.first.map { ", not with \($0.rawValue)" } ?? ""))
    }
    if targetDirectory == "" { throw ValidationError("--target-dir is empty. Is a variable of your script not set?") }
    if actions.isEmpty, output.json {
      throw ValidationError("--json needs something to do: a subcommand such as list, or a flag such as --list")
    }
  }

  /// Without an action: the help, as the Python tool did.
  func run() throws {
    guard let action = actions.first else { throw CleanExit.helpRequest(BackupCommand.self) }
    let console = output.console
    switch action {
    case .backup:
      try CreateCommand.create(
        place.stack, includesMLflow: !withoutMLflow, linksUnchanged: !withoutLinks, console: console)
    case .verify:
      try VerifyCommand.verify(verifyPath ?? "", level: .checksums, stack: place.stack, console: console)
    case .restore:
      try RestoreCommand.restore(
        restorePath ?? "", stack: place.stack, target: targetDirectory, request: RestoreRun.Request(), console: console)
    case .rotate:
      let stack = try place.stack
      try RotateCommand.rotate(
        stack, retention: stack.settings.rotation(keepingDays: keepDays), isDryRun: false, console: console)
    case .list:
      try ListCommand.list(place.stack, console: console, style: .guide)
    }
  }

  var target: String? { targetDirectory }
}
