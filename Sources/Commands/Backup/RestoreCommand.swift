internal import ArgumentParser
internal import Backup
internal import Files

/// The command `hrp backup restore`.
struct RestoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Restore a backup to a place that holds no stack.",
    discussion: """
      Every byte is checked on its way; nothing appears at the target before all of it is right and durable. A target
      that holds a stack is refused: restoring in place comes with a later version.

      Examples:
        hrp backup restore latest --target-dir ~/restored
        hrp backup restore backup_20260124_020000 --target-dir /mnt/new --dry-run
        hrp backup restore 1 --target-dir ~/restored --only duckdb
      """)

  @OptionGroup var backup: BackupArgument

  @OptionGroup var target: TargetOptions

  @Option(help: ArgumentHelp("duckdb or mlflow: only this part.", valueName: "part"))
  var only: StackPart?

  @Flag(name: .customLong("dry-run"), help: "Check the backup and the target, and write nothing.")
  var isDryRun = false

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try Self.restore(
      backup.backup, place.stack, target: target.targetDirectory, part: only, isDryRun: isDryRun, output.console)
  }

  static func restore(
    _ text: String, _ stack: Stack, target: String?, part: StackPart?, isDryRun: Bool, _ console: Console
  ) throws {
    let result = try Operation.run("backup restore", stack, console, isLogged: !isDryRun) { events in
      let path = try BackupDirectory(stack.backupDirectory, files: Kernel())
        .find(text, time: SystemTime(), events: events)
      if !isDryRun { console.result("Restoring from backup...") }
      let target = target.map { Stack.absolute($0) } ?? stack.dataDirectory
      let run = RestoreRun(path, to: target, part: part, files: Kernel(), time: SystemTime(), events: events)
      return try run.run(isDryRun: isDryRun)
    }
    for name in result.restored { console.result("✓ Restored \(name)") }
    if isDryRun {
      console.result("Would restore \(result.filesCount) files (\(ByteCount.text(result.sizeBytes))):")
      console.result("  From: \(result.path)")
      console.result("  To: \(result.target)")
    } else {
      console.result("Restore complete!")
    }
    console.json(
      .object([
        ("path", .text(result.path)), ("target", .text(result.target)),
        ("restored", .list(result.restored.map { .text($0) })), ("undo", .null), ("relocated", .list([])),
        ("lost", .list([])), ("dry_run", .flag(isDryRun)),
      ]))
  }
}
