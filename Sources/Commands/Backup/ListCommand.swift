internal import Advice
internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Stacks
internal import Store

/// The command `hrp backup list`.
struct ListCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the backups, newest first.",
    discussion: """
      The numbers can be used in place of a name: hrp backup verify 1.

      On a terminal this is a table; in a pipe, and with hrp backup --list, these are the lines of the operations \
      guide. hrp backup show says more about one backup.

      Examples:
        hrp backup list
        hrp backup list | grep pinned
        hrp backup list --at offsite
        hrp backup list --json | jq -r '.[0].path'
      """)

  @OptionGroup var copies: PlaceOption
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  /// How backups are listed.
  enum Style {
    /// As the operations guide has it, a line each.
    case guide
    /// A table on a terminal, else as the guide.
    case automatic
  }

  func run() throws { try Self.list(copies.stack(place.stack), console: output.console, style: .automatic) }

  static func list(_ stack: Stack, console: Console, style: Style) throws {
    let (jobs, events) = (console.jobs(on: stack), console.events)
    jobs.finishPending(events)
    Screen.endProgress()
    let backups = try BackupDirectory(stack.backupDirectory, files: Kernel()).list()
    if backups.isEmpty, let loss = BackupPlace.loss(of: stack, files: Kernel(), time: SystemTime()) {
      console.warning("hrp: warning: \(loss.message). \(loss.remedy)")
    }
    try console.json(backups.map(ListedBackupOutput.init))
    // The undo line is an extra: the list is shown even when the target cannot be read.
    let undo = forPeople { try jobs.undo(events) }
    let kept = forPeople({ try undo?.states() ?? [] }) ?? []
    if let newest = kept.first {
      let more = kept.count > 1 ? ", and \(kept.count - 1) more (hrp backup undo --kept)" : ""
      console.notice("hrp: \(UndoCommand.line(newest)): hrp backup undo\(more)")
    }
    if let bytes = forPeople({ try undo?.abandonedBytes() }) ?? nil {
      console.notice(
        "hrp: an interrupted restore left \(ByteCount.text(bytes)), and changed nothing: the next restore or "
          + "hrp backup undo --drop removes it")
    }
    for name in try BackupDirectory(stack.backupDirectory, files: Kernel()).unlisted() {
      console.warning("hrp: \(name) is not a whole backup: checksums.txt is missing")
    }
    guard !backups.isEmpty else { return console.result("No backups found") }
    if style == .automatic, ThisProcess.isTerminal(1) { return table(backups, stack: stack, console: console) }
    console.result("Available backups:")
    for (index, backup) in backups.enumerated() {
      let size = backup.metadata?.sizeBytes.map(ByteCount.megabytes) ?? "unknown size"
      let when = backup.timestamp.map { " - \(LocalTime(nanoseconds: $0).plain)" } ?? ""
      let marks = marks(backup) + originMark(backup, stack: stack)
      console.result("  \(index + 1). \(ByteText.escaped(backup.name.bytes)) (\(size))\(when)\(marks)")
    }
  }

  private static func table(_ backups: [ListedBackup], stack: Stack, console: Console) {
    let now = SystemTime().nowNanoseconds
    let rows = backups.enumerated().map { index, backup in
      [
        "\(index + 1)", ByteText.escaped(backup.name.bytes),
        backup.timestamp.map { Age.words(since: $0, now: now) } ?? "?",
        backup.metadata?.sizeBytes.map(ByteCount.text) ?? "?", proofCell(backup), notes(backup, of: stack),
      ].map { TerminalText.safe($0) }
    }
    console.result("Backups in \(stack.backupDirectory.text), newest first:")
    let lines = TextColumns.table(
      ["#", "Name", "Age", "Size", "Proof", "Notes"], rows: rows, width: ThisProcess.terminalWidth(1),
      showsUTF8: Screen.showsUTF8)
    for line in lines { console.result(line) }
  }

  private static func proofCell(_ backup: ListedBackup) -> String {
    let noted = backup.proof
    if noted.problem != nil { return "cannot be read" }
    return noted.value.map { "\($0.level) \($0.resultWord) \($0.at.prefix(10))" } ?? "none"
  }

  /// What is out of the ordinary, and why it is pinned.
  private static func notes(_ backup: ListedBackup, of stack: Stack) -> String {
    let pin: String? =
      switch backup.pin {
      case .nothing: nil
      case .found(let pin): pin.reason.isEmpty ? "pinned" : "pinned: \(pin.reason)"
      case .unreadable: "the pin cannot be read, so it is kept"
      }
    return [
      backup.problem, backup.isOf(stack) == false ? "of \(backup.metadata?.sourceDirectory ?? "another stack")" : nil,
      backup.metadata?.complete == false ? "incomplete" : nil,
      backup.metadata?.sharesStorage == true ? "reflink" : nil, pin,
    ].compactMap { $0 }.joined(separator: "; ")
  }

  /// What is out of the ordinary; a whole, verified backup has no mark, as in the guide.
  private static func marks(_ backup: ListedBackup) -> String {
    (backup.metadata?.complete == false ? " [incomplete]" : "")
      + (backup.metadata?.sharesStorage == true ? " [reflink]" : "") + proofMark(backup)
      + pinMark(backup)
      + (backup.problem.map { " [\($0)]" } ?? "")
  }

  /// The mark of a backup that was made of another stack.
  private static func originMark(_ backup: ListedBackup, stack: Stack) -> String {
    backup.isOf(stack) == false ? " [of \(backup.metadata?.sourceDirectory ?? "another stack")]" : ""
  }

  private static func pinMark(_ backup: ListedBackup) -> String {
    switch backup.pin {
    case .nothing: ""
    case .found: " [pinned]"
    case .unreadable: " [pin cannot be read: kept]"
    }
  }

  /// When it was drilled, by which engine, and how that went.
  private static func proofMark(_ backup: ListedBackup) -> String {
    let noted = backup.proof
    // What is wrong with the backup itself has a mark of its own.
    if noted.problem != nil { return backup.problem == nil ? " [proof cannot be read]" : "" }
    guard let proof = noted.value else { return "" }
    let when = LocalTime.plain(of: proof.at)
    if proof.isOK { return " [proven \(when), DuckDB \(proof.engine)]" }
    if proof.state == .checkpointFailed { return " [sound, checkpoint failed \(when)]" }
    return proof.level == .drill ? " [drill failed \(when)]" : " [verify failed \(when)]"
  }
}
