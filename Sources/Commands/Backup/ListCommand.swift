internal import ArgumentParser
internal import Backup
internal import Files

/// The command `hrp backup list`.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the backups, newest first.",
    discussion: """
      The numbers can be used in place of a name: hrp backup verify 1.

      Examples:
        hrp backup list
        hrp backup list --json | jq -r '.[0].path'
      """)

  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws { try Self.list(place.stack, output.console) }

  static func list(_ stack: Stack, _ console: Console) throws {
    let events = console.events(log: stack, isLogged: false)
    Operation.finishPending(stack, events)
    let backups = try BackupDirectory(stack.backupDirectory, files: Kernel()).list()
    console.json(.list(backups.map(json)))
    // A courtesy: a target that cannot be looked at is no reason to list nothing.
    let undo = try? Operation.undo(stack, events)
    for state in (try? undo?.states()) ?? [] {
      console.notice("hrp: \(UndoCommand.line(state)): hrp backup undo\(state.number > 1 ? " \(state.number)" : "")")
    }
    if let bytes = try? undo?.abandonedBytes() {
      console.notice(
        "hrp: an interrupted restore left \(ByteCount.text(bytes)), and changed nothing: the next restore or "
          + "hrp backup undo --drop removes it")
    }
    for name in try BackupDirectory(stack.backupDirectory, files: Kernel()).unlisted() {
      console.warning("hrp: \(name) is no whole backup: checksums.txt is missing")
    }
    guard !backups.isEmpty else { return console.result("No backups found") }
    console.result("Available backups:")
    for (index, backup) in backups.enumerated() {
      let size = backup.metadata?.sizeBytes.map(ByteCount.megabytes) ?? "unknown size"
      let when = backup.moment.map { " - \(LocalTime(nanoseconds: $0).plain)" } ?? ""
      console.result("  \(index + 1). \(ByteText.escaped(backup.name.bytes)) (\(size))\(when)\(marks(backup))")
    }
  }

  /// What is out of the ordinary; a whole, verified backup has no mark, as in the guide.
  private static func marks(_ backup: ListedBackup) -> String {
    (backup.metadata?.complete == false ? " [incomplete]" : "")
      + (backup.metadata?.sharesStorage == true ? " [reflink]" : "") + proofMark(backup)
      + pinMark(backup)
      + (backup.problem.map { " [\($0)]" } ?? "")
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
    let when = proof.at.prefix(19).split(separator: "T").joined(separator: " ")
    return proof.isOK ? " [proven \(when), DuckDB \(proof.engine)]" : " [drill failed \(when)]"
  }

  private static func json(_ proof: Proof) -> JSONText {
    .object([
      ("level", .text(proof.level)), ("at", .text(proof.at)), ("ok", .flag(proof.isOK)),
      ("engine", .text(proof.engine)),
    ])
  }

  private static func json(_ backup: ListedBackup) -> JSONText {
    let metadata = backup.metadata
    let size = metadata?.sizeBytes
    let megabytes = size.map(ByteCount.roundedMegabytes)
    let timestamp = backup.moment.map { LocalTime(nanoseconds: $0).iso8601WithOffset }
    let (pin, proof) = (backup.pin, backup.proof)
    var fields: [(String, JSONText)] = [
      ("name", .text(ByteText.escaped(backup.name.bytes))),
      ("path", .text(backup.path.text)),
      ("timestamp", .optional(timestamp)),
      ("size_bytes", .optional(size)),
      ("size_mb", .optional(megabytes)),
      ("files_count", .optional(metadata?.filesCount.map(Int64.init))),
      ("verified", .flag(metadata?.verified ?? false)),
      ("complete", .flag(metadata?.complete ?? (metadata != nil))),
      ("shares_storage", .flag(metadata?.sharesStorage ?? false)),
      ("pinned", .flag(pin.mayBeThere)),
      ("proof", proof.value.map(json) ?? .null),
    ]
    for (name, problem) in [("problem", backup.problem), ("pin_error", pin.problem), ("proof_error", proof.problem)] {
      if let problem { fields.append((name, .text(problem))) }
    }
    return .object(fields)
  }
}
