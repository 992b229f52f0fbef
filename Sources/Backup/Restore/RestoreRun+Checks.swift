internal import Files
internal import Stacks
internal import Store
internal import SystemPackage

// What is looked at before anything is written.

extension RestoreRun {
  /// Counts what will be lost by the restore.
  func survey(_ metadata: BackupMetadata?) throws -> Losses? {
    guard request.surveys else { return nil }
    events.send(.phase("comparing with what is there"))
    guard let losses = try LossScan(backup, target: target, files: files, time: time).run(request, metadata: metadata)
    else {
      return nil
    }
    for row in losses.rows.prefix(50) { events.send(.notice(row.line)) }
    if losses.rows.count > 50 { events.send(.notice("and \(losses.rows.count - 50) more (see --json)")) }
    for notice in losses.notices { events.send(.notice(notice)) }
    return losses
  }

  /// Where the store goes; it is exchanged name by name when something in it must stay where it is.
  func store(_ metadata: BackupMetadata?) -> RestoreTarget.Store {
    let store = target.store(of: metadata)
    guard case .folder(let path) = store, protecting.contains(where: { $0.starts(with: path) }) else { return store }
    return .contents(path)
  }

  /// The part to restore: what was asked for and is in the backup; a part that the backup lacks is not removed.
  /// - Throws: `Damaged` for a part that is neither a file nor a folder; a symlink is not followed.
  func partOfBackup() throws -> StackPart? {
    try checkKinds()
    let hasStore = try backup.store() != nil
    let hasDatabase = try backup.status(of: BackupLayout.database) != nil
    switch request.part {
    case nil where hasDatabase == hasStore: return nil
    case nil:
      let missing = hasStore ? "database" : "MLflow directory"
      if try files.exists(hasStore ? target.database : target.store(of: nil).path) {
        events.send(.notice("the backup has no \(missing): the one that is there stays as it is"))
      }
      return hasStore ? .mlflow : .duckdb
    case .duckdb? where hasDatabase, .mlflow? where hasStore: return request.part
    case let part?:
      throw BackupError(
        "restore.part-missing", kind: .notFound,
        message: "\(backup.place.text) has no \(part == .duckdb ? "database" : "MLflow directory")",
        remedy: "Choose a backup that has one: see hrp backup list, or hrp backup find TEXT.")
    }
  }

  /// Checks the kind of each part before anything opens it.
  private func checkKinds() throws {
    let parts = [BackupLayout.database, BackupLayout.wal, BackupLayout.checkpointWAL].map { ($0, FileKind.regular) }
    for (path, kind) in parts + BackupLayout.stores.map({ ($0, FileKind.directory) }) {
      guard let found = try backup.status(of: path)?.kind, found != kind else { continue }
      throw damaged(
        VerificationReport(
          path: backup.place.text, level: .checksums, filesChecked: 0,
          findings: [Finding(.unexpected, path: path, detail: "it is \(found.words)")], notices: []))
    }
  }

  /// The ops server looks at the database under the shared lock of the stack, for milliseconds at a time.
  static let lookGrace: Duration = .seconds(2)

  /// Takes the lock before the first byte is staged, so that no backup of the stack begins during a restore.
  /// - Returns: nil when the directory does not exist yet.
  func takeLock() throws -> AdvisoryLock? {
    guard try files.exists(target.directory) else { return nil }
    return try AdvisoryLock.take(
      .exclusive, of: .stack, on: target.directory, note: ThisProcess.note(program: "hrp backup restore", time: time),
      patience: request.wait, grace: Self.lookGrace, onWait: events.waitingForLock, files: files, time: time)
  }

  /// The permissions of a new target: it is open only to users who can look into the backup and the directories above.
  func permissionsOfNewTarget() throws -> UInt16 {
    var folder = RealPath.ofWhatExists(backup.place)
    var permissions: UInt16 = 0o755
    for _ in 0..<3 {
      permissions &= try files.status(folder, at: nil).permissions
      folder = folder.removingLastComponent()
    }
    return permissions | 0o700
  }

  /// Says which names of the backup were not restored, for they are no part of a stack.
  func tell(leftOut: Set<EntryPath>) {
    guard !leftOut.isEmpty else { return }
    let names = leftOut.sorted().prefix(5).map(\.text).joined(separator: ", ")
    let more = leftOut.count > 5 ? " and \(leftOut.count - 5) more" : ""
    events.send(
      .warning(
        "left out, because it is no part of a stack at this place: \(names)\(more); it is in the backup, to be copied "
          + "with cp"))
  }

