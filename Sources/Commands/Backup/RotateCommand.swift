internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Stacks
internal import Store

/// The command `hrp backup rotate`.
struct RotateCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate",
    abstract: "Delete backups that are older than a number of days.",
    discussion: """
      The newest two good backups stay, whatever their age: good is what was read just now and is right. A backup \
      whose name and metadata disagree about its age, that is being read, that is damaged, or that cannot be judged \
      (its pin, its proof or its metadata cannot be read) stays too.

      Examples:
        hrp backup rotate
        hrp backup rotate --keep-days 7 --dry-run
      """)

  @OptionGroup var retention: RetentionOptions

  @Flag(name: .customLong("dry-run"), help: "Say what would be deleted, and delete nothing.")
  var isDryRun = false

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try Self.rotate(place.stack, keepDays: retention.keepDays, isDryRun: isDryRun, console: output.console)
  }

  static func rotate(_ stack: Stack, keepDays: Int, isDryRun: Bool, console: Console) throws {
    let result = try console.run(.rotate, on: stack, isRecorded: !isDryRun) { events in
      try Rotation(in: stack.backupDirectory, files: Kernel(), time: SystemTime(), events: events)
        .run(keepDays: keepDays, isDryRun: isDryRun)
    }
    console.result("Rotating backups (keeping last \(keepDays) days)...")
    console.result("\(isDryRun ? "Would delete" : "Deleted") \(result.deleted.count) old backups")
    if isDryRun { for name in result.deleted { console.result("  \(name)") } }
    console.result("Remaining: \(result.kept.count) backups")
    try console.json(RotationOutput(result, isDryRun: isDryRun))
  }
}
