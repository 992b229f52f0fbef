internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp backup pin`.
struct PinCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "pin",
    abstract: "Keep a backup, however old it is: while it is pinned, rotation never deletes it.",
    discussion: """
      The pin is a small file in .hrp-pins/ of the backup directory; the backup itself is not touched.

      Examples:
        hrp backup pin backup_20260124_020000 --reason "before the new universe"
        hrp backup pin latest
        hrp backup list
      """)

  @OptionGroup var backup: BackupArgument
  @Option(help: ArgumentHelp("Why it is kept.", valueName: "text")) var reason = ""
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let path = try UnpinCommand.find(backup, for: .pin, stack: place.stack, console: output.console)
    let pin = try PinDirectory(of: path.folder, files: Kernel()).pin(path.name, reason: reason)
    output.console.result("Pinned: \(path.text)")
    try output.console.json(PinOutput(path: path.text, pinned: true, at: pin.at, reason: pin.reason))
  }
}

/// The command `hrp backup unpin`.
struct UnpinCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpin",
    abstract: "Remove a pin: rotation may delete the backup again when it is old.",
    discussion: """
      Examples:
        hrp backup unpin backup_20260124_020000
      """)

  @OptionGroup var backup: BackupArgument
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let path = try Self.find(backup, for: .unpin, stack: place.stack, console: output.console)
    let wasPinned = try PinDirectory(of: path.folder, files: Kernel()).unpin(path.name)
    output.console.result(wasPinned ? "No longer pinned: \(path.text)" : "It was not pinned: \(path.text)")
    try output.console.json(PinOutput(path: path.text, pinned: false, wasPinned: wasPinned))
  }

  static func find(
    _ backup: BackupArgument, for kind: JobKind, stack: Stack, console: Console
  ) throws -> FilePath {
    try console.run(kind, on: stack, isRecorded: false) { try find(backup, stack: stack, events: $0) }
  }

  /// The backup that is meant.
  /// - Throws: `BackupError` `backup.not-found`, also for a path that is not a backup: it would be pinned for nothing.
  static func find(_ backup: BackupArgument, stack: Stack, events: EventStream) throws -> FilePath {
    let path = try stack.findBackup(backup.backup, files: Kernel(), time: SystemTime(), events: events)
    guard try Kernel().exists(path.appending("checksums.txt")) else {
      throw BackupError(
        "backup.not-found", kind: .notFound, message: "\(path.text) is not a backup",
        remedy: "See what there is: hrp backup list")
    }
    return path
  }
}

extension FilePath {
  /// The last component's bytes.
  var name: FileName { lastComponent.map { FileName($0) } ?? FileName("backup") }
}

/// What `hrp backup pin --json` and `unpin --json` say.
private struct PinOutput: Encodable {
  let path: String
  let pinned: Bool
  var at: String?
  var reason: String?
  var wasPinned: Bool?
}
