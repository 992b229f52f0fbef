internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp backup trash`.
struct TrashCommand: ParsableCommand, StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "trash",
    abstract: "See, bring back or remove what a rotation deleted.",
    discussion: """
      What hrp backup rotate deletes lies in .hrp-trash/ of the backup directory for 3 days (retention.trash_days). It \
      goes earlier when a backup needs the space.

      Examples:
        hrp backup trash list
        hrp backup trash restore backup_20260124_020000
        hrp backup trash empty
      """,
    subcommands: [TrashListCommand.self, TrashRestoreCommand.self, TrashEmptyCommand.self])

  @OptionGroup var place: StackOptions
}

/// The command `hrp backup trash list`.
struct TrashListCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List what is in the trash, with the time until which it stays.",
    discussion: """
      Examples:
        hrp backup trash list
        hrp backup trash list --json | jq -r '.[].name'
      """)

  @OptionGroup var copies: PlaceOption
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try copies.stack(place.stack)
    let days = stack.settings.retention.trashDays.value
    let entries = try output.console.run(.trash, on: stack, isRecorded: false) { _ in
      try Trash(of: stack.backupDirectory, files: Kernel(), time: SystemTime()).entries()
    }
    let rows = entries.map { TrashOutput($0, keptFor: days) }
    if rows.isEmpty { output.console.result("The trash is empty") }
    for row in rows {
      let until = row.until.map { "stays until \($0.prefix(16).split(separator: "T").joined(separator: " "))" }
      output.console.result("  \(row.name)  \(until ?? "stays until the trash is emptied: nothing says since when")")
    }
    try output.console.json(rows)
  }
}

/// The command `hrp backup trash restore`.
struct TrashRestoreCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Bring deleted backups back into the list.",
    discussion: """
      Pin a backup that the next rotation must not delete again: hrp backup pin.

      Examples:
        hrp backup trash restore backup_20260124_020000
      """)

  @Argument(help: ArgumentHelp("The names of the backups.", valueName: "name"), completion: .trash)
  var names: [String]
  @OptionGroup var copies: PlaceOption
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  private struct Output: Encodable {
    let restored: [String]
  }

  func run() throws {
    let stack = try copies.stack(place.stack)
    try output.console.run(.trash, on: stack) { events in
      try TrashRun(in: stack.backupDirectory, files: Kernel(), time: SystemTime(), events: events).restore(names)
    }
    for name in names { output.console.result("Brought back: \(name)") }
    try output.console.json(Output(restored: names))
  }
}

/// The command `hrp backup trash empty`.
struct TrashEmptyCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "empty", abstract: "Delete for good what is in the trash.",
    discussion: """
      Examples:
        hrp backup trash empty --dry-run
        hrp backup trash empty
        hrp backup trash empty backup_20260124_020000
      """)

  @Argument(help: ArgumentHelp("Only these backups (default: all).", valueName: "name"), completion: .trash)
  var names: [String] = []
  @Flag(name: .customLong("dry-run"), help: "Say what would be deleted, and delete nothing.") var isDryRun = false
  @OptionGroup var copies: PlaceOption
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  private struct Output: Encodable {
    let deleted: [String]
    let bytesFreed: Int64
    let dryRun: Bool
  }

  func run() throws {
    let stack = try copies.stack(place.stack)
    let result = try output.console.run(.trash, on: stack, isRecorded: !isDryRun) { events in
      try TrashRun(in: stack.backupDirectory, files: Kernel(), time: SystemTime(), events: events)
        .empty(names, isDryRun: isDryRun)
    }
    for name in result.deleted { output.console.result("\(isDryRun ? "Would delete" : "Deleted") \(name)") }
    if result.deleted.isEmpty { output.console.result("The trash is empty") }
    if !isDryRun { output.console.result("Freed: \(ByteCount.text(result.bytesFreed))") }
    try output.console.json(Output(deleted: result.deleted, bytesFreed: result.bytesFreed, dryRun: isDryRun))
  }
}