  /// Refuses a place in a backup, and the directory of the backups: what lies there would be replaced.
  private func checkPlace(_ store: RestoreTarget.Store) throws {
    let remedy = "Name a place outside of it with --target-dir."
    for path in [target.directory, target.database.folder, store.path] {
      if let enclosing = try BackupLayout.enclosingBackup(of: path, files: files) {
        throw BackupError(
          "restore.target-in-backup", kind: .usage,
          message: "\(path.text) lies in a backup, \(enclosing.text)", remedy: remedy)
      }
      let real = RealPath.ofWhatExists(path)
      if real.starts(with: RealPath.ofWhatExists(backup.place)) {
        throw BackupError(
          "restore.target-in-backup", kind: .usage, message: "\(path.text) lies in the backup itself", remedy: remedy)
      }
      if protecting.contains(real) {
        throw BackupError(
          "restore.target-in-backup", kind: .usage,
          message: "\(path.text) is the directory of the stack's backups or logs",
          remedy: remedy)
      }
    }
  }

  func checkRequest(_ store: RestoreTarget.Store) throws {
    try checkPlace(store)
    for path in [target.database, store.path] where try files.statusIfPresent(path)?.kind == .link {
      throw BackupError(
        "restore.dangling-link", kind: .failed, message: "\(path.text) is a symlink that leads to nothing",
        remedy: "Mount what it should lead to, remove the symlink, or restore to another place with --target-dir.")
    }
    for path in request.includes where BackupLayout.lists.contains(path) || !request.canTake(path) {
      throw BackupError(
        "restore.include-not-found", kind: .notFound, message: "\(path.text) is not part of what is restored",
        remedy: "Copy a backup's own lists with cp; --only and --include must fit together.")
    }
    for path in request.includes where try backup.status(of: path) == nil {
      throw BackupError(
        "restore.include-not-found", kind: .notFound, message: "the backup has no \(path.text)",
        remedy: "Names are those of hrp backup find TEXT and of checksums.txt, such as mlruns/mlruns/4.")
    }
    if !request.includes.isEmpty, try files.exists(target.directory) {
      throw BackupError(
        "restore.include-needs-a-new-place", kind: .usage, message: "\(target.directory.text) is there already",
        remedy: "--include takes single things out of a backup: name a new place with --target-dir.")
    }
    guard case .folder(let path) = store, target.database.starts(with: path), request.part != .duckdb else { return }
    throw BackupError(
      "restore.nested", kind: .usage, message: "the database lies in the MLflow directory \(path.text)",
      remedy: "Restore to another place with --target-dir, or one part with --only duckdb.")
  }

  /// Warns when a backup is incomplete, or is of another stack than the one that it replaces.
  func warn(of metadata: BackupMetadata?) throws {
    let proofs = ProofDirectory(of: backup.place.folder, files: files)
    let proof = proofs.proof(of: backup.name, checksums: metadata?.checksumsDigest).value
    if let proof, let failure = proof.failure, proof.concerns(request.part) {
      events.send(
        .warning(
          "\(failure) (\(LocalTime.plain(of: proof.at))): "
            + "\(proof.findings.first ?? "it does not say why"); hrp backup list shows others"))
    }
    try checkComplete(metadata)
    guard let source = metadata?.sourceDirectory, try files.exists(target.database) else { return }
    let here = [target.directory, RealPath.ofWhatExists(target.directory)].map(\.text)
    guard !here.contains(source), !here.contains(metadata?.realSourceDirectory ?? source) else { return }
    events.send(.warning("this backup is of another place, \(source), and replaces what is at \(here[0])"))
  }

  /// An incomplete backup replaces nothing, unless the user says so: what it lacks may be there.
  ///
  /// What could not be read is always MLflow's; the database alone is never incomplete.
  /// - Throws: `BackupError` `restore.incomplete`.
  private func checkComplete(_ metadata: BackupMetadata?) throws {
    guard let words = metadata?.incompleteWords, asked != .duckdb else { return }
    let replaces =
      try (asked == nil && files.exists(target.database))
      || openPlaces(store(metadata)).contains { try files.exists($0) }
    guard replaces, !request.takesIncomplete else {
      events.send(.warning("this backup is incomplete: \(words)"))
      return
    }
    let complete = otherBackup { $0.metadata?.complete == true }
    throw BackupError(
      "restore.incomplete", kind: .failed, message: "\(backup.place.text) is incomplete: \(words)",
      remedy: "See what is lost and which backup has it: hrp recover. "
        + (complete.map { "The newest complete one is \(ShellWord.quoted($0)). " } ?? "")
        + "To restore this one all the same: hrp backup restore with --incomplete; its database alone: --only duckdb.")
  }

