internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store

/// The command `hrp backup restore`.
struct RestoreCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Restore a backup: all of it or nothing. It can be undone.",
    discussion: """
      Every byte is checked on its way; nothing appears at the target before all of it is right and durable. A stack \
      that is there is replaced in one step and kept for a week: hrp backup undo brings it back.

      A database that any program has open is never replaced, not even with --force. Close that program, or wait for \
      it with --wait.

      An incomplete backup lacks files that could not be read when it was made. It replaces nothing, unless you add \
      --incomplete; a new place takes it, with a warning.

      Examples:
        hrp backup restore latest
        hrp backup restore latest-valid --wait 10m
        hrp backup restore offsite:latest
        hrp backup restore backup_20260124_020000 --target-dir /mnt/new --dry-run
        hrp backup restore 1 --target-dir ~/restored --only duckdb
        hrp backup restore 1 --target-dir ~/one-run --include mlruns/mlruns/4/a1b2
      """)

  @OptionGroup var backup: BackupArgument

  @OptionGroup var targets: TargetOptions

  @Option(help: ArgumentHelp("duckdb or mlflow: only this part.", valueName: "part"))
  var only: StackPart?

  @Option(
    help: ArgumentHelp("Only this file or folder of the backup, to a new place; may be repeated.", valueName: "path"))
  var include: [String] = []

  @Flag(
    help:
      "Continue although programs have files of MLflow open, and replace a database that cannot be opened for writing.")
  var force = false

  @Flag(help: "Replace what is there although the backup is incomplete.")
  var incomplete = false

  @Flag(name: .customLong("no-relocate"), help: "Leave MLflow's locations as they were at the old place.")
  var leavesLocations = false

  @OptionGroup var waiting: WaitOptions

  @Flag(name: .customLong("dry-run"), help: "Check the backup and the target, and write nothing.")
  var isDryRun = false

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  var target: String? { targets.targetDirectory }

  func run() throws {
    var request = RestoreRun.Request(part: only)
    request.isForced = force
    request.takesIncomplete = incomplete
    request.isDryRun = isDryRun
    request.relocates = !leavesLocations
    request.wait = waiting.wait
    request.includes = try include.map { text in
      // As hrp backup find prints it, `%0a` standing for a byte.
      var bytes = ByteText.bytes(of: text.utf8) ?? Array(text.utf8)
      while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
      guard let path = EntryPath(validating: bytes) else {
        throw ValidationError("'\(text)' is not a path in a backup, such as mlruns/mlruns/4")
      }
      return path
    }
    try Self.restore(
      backup.backup, stack: place.stack, target: targets.targetDirectory, request: request, console: output.console)
  }

  static func restore(
    _ text: String, stack: Stack, target: String?, request: RestoreRun.Request, console: Console
  ) throws {
    let result = try console.run(.restore, on: stack, isRecorded: !request.isDryRun) { events in
      let path = try stack.findBackup(
        text, holding: request.part, files: Kernel(), time: SystemTime(), events: events)
      if !request.isDryRun { console.result("Restoring from backup...") }
      var request = request
      request.surveys = true
      let run = try RestoreRun(
        DirectoryBackup(path, files: Kernel()), to: try UndoCommand.target(target, stack: stack), request: request,
        protecting: stack.protected, trash: Trash(of: stack.backupDirectory, files: Kernel(), time: SystemTime()),
        files: Kernel(), time: SystemTime(), events: events)
      return try run.run()
    }
    for name in result.restored { console.result("✓ Restored \(name)") }
    if request.isDryRun {
      let files = result.filesCount == 1 ? "1 file" : "\(result.filesCount) files"
      console.result("Would restore \(files) (\(ByteCount.text(result.sizeBytes))):")
      console.result("  From: \(result.path)")
      console.result("  To: \(result.target)")
    } else {
      console.result("Restore complete!")
      if result.undoPath != nil {
        console.notice(
          stack.settings.reasonToKeepNothing.map { "hrp: what was there is not kept (\($0))" }
            ?? "hrp: what was there is kept: hrp backup undo brings it back")
      }
    }
    try console.json(
      RestoreOutput(
        result, isDryRun: request.isDryRun, keepsUndo: stack.settings.reasonToKeepNothing == nil))
  }
}
