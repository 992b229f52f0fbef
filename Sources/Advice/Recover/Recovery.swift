internal import Backup
package import Files
internal import Jobs
internal import MLflow
internal import Settings
package import Stacks
package import Store
internal import SystemPackage

/// Finds out which scenario it is, and which backup would help.
package struct Recovery {
  let stack: Stack
  let files: any FileSystem
  let time: any TimeSource
  let events: EventStream
  /// The backup that the user named; nil when the best one is chosen.
  private let named: String?

  /// - Parameter named: a backup as the user names it, which is restored in place of the best one.
  package init(
    _ stack: Stack, from named: String? = nil, files: any FileSystem, time: any TimeSource, events: EventStream
  ) {
    self.stack = stack
    self.named = named
    self.files = files
    self.time = time
    self.events = events
  }

  var choice: BackupChoice {
    BackupChoice(in: BackupDirectory(stack.backupDirectory, files: files), time: time, events: events)
  }

  /// Looks, and changes nothing.
  ///
  /// - Parameter missing: an id, a name, a table, a column or a file that is gone.
  /// - Throws: `BackupError` `find.empty`, `backup-directory.not-found`, `verification.failed` for a backup that was
  ///   named, and `recover.undetermined` when the database could not be looked at, which says nothing of how it is;
  ///   `Interruption.Stopped`.
  package func plan(missing: String?) throws -> RecoveryPlan {
    if let missing { return try planDeletion(missing) }
    // A wrong name is an error, even when there is nothing to recover.
    _ = try namedBackup()
    let database = try LiveDatabase(stack, files: files, time: time).health(expecting: .found)
    let loss = try storeLoss()
    if database.isReadable { return try planHealthyDatabase(database, loss: loss) }
    let isThere = try files.exists(stack.database)
    guard !isThere || database.isDamaged else { throw BackupError.undetermined(database) }
    // A program that still has the database open holds every row: nothing need be lost.
    let first = database.known == .walDamaged ? database.remedy.map { ". \($0)" } ?? "" : ""
    let finding =
      isThere
      ? "\(stack.database.text): \(database.database)\(first)" : "there is no database at \(stack.database.text)"
    // A part that is not damaged stays, with everything that was added to it since the backup.
    guard loss.problems.isEmpty, try hasStore() else {
      return try planRestore(
        isThere ? .corruptedDatabase : .migration, findings: [finding] + loss.problems + loss.notices)
    }
    return try planRestore(
      .corruptedDatabase, findings: [finding, "the MLflow directory can be read, and stays as it is"] + loss.notices,
      part: .duckdb)
  }

  private func planHealthyDatabase(_ database: HealthReport, loss: StoreComparison.Loss) throws -> RecoveryPlan {
    let words = "the database can be read: \(ItemCount.text(database.tables.count, of: "table"))"
    if let finding = try emptiness(of: database) {
      return try planRestore(
        .accidentalDeletion, findings: [finding] + loss.problems + loss.notices,
        part: loss.problems.isEmpty && hasStore() ? .duckdb : nil)
    }
    if !loss.problems.isEmpty {
      return try planRestore(
        .damagedMLflow, findings: [words] + loss.problems + loss.notices, part: .mlflow, before: loss.seenIn)
    }
    let unmounted = BackupPlace.loss(of: stack, files: files, time: time).map { ["\($0.message). \($0.remedy)"] } ?? []
    return RecoveryPlan(
      scenario: .healthy, findings: [words] + loss.notices + unmounted,
      steps: ["If something is missing from it: hrp recover --missing TEXT."]
        + (named.map { ["To restore \($0) all the same: hrp backup restore \(ShellWord.quoted($0))."] } ?? []))
  }

  private func hasStore() throws -> Bool {
    do { return try stack.mlflow(files: files) != nil } catch is MLflowStore.Missing { return false }
  }

  /// The newest backup of the stack that has a part; nil when none has it, or when there is no backup directory.
  private func newest(with part: StackPart) throws -> ListedBackup? { try ofStack(with: part).first }

  /// The backups that have a part, newest first: those of this stack, where there are some.
  private func ofStack(with part: StackPart) throws -> [ListedBackup] {
    guard try files.exists(stack.backupDirectory) else { return [] }
    let all = try BackupDirectory(stack.backupDirectory, files: files).list().filter { !$0.lacks(part) }
    let own = all.filter { $0.isOf(stack) == true }
    return own.isEmpty ? all : own
  }

  /// A sentence that the database holds nothing of what a backup has; nil when it holds some of it.
  ///
  /// A program that finds no database makes an empty one, and perhaps its tables.
  private func emptiness(of database: HealthReport) throws -> String? {
    let rows = Dictionary(database.tables.map { ($0.name, $0.count) }) { left, _ in left }
    for backup in try ofStack(with: .duckdb).prefix(Self.compared) {
      guard let stored = try tables(of: backup)?.filter({ $0.value > 0 }), !stored.isEmpty else {
        // A backup that was made after the loss holds nothing either.
        guard rows.values.contains(where: { $0 > 0 }) else { continue }
        return nil
      }
      let name = ByteText.escaped(backup.name.bytes)
      if rows.isEmpty { return "the database holds no table, and \(name) has \(stored.count)" }
      guard stored.keys.allSatisfy({ rows[$0, default: 0] == 0 }) else { return nil }
      return "the database holds no row of the \(ItemCount.text(stored.count, of: "table")) that \(name) has rows in"
    }
    return nil
  }

  /// The number of rows of each table in a backup; nil when they cannot be counted.
  private func tables(of newest: ListedBackup) throws -> [String: Int64]? {
    do {
      let target = try RestoreTarget(stack, files: files)
      return try LossScan(newest.open(), target: target, files: files, time: time).tablesOfBackup(newest.metadata)
    } catch let stopped as Interruption.Stopped {
      throw stopped
    } catch {
      let error = BackupError(error, doing: "counting its tables")
      events.send(.warning("\(ByteText.escaped(newest.name.bytes)) was not compared: \(error.message)"))
      return nil
    }
  }

  /// How many backups a loss is looked for in: the newest may have been made after it.
  private static let compared = 10

  /// What is wrong with MLflow, when a backup has it.
  private func storeLoss() throws -> StoreComparison.Loss {
    let backups = try ofStack(with: .mlflow).prefix(Self.compared)
    guard let newest = backups.first else { return StoreComparison.Loss() }
    let store: MLflowStore?
    do { store = try stack.mlflow(files: files) } catch let missing as MLflowStore.Missing {
      return .init(problems: ["there is no MLflow store at \(missing.path.text), where \(missing.named) has it"])
    }
    guard let store else {
      return .init(problems: ["there is no MLflow directory, and \(ByteText.escaped(newest.name.bytes)) has one"])
    }
    if let problem = try lostDatabase(of: store, backups) { return .init(problems: [problem]) }
    if let problem = try StoreProblem.find(in: store, scratch: stack.scratchDirectory, files: files) {
      return .init(problems: [problem])
    }
    return try loss(of: store, beside: backups)
  }

  /// A sentence that the tracking database is missing; nil when it is there, or when no backup has one.
  private func lostDatabase(of store: MLflowStore, _ backups: ArraySlice<ListedBackup>) throws -> String? {
    let database = FilePath("mlflow.db")
    let here = store.directory.appending(database.components)
    guard try isMissingOrEmpty(RealPath.ofWhatExists(here)) else { return nil }
    let backup = try backups.first { backup in
      try BackupLayout.stores.contains { folder in
        try files.exists(backup.path.appending(folder.name.path.components).appending(database.components))
      }
    }
    return backup.map { "\(here.text) is missing or empty, and \(ByteText.escaped($0.name.bytes)) has it" }
  }

  /// The loss that is found beside the first backup that shows one; if none does, the notices from the newest backup.
  private func loss(of store: MLflowStore, beside backups: ArraySlice<ListedBackup>) throws -> StoreComparison.Loss {
    let comparison = try StoreComparison(store, scratch: stack.scratchDirectory, files: files)
    var first: StoreComparison.Loss?
    // One that was made after the loss says so once; the next one takes it for the user's will.
    let whole = backups.first { $0.lostWords == nil }?.name
    for backup in backups {
      var loss: StoreComparison.Loss
      do {
        loss = try comparison.loss(beside: backup, comparesParts: backup.name == whole)
      } catch let error as SQLiteError {
        // The backup's own database: what is wrong with that is told when it is verified.
        loss = .init(notices: ["MLflow was not compared with \(ByteText.escaped(backup.name.bytes)): \(error.message)"])
      }
      if !loss.problems.isEmpty { return loss }
      first = first ?? loss
    }
    return first ?? StoreComparison.Loss()
  }

  private func isMissingOrEmpty(_ path: FilePath) throws -> Bool {
    guard try files.exists(path) else { return true }
    return try files.status(path, at: nil).size == 0
  }

  // MARK: - The backup

  /// The backup that the user named; nil when the user named none.
  /// - Throws: `BackupError` `backup.not-found`.
  func namedBackup() throws -> ListedBackup? {
    guard let named else { return nil }
    let path = try stack.findBackup(named, files: files, time: time, events: events)
    guard let backup = try BackupDirectory(path.folder, files: files).list().first(where: { $0.path == path }) else {
      throw BackupError.backupNotFound(named, in: path.folder)
    }
    return backup
  }

  /// Refuses a backup that was named and cannot be restored.
  /// - Throws: `BackupError` `restore.part-missing`, `verification.failed`.
  private func check(named backup: ListedBackup, for part: StackPart?) throws {
    if let part, backup.lacks(part) {
      throw BackupError(
        "restore.part-missing", kind: .notFound,
        message: "\(backup.path.text) has no \(part == .duckdb ? "database" : "MLflow directory")",
        remedy: "Name another one, or leave --backup away: the best is chosen.")
    }
    guard try choice.verifies(backup, for: part) else {
      throw BackupError(
        "verification.failed", kind: .failed, message: "\(backup.path.text) does not verify, and is not restored",
        remedy: "Leave --backup away: the newest that verifies is chosen.")
    }
    if let doubt = choice.doubt(about: backup, for: part) {
      events.send(.warning("\(ByteText.escaped(backup.name.bytes)) was named, though \(doubt)"))
    }
  }

  /// - Parameter oldest: a backup that has what is lost: newer ones have it not.
  private func planRestore(
    _ scenario: RecoveryPlan.Scenario, findings: [String], part: StackPart? = nil, before oldest: ListedBackup? = nil
  ) throws -> RecoveryPlan {
    do {
      if let backup = try namedBackup() {
        try check(named: backup, for: part)
        return try plan(scenario, findings: findings, backup: backup, part: part)
      }
      let all = try choice.candidates(of: stack)
      let older = oldest.map { has in Array(all.drop { $0.name != has.name }) } ?? all
      let candidates = older.isEmpty ? all : older
      do {
        let chosen = try choice.best(of: candidates, for: part)
        // A newer backup may have the database alone: then it is not put back for the sake of MLflow.
        if part == nil, chosen.isNewerLacking {
          let database = try choice.best(of: candidates, for: .duckdb)
          if (database.backup.timestamp ?? .min) > (chosen.backup.timestamp ?? .min) {
            let then = "MLflow is restored next, from an older backup: run hrp recover again"
            return try plan(
              scenario, findings: findings + chosen.remarks + [then], backup: database.backup, part: .duckdb)
          }
        }
        let newer =
          chosen.newer.map { ["hrp backup drill \($0) proves it; hrp recover --backup \($0) takes it as it is"] } ?? []
        return try plan(scenario, findings: findings + chosen.remarks + newer, backup: chosen.backup, part: part)
      } catch let error as BackupError where error.known == .noneValid && part == nil {
        // Where no backup is right as a whole, a right database is worth having.
        let chosen = try choice.best(of: candidates, for: .duckdb)
        return try plan(
          scenario, findings: findings + ["no backup is right as a whole; this one has the database"] + chosen.remarks,
          backup: chosen.backup, part: .duckdb)
      }
    } catch let error as BackupError
      where error.isOne(of: [.noneValid, .backupDirectoryNotFound])
    {
      return RecoveryPlan(
        scenario: .noUsableBackup,
        findings: findings + [BackupPlace.loss(of: stack, files: files, time: time)?.message ?? error.message],
        steps: [
          "Is the disk with the backups not mounted? Mount it, and run hrp recover again.",
          copiesElsewhere ?? "Are there copies elsewhere: hrp recover --backup-dir DIR.",
        ] + (hasUndo ? ["See whether what a restore replaced helps: hrp backup undo --kept."] : []) + [
          "Check the disk for errors: dmesg, smartctl -a.",
          "Write down what a bug report needs: hrp doctor --report FILE.",
        ])
    }
  }

  /// The plan to restore a backup, with what will be lost by it.
  func plan(
    _ scenario: RecoveryPlan.Scenario, findings: [String], backup: ListedBackup, part: StackPart?,
    missing: [SearchHit] = []
  ) throws -> RecoveryPlan {
    var findings = findings
    if part == nil, backup.lacks(.mlflow), let other = try newest(with: .mlflow) {
      findings.append(
        "\(ByteText.escaped(backup.name.bytes)) has no MLflow directory, and "
          + "\(ByteText.escaped(other.name.bytes)) has one: run hrp recover again to restore that")
    }
    if let words = backup.metadata?.incompleteWords, part != .duckdb {
      findings.append("\(ByteText.escaped(backup.name.bytes)) is incomplete: \(words)")
    }
    // Advice for people: the restore looks again, and refuses.
    if part != .mlflow, let words = forPeople({ try FormerHolders(of: stack.database, files: files).words }) ?? nil {
      findings.append("\(words): save them from it (EXPORT DATABASE 'DIR'), then close it")
    }
    events.send(.phase("comparing with what is there"))
    var losses = try LossScan(backup.open(), target: RestoreTarget(stack, files: files), files: files, time: time)
      .run(RestoreRun.Request(part: part), metadata: backup.metadata)
    // Why it cannot be read stands among the findings.
    if let health = losses?.health, !health.isReadable { losses?.notices.removeAll { $0.contains(health.database) } }
    return RecoveryPlan(
      scenario: scenario, findings: findings, backup: backup.path.text, timestamp: backup.timestamp, part: part,
      losses: losses, missing: missing, steps: steps(backup.path.text, part: part))
  }

  /// The newest copy that can be reached, and the command that takes it; nil when none is known.
  private var copiesElsewhere: String? {
    // A hint only.
    let records = forPeople { try Catalogue.existing(of: stack, files: files, time: time)?.copies() ?? [] } ?? []
    for record in records {
      guard let bytes = ByteText.bytes(of: record.backup.utf8),
        let path = KnownCopy.all(of: FileName(bytes: bytes), in: stack, files: files, time: time).compactMap(\.path)
          .first
      else { continue }
      return "\(path.folder.text) has \(record.backup): hrp recover --backup-dir \(ShellWord.quoted(path.folder))"
    }
    return nil
  }

  private var hasUndo: Bool {
    // A hint only: what cannot be told is not worth another error.
    forPeople {
      let target = try RestoreTarget(stack, files: files)
      return try UndoRun(target, keptDays: stack.settings.undoDays.value, files: files, time: time, events: events)
        .states().isEmpty
    } == false
  }

  private func steps(_ backup: String, part: StackPart?) -> [String] {
    let what =
      switch part {
      case .mlflow: "MLflow from "
      case .duckdb: "the database from "
      case nil: ""
      }
    let kept =
      stack.settings.reasonToKeepNothing.map { "what is there now is not kept (\($0))" }
      ?? "hrp backup undo takes it back"
    return [
      "Stop the programs that use the stack; hrp doctor names who holds the database.",
      "Restore \(what)\(backup) in place; \(kept).", "Validate: hrp validate.", "Start the programs again.",
    ]
  }
}
