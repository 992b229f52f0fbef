internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Retention
internal import Settings
internal import Stacks
internal import Store

/// The command `hrp backup rotate`.
struct RotateCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate",
    abstract: "Move the backups to the trash that no rule keeps.",
    discussion: """
      A backup stays if any rule keeps it. Without a flag the rules of the configuration hold (retention: in \
      config/hrp.yaml), else --keep-days 30; one flag replaces them all. Days, weeks and months without a backup do \
      not count. Where a day, a week or a month begins is told by the configured timezone.

      The newest two good backups stay, whatever the rules say: good is what was read just now and is right. A backup \
      that is pinned, whose name and metadata disagree about its date, whose date is in the future, that is being \
      read, or that cannot be judged (its pin, its proof or its metadata cannot be read) stays too.

      What goes lies in the trash for 3 days (retention.trash_days) and can be brought back: hrp backup trash.

      Examples:
        hrp backup rotate --dry-run
        hrp backup rotate --keep-days 7
        hrp backup rotate --keep-daily 7 --keep-weekly 4 --keep-monthly 12
        hrp backup rotate --keep-preset 7/4/12 --dry-run
        hrp backup rotate --at offsite --keep-monthly 24
      """)

  @OptionGroup var retention: RetentionOptions

  @Flag(name: .customLong("dry-run"), help: "Say of each backup whether it would go and why, and delete nothing.")
  var isDryRun = false

  @OptionGroup var copies: PlaceOption
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try place.stack
    try Self.rotate(
      copies.stack(stack), retention: retention.settings(replacing: copies.rotation(of: stack)), isDryRun: isDryRun,
      console: output.console)
  }

  static func rotate(_ stack: Stack, retention: RetentionSettings, isDryRun: Bool, console: Console) throws {
    let result = try console.run(.rotate, on: stack, isRecorded: !isDryRun) { events in
      try Rotation(in: stack.backupDirectory, files: Kernel(), time: SystemTime(), events: events)
        .run(retention, isDryRun: isDryRun)
    }
    console.result("Rotating backups (keeping \(Self.words(retention.policy)))...")
    console.result("\(isDryRun ? "Would delete" : "Deleted") \(result.deleted.count) old backups")
    if isDryRun {
      for reason in result.reasons {
        console.result("  \(reason.name) \(reason.isKept ? "stays" : "goes"): \(reason.why)")
      }
    }
    console.result("Remaining: \(result.kept.count) backups")
    try console.json(RotationOutput(result, isDryRun: isDryRun))
  }

  /// The policy as the guide's line has it: "last 30 days"; else its rules.
  private static func words(_ policy: RetentionPolicy) -> String {
    guard let days = policy.keepDays, policy.counts.isEmpty, policy.keepWithin == nil else { return policy.words }
    return "last \(days) days"
  }
}
