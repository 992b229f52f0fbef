internal import ArgumentParser
internal import Backup
internal import Files

/// The command `hrp recover`.
struct RecoverCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover",
    abstract: "The guide's disaster scenarios, guided: what is wrong, which backup helps, what to do.",
    discussion: """
      Looks at the stack and its backups and shows a plan; nothing is changed without --apply. With it, the backup is \
      restored in place (what is there is kept for hrp backup undo) and the result is validated.

        damaged database   the newest backup that is proven, else that verifies
        damaged MLflow     its part of that backup
        something deleted  --missing ID: the newest backup that still has it
        another machine    copy the backups here, then name them: --backup-dir
        damaged backups    walks back and names each failure; when none is left,
                           says what to do

      Examples:
        hrp recover
        hrp recover --missing HYP-2026-001
        hrp recover --apply --wait 10m
        hrp recover --data-dir ~/hrp-data --backup-dir /media/disk/backups
      """)

  @Option(help: ArgumentHelp("An id, a name or a file that is gone.", valueName: "text")) var missing: String?
  @Flag(help: "Carry the plan out.") var apply = false
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = place.stack
    let console = output.console
    let plan = try Operation.run("recover", stack, console, isLogged: false) { events in
      try Recovery(stack, files: Kernel(), time: SystemTime(), events: events).plan(missing: missing)
    }
    tell(plan, console)
    if !apply || plan.backup == nil {
      console.json(json(plan, health: nil))
      if plan.scenario == .noUsableBackup { throw ExitCode(Failure.Exit.failed) }
      return
    }
    let health = try carryOut(plan, stack, console)
    console.json(json(plan, health: health))
    guard health.status == "ok" else { throw ExitCode(Failure.Exit.failed) }
  }

  private func tell(_ plan: RecoveryPlan, _ console: Console) {
    console.result("Scenario: \(plan.scenario.words)")
    for finding in plan.findings { console.result("  \(finding)") }
    if let backup = plan.backup { console.result("Backup: \(backup)") }
    for (number, step) in plan.steps.enumerated() { console.result("  \(number + 1). \(step)") }
    guard plan.backup != nil, !apply else { return }
    let missing = missing.map { " --missing \(StackOptions.quoted($0))" } ?? ""
    console.result("Nothing was changed. To do it: hrp recover --apply\(missing)\(place.words)")
  }

  private func carryOut(_ plan: RecoveryPlan, _ stack: Stack, _ console: Console) throws -> HealthReport {
    try Operation.run("recover", stack, console) { events in
      var request = RestoreRun.Request(part: plan.part)
      request.wait = waiting.wait
      request.surveys = true
      // What cannot be read is what is to be replaced.
      request.isForced = plan.scenario == .corruptedDatabase
      let result = try RestoreRun(
        Stack.absolute(plan.backup ?? ""), to: RestoreTarget(stack, files: Kernel()), request,
        protecting: stack.protected, files: Kernel(), time: SystemTime(), events: events
      ).run()
      for name in result.restored { console.result("✓ Restored \(name)") }
      let health = try LiveDatabase(stack, files: Kernel(), time: SystemTime()).health(expecting: .found)
      console.result("\(health.status == "ok" ? "✓" : "✗") Database: \(health.database)")
      return health
    }
  }

  private func json(_ plan: RecoveryPlan, health: HealthReport?) -> JSONText {
    .object([
      ("scenario", .text(plan.scenario.rawValue)), ("findings", .list(plan.findings.map { .text($0) })),
      ("backup", .optional(plan.backup)), ("steps", .list(plan.steps.map { .text($0) })),
      ("applied", .flag(health != nil)), ("status", .optional(health?.status)),
    ])
  }
}
