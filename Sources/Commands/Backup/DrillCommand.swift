internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Stacks
internal import Store

/// The command `hrp backup drill`.
struct DrillCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "drill",
    abstract: "Restore a backup to scratch, have DuckDB use it, write down the proof, throw it away.",
    discussion: """
      The backup is restored for real. DuckDB then opens the copy in a process of its own: the WAL replays, every \
      column of every table is read, foreign keys hold, every index refuses a key that is there and finds sampled \
      rows, checkpoints are written and read again; views that do not bind are named. MLflow's databases are checked, \
      ready models have their artifacts, and every experiment that DuckDB names is there. Later drills of the same \
      backup must read the same.

      When only a checkpoint fails, the bytes are sound, and the live database is in danger too: that is said, and the \
      backup stays one to restore, behind those that pass.

      Scratch is scratch/ in the data directory (or TMPDIR) and needs the size of the backup. The library is found as \
      verify --level engine finds it (HRP_DUCKDB_LIBRARY).

      Examples:
        hrp backup drill
        hrp backup drill backup_20260124_020000 --json | jq .ok
      """)

  @Argument(
    help: ArgumentHelp(
      "A path, a name (backup_20260124_020000), a number from the list, or latest.", valueName: "backup"),
    completion: .backups)
  var backup = "latest"
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try place.stack
    let console = output.console
    let report = try console.run(.drill, on: stack) { events in
      let path = try stack.findBackup(backup, files: Kernel(), time: SystemTime(), events: events)
      return try DrillRun(
        DirectoryBackup(path, files: Kernel()), scratchDirectory: stack.scratchDirectory, files: Kernel(),
        time: SystemTime(), events: events
      ).run()
    }
    try console.json(DrillOutput(report))
    guard report.isOK else {
      console.result("✗ Drill failed: \(report.name)")
      for finding in report.findings.prefix(100) { console.result("  \(finding.line)") }
      if report.findings.count > 100 { console.result("  and \(report.findings.count - 100) more (see --json)") }
      if report.state == .checkpointFailed {
        console.result(
          "  The backup is sound: it restores, and DuckDB reads every byte of it. Only a checkpoint fails, and the "
            + "live database may fail at its next one too.")
        console.result("  \(DrillReport.checkpointRemedy)")
      }
      throw ExitCode.failed
    }
    console.result("✓ Drill passed: \(report.name)")
    if let engine = report.engine {
      console.result(
        "  DuckDB \(engine.version) read \(ItemCount.text(engine.tables.count, of: "table")), \(engine.rows) rows")
      for table in engine.tables {
        guard let before = report.rowsBefore[table.name], before != table.rows else { continue }
        console.result("  \(table.name): \(table.rows) rows, \(before) in the proven backup before")
      }
    }
    console.result("  Took \(ByteCount.rounded(report.durationSeconds, decimals: 1)) s")
  }
}
