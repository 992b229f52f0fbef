internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Stacks
internal import Store

/// The command `hrp backup create`.
struct CreateCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Make a backup of a stack in use.",
    discussion: """
      Everything is written, made durable, read back from the disk and compared before the backup appears. MLflow \
      files that did not change are hard-linked from the backup before.

      With --reflink the backup takes no space until the database changes, and is made in a moment. But a defect of \
      the disk under the shared blocks destroys both. Keep another backup elsewhere.

      Examples:
        hrp backup create
        hrp backup create --data-dir ~/hrp-data --no-mlflow
        hrp backup create --reflink
        hrp backup create --dry-run
        hrp backup create --json | jq -r .path
      """)

  @OptionGroup var place: StackOptions

  @OptionGroup var content: ContentOptions

  @Flag(
    name: .customLong("reflink"),
    help: "Keep a clone of the database that shares its storage (XFS, btrfs, APFS), instead of a copy of its own.")
  var isReflink = false

  @Flag(
    name: .customLong("new-place"),
    help: "Begin anew in a backup directory that has lost all backups that were known there.")
  var beginsAnew = false

  @Flag(name: .customLong("dry-run"), help: "Say what would be done, and write nothing.")
  var isDryRun = false

  @OptionGroup var output: OutputOptions

  func run() throws {
    if isDryRun {
      try plan()
    } else {
      try Self.create(
        place.stack, includesMLflow: !content.withoutMLflow, linksUnchanged: !content.withoutLinks,
        isReflink: isReflink, beginsAnew: beginsAnew, console: output.console)
    }
  }

  static func create(
    _ stack: Stack, includesMLflow: Bool, linksUnchanged: Bool, isReflink: Bool = false, beginsAnew: Bool = false,
    console: Console
  ) throws {
    let result = try console.run(.create, on: stack) { events in
      try BackupRun(
        stack, includesMLflow: includesMLflow, linksUnchanged: linksUnchanged, sharesDatabase: isReflink,
        beginsAnew: beginsAnew, memory: console.jobs(on: stack).memory, files: Kernel(), time: SystemTime(),
        events: events
      ).run()
    }
    console.result("Backup created successfully:")
    console.result("  Path: \(result.path)")
    console.result("  Size: \(ByteCount.megabytes(result.sizeBytes))")
    if result.isComplete {
      console.result("  Checksum: verified")
    } else {
      let count = ItemCount.text(result.unread.count, of: "source file")
      console.result("  Checksum: incomplete, \(count) could not be read")
    }
    try console.json(try CreateOutput(result))
    if !result.isComplete { throw ExitCode.partial }
  }

  private func plan() throws {
    let console = output.console
    let (plan, unread) = try console.run(.create, on: place.stack, isRecorded: false, finishesPending: false) {
      events in
      try BackupRun(
        place.stack, includesMLflow: !content.withoutMLflow, beginsAnew: beginsAnew,
        memory: console.jobs(on: place.stack).memory, files: Kernel(), time: SystemTime(), events: events
      ).rehearse()
    }
    console.result("Would back up:")
    console.result("  Database: \(plan.database) (\(ByteCount.text(plan.databaseBytes)))")
    if let mlflow = plan.mlflow {
      console.result("  MLflow: \(mlflow) (\(plan.mlflowFiles) files, \(ByteCount.text(plan.mlflowBytes)))")
    }
    console.result("  To: \(plan.backupDirectory) (\(ByteCount.text(Int64(clamping: plan.availableBytes))) free)")
    for path in unread { console.warning("hrp: warning: \(path) cannot be read: the backup would be incomplete") }
    try console.json(CreatePlanOutput(plan, unread: unread))
    guard plan.fits else { throw ExitCode.noSpace }
    if !unread.isEmpty { throw ExitCode.partial }
  }
}
