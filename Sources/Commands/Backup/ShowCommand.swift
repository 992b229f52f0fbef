internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// The command `hrp backup show`.
struct ShowCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show everything that is known about one backup: contents, proof, pin, why it is kept.",
    discussion: """
      Nothing is read but the small files about the backup and the names in it: hrp backup verify reads the contents.

      Examples:
        hrp backup show latest
        hrp backup show backup_20260124_020000 --json | jq .kept_because
      """)

  @OptionGroup var backup: BackupArgument
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  /// What is known about a backup.
  private struct Known {
    let backup: ListedBackup
    let number: Int?
    let contents: BackupContents
    let reasons: [String]
    let copies: [KnownCopy]
  }

  func run() throws {
    let console = output.console
    let known = try console.run(.show, on: place.stack, isRecorded: false) { events in
      try look(try UnpinCommand.find(backup, stack: place.stack, events: events))
    }
    try console.json(
      ShownBackupOutput(
        known.backup, number: known.number, contents: known.contents, keptBecause: known.reasons,
        copies: known.copies))
    for (title, text) in lines(known) {
      console.result(title.isEmpty ? "  \(text)" : title + String(repeating: " ", count: 11 - title.count) + text)
    }
  }

  private func look(_ path: FilePath) throws -> Known {
    let directory = BackupDirectory(path.folder, files: Kernel())
    guard let backup = try directory.backup(path.name) else {
      throw BackupError(
        "backup.not-found", kind: .notFound, message: "\(path.text) is not a backup",
        remedy: "See what there is: hrp backup list")
    }
    let all = try directory.list()
    return Known(
      backup: backup, number: all.firstIndex { $0.name == backup.name }.map { $0 + 1 },
      contents: try BackupContents(backup.open()),
      reasons: try KeepReasons.of(backup, among: all, retention: retention(in: path.folder), time: SystemTime()),
      copies: KnownCopy.all(of: backup.name, in: try place.stack, files: Kernel(), time: SystemTime()))
  }

  /// What a rotation of a directory goes by: a second place has its own rules.
  private func retention(in directory: FilePath) throws -> RetentionSettings {
    let stack = try place.stack
    let place = stack.secondPlaces.first { configured in
      stack.place(configured, files: Kernel(), time: SystemTime()).path == directory
    }
    return place.map { stack.settings.rotation(of: $0) } ?? stack.settings.rotation
  }

  // MARK: - For people

  private func lines(_ known: Known) -> [(String, String)] {
    let backup = known.backup
    let number = known.number.map { " (number \($0) of the list)" } ?? ""
    var lines = [("Backup:", ByteText.escaped(backup.name.bytes) + number), ("Path:", backup.path.text)]
    lines.append(("Made:", made(backup)))
    if let source = backup.metadata?.sourceDirectory { lines.append(("Of:", source)) }
    lines.append(("State:", state(backup)))
    lines.append(("Size:", size(known)))
    lines += known.contents.parts.map { ("", "\($0.name): \(Self.amount($0))") }
    lines += known.contents.unread.map { ("", "not counted: \($0)") }
    lines += proof(backup) + pin(backup)
    let reasons = known.reasons.isEmpty ? ["no reason: the next hrp backup rotate deletes it"] : known.reasons
    lines.append(("Why kept:", reasons[0]))
    lines += reasons.dropFirst().map { ("", $0) }
    let copies = known.copies.map(Self.words)
    return lines + copies.prefix(1).map { ("Copies:", $0) } + copies.dropFirst().map { ("", $0) }
  }

  private func made(_ backup: ListedBackup) -> String {
    guard let timestamp = backup.timestamp else { return "nothing says when" }
    let age = Age.words(since: timestamp, now: SystemTime().nowNanoseconds)
    let metadata = backup.metadata
    let maker = metadata?.hrpVersion.map { ", by \(metadata?.isOurs == true ? "hrp" : "the Python tool") \($0)" } ?? ""
    return LocalTime(nanoseconds: timestamp).plain + ", \(age) ago" + maker
      + (metadata?.host.map { " on \($0)" } ?? "")
  }

  private static func words(_ copy: KnownCopy) -> String {
    let since = copy.copiedAt.map { ", copied \($0.prefix(10))" } ?? ""
    guard let path = copy.path else { return "\(copy.place)\(since), out of reach now" }
    return "\(copy.place == path.folder.text ? "" : "\(copy.place): ")\(path.text)\(since)"
  }

  private func state(_ backup: ListedBackup) -> String {
    if let problem = backup.problem { return problem }
    guard let metadata = backup.metadata else { return "unknown: metadata.json is missing" }
    return [
      metadata.incompleteWords.map { "incomplete: \($0)" } ?? "complete",
      metadata.verified == true ? "read back and compared when it was written" : "not read back when it was written",
      metadata.sharesStorage == true ? "its database shares storage with the live one (reflink)" : nil,
    ].compactMap { $0 }.joined(separator: "; ")
  }

  private func size(_ known: Known) -> String {
    let files = known.contents.parts.reduce(0) { $0 + $1.files }
    let bytes = known.contents.parts.reduce(Int64(0)) { $0 &+ $1.bytes }
    let metadata = known.backup.metadata
    let shared = metadata?.sharedBytes.flatMap { bytes in
      metadata?.sharedWith.map { ", of these \(ByteCount.text(bytes)) hard-linked with \($0)" }
    }
    return "\(ByteCount.text(bytes)) in \(ItemCount.text(files, of: "file"))" + (shared ?? "")
  }

  private static func amount(_ part: BackupContents.Part) -> String {
    ByteCount.text(part.bytes) + (part.name.hasSuffix("/") ? " in \(ItemCount.text(part.files, of: "file"))" : "")
  }

  private func proof(_ backup: ListedBackup) -> [(String, String)] {
    let noted = backup.proof
    if let problem = noted.problem { return [("Proof:", "cannot be read: \(problem)")] }
    guard let proof = noted.value else { return [("Proof:", "none yet: hrp backup drill makes one")] }
    let when = LocalTime.plain(of: proof.at)
    let result = "\(proof.level) \(proof.resultWord) on \(when)"
    let engine = proof.engine.isEmpty ? "" : " with DuckDB \(proof.engine)"
    let tables = proof.tables.reduce(Int64(0)) { $0 &+ $1.rows }
    let read = proof.tables.isEmpty ? "" : ": \(ItemCount.text(proof.tables.count, of: "table")), \(tables) rows"
    return [("Proof:", result + engine + read)] + proof.findings.map { ("", $0) }
  }

  private func pin(_ backup: ListedBackup) -> [(String, String)] {
    switch backup.pin {
    case .nothing: return [("Pin:", "none")]
    case .unreadable(let why): return [("Pin:", "cannot be read: \(why)")]
    case .found(let pin):
      let since = pin.at.isEmpty ? "" : " since " + LocalTime.plain(of: pin.at)
      return [("Pin:", "pinned\(since)" + (pin.reason.isEmpty ? "" : ": \(pin.reason)"))]
    }
  }
}