  /// Directories of backups in the MLflow directory that is there: they stay where they are.
  func oldBackups() throws -> [FilePath] {
    let path = target.store(of: nil).path
    guard let folder = try OpenFile.ifPresent(path, mode: [.directory], files: files) else { return [] }
    return try OldBackups.find(in: folder).map { path.appending($0.path.components) }
  }

  /// Programs that have files of MLflow open while a forced restore goes on.
  func programsAside(_ metadata: BackupMetadata?) -> OpenPrograms {
    guard request.isForced, request.part != .duckdb else { return OpenPrograms(below: []) }
    return OpenPrograms(below: openPlaces(store(metadata)))
  }

  /// Checks R5 before the long part of the work; the swap checks it again, and then takes the lock.
  func checkHolders(_ store: RestoreTarget.Store) throws {
    if request.part != .mlflow {
      try checkDatabaseHolder()
      try FormerHolders(of: target.database, files: files).check()
    }
    if request.part != .duckdb, !request.isForced { try checkOpenFiles(store) }
  }

  /// Checks once more, right before the commit, whether a program has opened something without a lock.
  ///
  /// It does not open the database: closing it again would release the lock that the swap has on it by now (W5).
  func checkOpen(_ store: RestoreTarget.Store) throws {
    if request.part != .mlflow {
      try BackupError.checkDatabaseOpen(target.database, files: files)
      try FormerHolders(of: target.database, files: files).check()
    }
    if request.part != .duckdb, !request.isForced { try checkOpenFiles(store) }
  }

  private func checkDatabaseHolder() throws {
    guard try files.exists(target.database) else { return }
    let file: OpenFile
    do {
      file = try OpenFile(target.database, files: files)
    } catch  where error.errno == .permissionDenied {
      return  // The swap will need to open it, and says so, or passes it over with `--force`.
    }
    guard try file.status().kind == .regular, let holder = try files.lockHolder(file.descriptor, against: .exclusive)
    else { return }
    throw BackupError.databaseInUse(target.database, holder: holder)
  }

  /// The names that a restore would move away.
  func outgoing(_ store: RestoreTarget.Store) throws -> [FilePath] {
    let database = request.part == .mlflow ? [] : [target.database]
    if request.part == .duckdb { return database }
    guard case .contents(let path) = store else { return database + openPlaces(store) }
    // The directory itself stays: what is in it changes places.
    guard let folder = try OpenFile.ifPresent(path, mode: [.directory], files: files) else { return database }
    return try database + files.entries(of: folder.descriptor).map { path.appending($0.name.path.components) }
  }

  private func checkOpenFiles(_ store: RestoreTarget.Store) throws {
    try BackupError.checkOpenFiles(below: openPlaces(store))
  }

  /// Where a program that uses the store has files open.
  private func openPlaces(_ store: RestoreTarget.Store) -> [FilePath] {
    guard case .names(let folder, let database) = store else { return [store.path] }
    return (RestoreNames.storeFolders + [database]).map { folder.appending($0.path.components) }
  }
}

extension BackupError {
  /// - Throws: `BackupError` `restore.database-in-use`: a program has the database open, with or without a lock.
  static func checkDatabaseOpen(_ path: FilePath, files: any FileSystem) throws {
    guard let status = try files.statusIfPresent(path), status.kind == .regular,
      let first = try FileHolders(of: status.identity).seen.first
    else { return }
    throw BackupError.databaseInUse(path, holder: first.pid)
  }

  /// - Throws: `BackupError` `restore.mlflow-in-use`, naming the first program that has something open there.
  static func checkOpenFiles(below paths: [FilePath]) throws {
    let open = try OtherProcess.openFiles(below: paths)
    guard let first = open.first else { return }
    let others = Set(open.map(\.pid)).count - 1
    throw BackupError(
      "restore.mlflow-in-use", kind: .busy,
      message: "\(first.path.text) is open in \(OtherProcess.words(of: first.pid))"
        + (others > 0 ? " and \(others) more" : ""),
      remedy: "Close that program, or continue with --force: the program then keeps the old files until it ends.",
      holder: OtherProcess.name(of: first.pid))
  }
}
