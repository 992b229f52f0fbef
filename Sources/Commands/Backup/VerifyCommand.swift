internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Stacks
internal import Store

/// The command `hrp backup verify`.
struct VerifyCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read a backup and check it; nothing in it is changed.",
    discussion: """
      The level checksums finds every byte that changed, every file that is missing or was added. The level \
      structure also checks each block in use of the DuckDB file, its WAL, and the SQLite databases. The level engine \
      then has DuckDB itself read everything, read-only and in a process of its own: the WAL replays, every column of \
      every table is read, foreign keys hold; views that do not bind are named. It needs DuckDB's library \
      (HRP_DUCKDB_LIBRARY).

      A failure is noted beside the backup; list, doctor, rotate and latest-valid heed it until such a verification \
      passes.

      Examples:
        hrp backup verify latest
        hrp backup verify 2 --level checksums
        hrp backup verify latest --level engine
        hrp backup verify offsite:latest
        hrp backup verify /mnt/copy/backup_20260124_020000 --json
      """)

  @OptionGroup var backup: BackupArgument
  @Option(help: ArgumentHelp("checksums, structure or engine.", valueName: "level"))
  var level: VerificationLevel = .structure
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws { try Self.verify(backup.backup, level: level, stack: place.stack, console: output.console) }

  static func verify(_ text: String, level: VerificationLevel, stack: Stack, console: Console) throws {
    let report = try console.run(.verify, on: stack) { events in
      let path = try stack.findBackup(text, files: Kernel(), time: SystemTime(), events: events)
      return try Verification(files: Kernel(), time: SystemTime(), events: events).verify(
        DirectoryBackup(path, files: Kernel()), level: level, isRecorded: true)
    }
    try console.json(VerificationOutput(report))
    if report.isOK {
      console.result("✓ Backup verified successfully")
      console.result("  All \(report.filesChecked) files match checksums")
      if let engine = report.engine {
        console.result(
          "  DuckDB \(engine.version) read \(ItemCount.text(engine.tables.count, of: "table")), \(engine.rows) rows")
      }
      return
    }
    console.result("✗ Backup verification failed")
    for line in Self.lines(report.findings) { console.result("  \(line)") }
    if let command = report.mendingCommand { console.result("  If you do not need it: \(command)") }
    throw ExitCode.failed
  }

  /// One line a file, as the guide has it: that its contents changed says more than where.
  private static func lines(_ findings: [Finding]) -> [String] {
    var files: [String] = []
    var chosen: [String: Finding] = [:]
    for finding in findings {
      if chosen[finding.file] == nil { files.append(finding.file) }
      if chosen[finding.file] == nil || finding.kind == .mismatch { chosen[finding.file] = finding }
    }
    return files.compactMap { chosen[$0]?.line }
  }
}
