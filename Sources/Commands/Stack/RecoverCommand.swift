internal import Advice
internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Stacks
internal import Store

/// The command `hrp recover`.
struct RecoverCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover",
    abstract: "The guide's disaster scenarios, guided: what is wrong, which backup helps, what to do.",
    discussion: """
      Looks at the stack and its backups and shows a plan; nothing is changed without --apply. With it, the backup is \
      restored in place (what is there is kept for hrp backup undo) and the result is validated.

        damaged database   the newest backup that is proven, else that verifies
        damaged MLflow     its part of that backup, also when a folder is gone or
                           artifacts that its records name
        something deleted  --missing TEXT: the newest backup that has what the stack
                           lacks: rows with this id, a table, a column, a file
        another machine    copy the backups here, then name them: --backup-dir
        damaged backups    walks back and names each failure; when none is left,
                           says what to do

      Only the part that is wrong is restored. --backup takes another backup than the one that is recommended.

      Examples:
        hrp recover
        hrp recover --missing HYP-2026-001
        hrp recover --missing prices --backup backup_20260124_020000
        hrp recover --apply --wait 10m
        hrp recover --data-dir ~/hrp-data --backup-dir /media/disk/backups
      """)

  @Option(help: ArgumentHelp("An id, a name, a table, a column or a file that is gone.", valueName: "text"))
  var missing: String?
  @Option(
    help: ArgumentHelp("Restore this backup, not the one that is recommended: as for restore.", valueName: "backup"),
    completion: .backups)
  var backup: String?
  @Flag(help: "Carry the plan out.") var apply = false
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try place.stack
    let console = output.console
    let plan = try console.run(.recover, on: stack, isRecorded: false) { events in
      try Recovery(stack, from: backup, files: Kernel(), time: SystemTime(), events: events).plan(missing: missing)
    }
    tell(plan, console: console)
    if !apply || plan.backup == nil {
      try console.json(output(plan, health: nil, stillMissing: []))
      if plan.scenario == .noUsableBackup { throw ExitCode.failed }
      return
    }
    let (health, stillMissing) = try carryOut(plan, on: stack, console: console)
    try console.json(output(plan, health: health, stillMissing: stillMissing))
    guard health.isOK, stillMissing.isEmpty else { throw ExitCode.failed }
  }

  private func tell(_ plan: RecoveryPlan, console: Console) {
    // A text that no backup holds says nothing of the backups.
    let isUnknown = missing != nil && plan.scenario == .noUsableBackup
    console.result("Scenario: \(isUnknown ? "no backup brings that back" : plan.scenario.words)")
    for finding in plan.findings { console.result("  \(finding)") }
    if let backup = plan.backup {
      console.result("Backup: \(backup)")
      if let timestamp = plan.timestamp { console.result("  \(Self.age(timestamp))") }
      let lost = plan.losses?.rows ?? []
      if !lost.isEmpty { console.result("What changes by it:") }
      for row in lost.prefix(20) { console.result("  \(row.line)") }
      if lost.count > 20 { console.result("  and \(lost.count - 20) more (see --json)") }
      for notice in plan.losses?.notices ?? [] { console.result("  \(notice)") }
    }
    for (number, step) in plan.steps.enumerated() { console.result("  \(number + 1). \(step)") }
    guard plan.backup != nil, !apply else { return }
    let options = [("--missing", missing), ("--backup", backup)]
      .compactMap { name, value in value.map { " \(name) \(ShellWord.quoted($0))" } }.joined()
    console.result("Nothing was changed. To do it: hrp recover --apply\(options)\(place.words)")
  }

  /// When a backup was made, and how long ago that is.
  private static func age(_ timestamp: Int64) -> String {
    let age = Age.words(since: timestamp, now: SystemTime().nowNanoseconds)
    return "of \(LocalTime(nanoseconds: timestamp).plain), \(age) old"
  }

  private func carryOut(_ plan: RecoveryPlan, on stack: Stack, console: Console) throws -> (
    HealthReport, stillMissing: [SearchHit]
  ) {
    try console.run(.recover, on: stack) { events in
      var request = RestoreRun.Request(part: plan.part)
      request.wait = waiting.wait
      request.surveys = true
      // The plan has said what it lacks.
      request.takesIncomplete = true
      // The database that cannot be read is the one to replace.
      request.isForced = plan.scenario == .corruptedDatabase
      let result = try RestoreRun(
        DirectoryBackup(Stack.absolute(plan.backup ?? ""), files: Kernel()), to: RestoreTarget(stack, files: Kernel()),
        request: request,
        protecting: stack.protected, trash: Trash(of: stack.backupDirectory, files: Kernel(), time: SystemTime()),
        files: Kernel(), time: SystemTime(), events: events
      ).run()
      for name in result.restored { console.result("✓ Restored \(name)") }
      let health = try LiveDatabase(stack, files: Kernel(), time: SystemTime()).health(expecting: .found)
      console.result("\(health.isOK ? "✓" : "✗") Database: \(health.database)")
      guard let missing else { return (health, []) }
      let stillMissing = try Recovery(stack, files: Kernel(), time: SystemTime(), events: events)
        .stillMissing(missing, plan: plan)
      for hit in plan.missing {
        console.result("\(stillMissing.contains(hit) ? "✗ Still missing" : "✓ Back"): \(missing) in \(hit.place)")
      }
      return (health, stillMissing)
    }
  }

  private func output(_ plan: RecoveryPlan, health: HealthReport?, stillMissing: [SearchHit]) -> RecoveryOutput {
    RecoveryOutput(
      plan, steps: plan.steps.map(PrintedCommands.current.completed), health: health, stillMissing: stillMissing)
  }
}
