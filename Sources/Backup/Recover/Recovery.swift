package import Files
internal import SystemPackage

/// What is wrong with a stack, and what would put it right: the guide's disaster scenarios.
public struct RecoveryPlan: Sendable {
  /// The scenarios of the guide.
  public enum Scenario: String, Sendable {
    /// Nothing is wrong.
    case healthy
    /// The database is damaged or cannot be read.
    case corruptedDatabase = "corrupted-database"
    /// Something that was there is gone: what `--missing` names.
    case accidentalDeletion = "accidental-deletion"
    /// There is no stack here, and there are backups: another machine, another place.
    case migration
    /// No backup can be restored.
    case noUsableBackup = "no-usable-backup"

    /// The words for people.
    public var words: String {
      switch self {
      case .healthy: "nothing is wrong"
      case .corruptedDatabase: "the database is damaged"
      case .accidentalDeletion: "something was deleted"
      case .migration: "there is no stack here, and there are backups of one"
      case .noUsableBackup: "no backup can be restored"
      }
    }
  }

  /// What it is.
  public let scenario: Scenario
  /// What was seen, a sentence each.
  public let findings: [String]
  /// The backup to restore, absolute, in readable form; nil: none is needed, or there is none.
  public let backup: String?
  /// What to do, in order, a sentence each.
  public let steps: [String]
}

/// Finds out which scenario it is, and which backup would help.
package struct Recovery {
  private let stack: Stack
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  package init(_ stack: Stack, files: any FileSystem, time: any TimeSource, events: EventStream) {
    self.stack = stack
    self.files = files
    self.time = time
    self.events = events
  }

  /// Looks, and changes nothing.
  ///
  /// - Parameter missing: an id, a name or a file that is gone.
  /// - Throws: `BackupError` `find.empty`, `backup-directory.not-found`; `Interruption.Stopped`.
  package func plan(missing: String?) throws -> RecoveryPlan {
    if let missing { return try planDeletion(missing) }
    let database = try LiveDatabase(stack, files: files, time: time).health(expecting: .found)
    if database.database == "ok" {
      let words = "the database can be read: \(database.tables.count) tables"
      return RecoveryPlan(
        scenario: .healthy, findings: [words], backup: nil,
        steps: ["If something is missing from it: hrp recover --missing ID."])
    }
    if ["engine.unavailable", "executable.not-found"].contains(database.code) {
      throw BackupError(
        "engine.unavailable", .failed, "whether the database is well cannot be told without DuckDB's library",
        remedy: database.remedy ?? "See hrp doctor.")
    }
    let isThere = try files.exists(stack.database)
    let finding = "\(stack.database.text): \(database.database)"
    return try planRestore(isThere ? .corruptedDatabase : .migration, [finding])
  }

  private func planDeletion(_ text: String) throws -> RecoveryPlan {
    let search = BackupSearch(in: stack, files: files, events: events)
    guard let found = try search.find(text, isFirstOnly: true).first else {
      return RecoveryPlan(
        scenario: .noUsableBackup, findings: ["no backup in \(stack.backupDirectory.text) holds \(text)"],
        backup: nil, steps: ["Look into copies elsewhere: hrp backup find \(text) --backup-dir DIR."])
    }
    let places = found.hits.prefix(5).map { "\($0.place) (\($0.count))" }.joined(separator: ", ")
    return RecoveryPlan(
      scenario: .accidentalDeletion, findings: ["the newest backup that holds \(text) is \(found.name): \(places)"],
      backup: found.path, steps: steps(found.path))
  }

  private func planRestore(_ scenario: RecoveryPlan.Scenario, _ findings: [String]) throws -> RecoveryPlan {
    do {
      let backup = try BackupDirectory(stack.backupDirectory, files: files)
        .find("latest-valid", time: time, events: events)
      return RecoveryPlan(scenario: scenario, findings: findings, backup: backup.text, steps: steps(backup.text))
    } catch let error as BackupError where ["backup.none-valid", "backup.not-found"].contains(error.code) {
      return RecoveryPlan(
        scenario: .noUsableBackup, findings: findings + [error.message], backup: nil,
        steps: [
          "Check the disk for errors: dmesg, smartctl -a.",
          "Try copies of the backups elsewhere: hrp recover --backup-dir DIR.",
          "Write down what a bug report needs: hrp doctor --report FILE.",
        ])
    }
  }

  private func steps(_ backup: String) -> [String] {
    [
      "Stop the programs that use the stack; hrp doctor names who holds the database.",
      "Restore \(backup) in place; what is there now is kept for hrp backup undo.",
      "Validate: hrp validate.", "Start the programs again.",
    ]
  }
}
