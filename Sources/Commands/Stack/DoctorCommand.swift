internal import Advice
internal import ArgumentParser
internal import DuckDBEngine
internal import Files
internal import Jobs
internal import Scheduling
internal import Stacks
internal import Store

/// The command `hrp doctor`.
struct DoctorCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look at everything that a backup and a restore depend on, and say how to repair what is wrong.",
    discussion: """
      Each line is ✓ (good), ! (look at it) or ✗ (does not work), with the command that repairs it. Nothing is \
      changed. The exit code is 1 when there is a ✗.

      --report writes a text file for a bug report: what is above, versions, sizes, the end of the log. Names of user \
      and machine, the home directory, and secrets in addresses are taken out. Read it before you send it.

      Examples:
        hrp doctor
        hrp doctor --report hrp-report.txt
        hrp doctor --explain 'IO Error: Could not set lock on file "hrp.duckdb": Conflicting lock is held'
        hrp doctor --json | jq '.rows[] | select(.state != "good")'
      """)

  @Option(help: ArgumentHelp("Write a redacted bundle for a bug report.", valueName: "file"), completion: .file())
  var report: String?
  @Option(help: ArgumentHelp("Say what an error text of DuckDB means, and do nothing else.", valueName: "text"))
  var explain: String?
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let console = output.console
    if let explain { return try tell(explain, console: console) }
    let stack = try place.stackThatCanBeLookedAt
    var rows = try console.run(.doctor, on: stack, isRecorded: false) { events in
      try Diagnosis(stack, files: Kernel(), time: SystemTime(), events: events).run()
    }
    if let row = try schedulerRow(of: stack) { rows.append(row) }
    for row in rows {
      console.result("\(row.state.mark) \(title(row.name))\(row.detail)")
      if let remedy = row.remedy { console.result("    → \(remedy)") }
    }
    let failures = rows.count { $0.state == .failure }
    let warnings = rows.count { $0.state == .warning }
    console.result("\(rows.count) looked at: \(failures) wrong, \(warnings) worth a look")
    if let report {
      let path = Stack.absolute(report)
      try DiagnosisBundle(stack, files: Kernel(), time: SystemTime()).write(rows, to: path)
      console.result("Report: \(path.text)")
    }
    try console.json(
      DiagnosisOutput(
        rows, report: report.map { Stack.absolute($0).text }, completed: PrintedCommands.current.completed))
    if failures > 0 { throw ExitCode.failed }
  }

  private func schedulerRow(of stack: Stack) throws -> DiagnosisRow? {
    do {
      return try ServiceDiagnosis(
        stack, service: ServiceCommand.installation(of: stack), files: Kernel(), time: SystemTime()
      ).row()
    } catch {
      let error = BackupError(error, doing: "looking for a scheduler", on: stack)
      return DiagnosisRow("scheduler", state: .warning, detail: error.message, remedy: error.remedy)
    }
  }

  private func title(_ name: String) -> String {
    name + String(repeating: " ", count: max(1, 18 - name.count))
  }

  private func tell(_ text: String, console: Console) throws {
    guard let words = EngineWords(text) else {
      throw BackupError(
        "doctor.unknown-text", kind: .notFound, message: "hrp does not know this text of DuckDB",
        remedy: "Run hrp doctor; with --report it writes a file for a bug report.")
    }
    console.result("Cause:  \(words.cause)")
    console.result("Remedy: \(words.remedy)")
    try console.json(EngineWordsOutput(words))
  }
}
