package import Files
internal import MLflow
internal import SystemPackage

/// What is wrong with a stack, and what would put it right: the guide's disaster scenarios.
public struct RecoveryPlan: Sendable {
  /// The scenarios of the guide.
  public enum Scenario: String, Sendable {
    /// Nothing is wrong.
    case healthy
    /// The database is damaged or cannot be read.
    case corruptedDatabase = "corrupted-database"
    /// MLflow's directory is gone, or its database cannot be read; the DuckDB database is well.
    case damagedMLflow = "damaged-mlflow"
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
      case .damagedMLflow: "the MLflow directory is missing or damaged"
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
  /// The part of the stack that is restored from it; nil: all of it.
  public var part: StackPart?
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
  /// - Throws: `BackupError` `find.empty`, `backup-directory.not-found`, and `recover.undetermined` when the database
  ///   could not be looked at, which says nothing of how it is; `Interruption.Stopped`.
  package func plan(missing: String?) throws -> RecoveryPlan {
    if let missing { return try planDeletion(missing) }
    let database = try LiveDatabase(stack, files: files, time: time).health(expecting: .found)
    let problem = try storeProblem()
    if database.database == "ok" {
      let words = "the database can be read: \(database.tables.count) tables"
      if let problem { return try planRestore(.damagedMLflow, [words, problem], part: .mlflow) }
      return RecoveryPlan(
        scenario: .healthy, findings: [words], backup: nil,
        steps: ["If something is missing from it: hrp recover --missing ID."])
    }
    let isThere = try files.exists(stack.database)
    guard !isThere || database.isDamaged else {
      throw BackupError(
        database.code ?? "recover.undetermined", .failed,
        "whether the database is well cannot be told: \(database.words)",
        remedy: database.remedy ?? "See hrp doctor.")
    }
    let finding = "\(stack.database.text): \(database.database)"
    // What is well stays, with everything that came into it since the backup.
    guard problem == nil, ((try? stack.mlflow(files: files)) ?? nil) != nil else {
      return try planRestore(
        isThere ? .corruptedDatabase : .migration, [finding] + (problem.map { [$0] } ?? []))
    }
    return try planRestore(
      .corruptedDatabase, [finding, "the MLflow directory can be read, and stays as it is"], part: .duckdb)
  }

  /// What is wrong with MLflow, when a backup has it; nil: nothing is, or none has.
  private func storeProblem() throws -> String? {
    let newest =
      try files.exists(stack.backupDirectory)
      ? BackupDirectory(stack.backupDirectory, files: files).list().first { !$0.lacks(.mlflow) } : nil
    guard let newest else { return nil }
    let store: MLflowStore?
    do { store = try stack.mlflow(files: files) } catch let missing as MLflowStore.Missing {
      return "there is no MLflow store at \(missing.path.text), where \(missing.named) has it"
    }
    let name = ByteText.escaped(newest.name.bytes)
    guard let store else { return "there is no MLflow directory, and \(name) has one" }
    guard store.remoteScheme == nil else { return nil }
    let database = FilePath("mlflow.db")
    let isKnown = try BackupLayout.stores.contains { folder in
      try files.exists(newest.path.appending(folder.name.path.components).appending(database.components))
    }
    let here = store.directory.appending(database.components)
    if isKnown, (try? files.status(ThisProcess.realPathOfWhatExists(here), at: nil).size) ?? 0 == 0 {
      return "\(here.text) is missing or empty, and \(name) has it"
    }
    return try StoreProblem.find(in: store, scratch: stack.scratchDirectory, files: files)
  }

  private func planDeletion(_ text: String) throws -> RecoveryPlan {
    let search = try BackupSearch(in: stack, files: files, events: events).find(text, isFirstOnly: true)
    let unread = search.unread.map { "not looked into: \($0)" }
    guard let found = search.results.first else {
      let readable = unread.isEmpty ? "" : " that could be looked into"
      return RecoveryPlan(
        scenario: .noUsableBackup,
        findings: ["no backup in \(stack.backupDirectory.text)\(readable) holds \(text)"] + unread,
        backup: nil, steps: ["Look into copies elsewhere: hrp backup find \(text) --backup-dir DIR."])
    }
    let places = found.hits.prefix(5).map { "\($0.place) (\($0.count))" }.joined(separator: ", ")
    return RecoveryPlan(
      scenario: .accidentalDeletion,
      findings: ["the newest backup that holds \(text) is \(found.name): \(places)"] + unread,
      backup: found.path, steps: steps(found.path))
  }

  private func planRestore(
    _ scenario: RecoveryPlan.Scenario, _ findings: [String], part: StackPart? = nil
  ) throws -> RecoveryPlan {
    do {
      let backup = try BackupDirectory(stack.backupDirectory, files: files)
        .find("latest-valid", holding: part, time: time, events: events)
      return RecoveryPlan(
        scenario: scenario, findings: findings, backup: backup.text, part: part, steps: steps(backup.text, part))
    } catch let error as BackupError
      where ["backup.none-valid", "backup.not-found", "backup-directory.not-found"].contains(error.code)
    {
      return RecoveryPlan(
        scenario: .noUsableBackup, findings: findings + [error.message], backup: nil,
        steps: (hasUndo ? ["See whether what a restore replaced helps: hrp backup undo --kept."] : []) + [
          "Check the disk for errors: dmesg, smartctl -a.",
          "Is the disk with the backups not mounted, or are there copies elsewhere: hrp recover --backup-dir DIR.",
          "Write down what a bug report needs: hrp doctor --report FILE.",
        ])
    }
  }

  private static func words(_ part: StackPart?) -> String {
    switch part {
    case .mlflow: "MLflow from "
    case .duckdb: "the database from "
    case nil: ""
    }
  }

  private var hasUndo: Bool {
    guard let target = try? RestoreTarget(stack, files: files) else { return false }
    return (try? UndoRun(target, files: files, time: time, events: events).states())?.isEmpty == false
  }

  private func steps(_ backup: String, _ part: StackPart? = nil) -> [String] {
    [
      "Stop the programs that use the stack; hrp doctor names who holds the database.",
      "Restore \(Self.words(part))\(backup) in place; hrp backup undo keeps what is there now.",
      "Validate: hrp validate.", "Start the programs again.",
    ]
  }
}
