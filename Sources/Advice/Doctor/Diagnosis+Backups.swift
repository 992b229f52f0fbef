internal import Backup
internal import Files
internal import Jobs
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

extension Diagnosis {
  /// Backups are made once a week by default: a day more is late.
  private static let lateNanoseconds: Int64 = 8 * 86_400 * 1_000_000_000
  private static let probe = FilePath(".\(BackupLayout.prefix)probe.\(ThisProcess.pid)\(BackupLayout.partialSuffix)")

  /// Checks that the backup directory is there, can be written to, and is on another device than the data.
  func backupDirectory() throws -> [DiagnosisRow] {
    let path = stack.backupDirectory
    try place.check()
    guard try files.exists(path) else {
      return [
        DiagnosisRow(
          "backup-directory", state: .warning, detail: "there is no \(path.text) yet",
          remedy: "hrp backup create makes it.")
      ]
    }
    let folder = try OpenFile(path, mode: [.directory], files: files)
    try checkWritable(folder)
    let device = try folder.status().identity.device
    guard let data = try OpenFile.ifPresent(stack.dataDirectory, mode: [.directory], files: files),
      try data.status().identity.device == device
    else {
      return [DiagnosisRow("backup-directory", state: .good, detail: "\(path.text), on another device than the data")]
    }
    if case .present(let place) = CopiesElsewhere(of: stack, files: files, time: time) {
      return [
        DiagnosisRow(
          "backup-directory", state: .good,
          detail: "\(path.text) is on the data's own device; there are copies on another one: \(place)")
      ]
    }
    return [
      DiagnosisRow(
        "backup-directory", state: .warning,
        detail: "\(path.text) is on the data's own device: a broken disk takes both",
        remedy: "Keep copies elsewhere: hrp backup copy latest /mnt/OTHER-DISK/hrp-backups --new-place; or set "
          + "HRP_BACKUP_DIR to another disk.")
    ]
  }

  /// Makes and removes a folder: only a real write finds a full quota, a read-only mount or missing rights.
  func checkWritable(_ folder: OpenFile) throws(SystemError) {
    // It is hidden, and every run removes such a name.
    try files.makeDirectory(Self.probe, at: folder.descriptor, permissions: 0o700)
    try files.removeDirectory(Self.probe, at: folder.descriptor)
  }

  /// The history of jobs.
  func history() throws -> [DiagnosisRow] {
    guard let catalogue = Catalogue.ifPresent(of: stack, files: files, time: time) else {
      return [DiagnosisRow("history", state: .good, detail: "nothing was done yet in this data directory")]
    }
    let jobs = try catalogue.jobs(limit: 100)
    let words =
      "jobs are kept since \(try catalogue.historySince().map(LocalTime.plain) ?? "now"); \(jobs.count) lately"
    guard let last = jobs.first(where: { $0.operation == "backup create" }), last.status == .failed else {
      return [DiagnosisRow("history", state: .good, detail: words)]
    }
    return [
      DiagnosisRow(
        "history", state: .warning,
        detail: "\(words); the last backup create failed (\(LocalTime.plain(of: last.beganAt))): \(last.message)",
        remedy: "hrp backup create")
    ]
  }

  private var memory: any PlaceMemory { CatalogueMemory(stack, files: files, time: time) }
  private var place: BackupPlace { BackupPlace(stack, memory: memory, files: files) }

  /// Checks that there is enough space for the next backup.
  func space() throws -> [DiagnosisRow] {
    // What is wrong with the place itself is said where the place is looked at.
    do { try place.check() } catch { return [] }
    let plan = try BackupRun(
      stack, includesMLflow: true, memory: memory, files: files, time: time, events: EventStream()
    ).plan()
    let words =
      "\(ByteCount.text(plan.neededBytes)) needed for the next backup, "
      + "\(ByteCount.text(Int64(clamping: plan.availableBytes))) free"
    guard plan.fits else {
      return [
        DiagnosisRow(
          "space", state: .failure, detail: words,
          remedy: "See what is full with df -h \(ShellWord.quoted(stack.backupDirectory)); "
            + "free some with hrp backup rotate --keep-days 7.")
      ]
    }
    return [DiagnosisRow("space", state: .good, detail: words)]
  }

  /// The newest backup, and the newest that a drill has restored.
  func backups() throws -> [DiagnosisRow] {
    let directory = BackupDirectory(stack.backupDirectory, files: files)
    let isThere = try files.exists(stack.backupDirectory)
    let all = isThere ? try directory.list() : []
    let rest = (isThere ? try directory.unlisted() : []).map {
      DiagnosisRow(
        "broken-backup", state: .warning, detail: "\($0) is not a whole backup: checksums.txt is missing",
        remedy: "Look into it, and delete the folder when it is not needed.")
    }
    guard let newest = all.first else {
      return [DiagnosisRow("last-backup", state: .failure, detail: "there is none", remedy: "hrp backup create")] + rest
    }
    return [state(of: newest, count: all.count), proof(all)] + olderFailures(all) + rest + abandoned()
  }

  /// What interrupted restores left.
  private func abandoned() -> [DiagnosisRow] {
    let name = "interrupted-restore"
    do {
      let target = try RestoreTarget(stack, files: files)
      guard
        let bytes = try UndoRun(
          target, keptDays: stack.settings.undoDays.value, files: files, time: time, events: events
        ).abandonedBytes()
      else {
        return []
      }
      return [
        DiagnosisRow(
          name, state: .warning,
          detail: "a restore was interrupted before it changed anything; it left \(ByteCount.text(bytes))",
          remedy: "The next restore removes it, or hrp backup undo --drop.")
      ]
    } catch {
      let error = BackupError(error, doing: "looking for an interrupted restore")
      return [DiagnosisRow(name, state: .warning, detail: error.message, remedy: error.remedy)]
    }
  }

  private func state(of backup: ListedBackup, count: Int) -> DiagnosisRow {
    let name = ByteText.escaped(backup.name.bytes)
    let age = backup.timestamp.map { "\(self.age(of: $0)) old" } ?? "of unknown age"
    let words = "\(name), \(age); \(count) in all"
    if let problem = backup.problem {
      return DiagnosisRow(
        "last-backup", state: .failure, detail: "\(words); \(problem)",
        remedy: "Make it readable for whoever runs hrp (ls -ld \(ShellWord.quoted(backup.path))), or: hrp backup create"
      )
    }
    if let lacks = backup.metadata?.incompleteWords {
      return DiagnosisRow(
        "last-backup", state: .warning,
        detail: "\(words); it is incomplete: \(lacks)",
        remedy: "Is something gone that you need: hrp recover. Are permissions wrong: correct them, hrp backup create.")
    }
    if !backup.hasDatabase || backup.metadata?.verified != true {
      return DiagnosisRow(
        "last-backup", state: .warning, detail: "\(words); nothing says that it was verified",
        remedy: "hrp backup verify \(name), or hrp backup create")
    }
    guard let timestamp = backup.timestamp, time.nowNanoseconds - timestamp < Self.lateNanoseconds else {
      return DiagnosisRow("last-backup", state: .warning, detail: words, remedy: "hrp backup create")
    }
    return DiagnosisRow("last-backup", state: .good, detail: words)
  }

  private func proof(_ all: [ListedBackup]) -> DiagnosisRow {
    for backup in all {
      let name = ByteText.escaped(backup.name.bytes)
      let noted = backup.proof
      if let problem = noted.problem {
        return DiagnosisRow(
          "last-proof", state: .failure, detail: "whether \(name) was proven cannot be told: \(problem)",
          remedy: "Make it readable for whoever runs hrp; a damaged one: remove it, and hrp backup drill \(name)")
      }
      guard let proof = noted.value else { continue }
      if !proof.isOK { return failure(of: name, proof) }
      let isNewest = backup.name == all.first?.name
      return DiagnosisRow(
        "last-proof", state: isNewest ? .good : .warning,
        detail: "\(name) was restored and read by DuckDB \(proof.engine) (\(LocalTime.plain(of: proof.at)))",
        remedy: isNewest ? nil : "The newest backup is not proven yet: hrp backup drill")
    }
    return DiagnosisRow(
      "last-proof", state: .warning, detail: "no backup was ever restored for a test", remedy: "hrp backup drill")
  }

  /// Failures that are noted of older backups than the one that `proof` speaks of.
  private func olderFailures(_ all: [ListedBackup]) -> [DiagnosisRow] {
    let noted = all.drop { !$0.proof.mayBeThere }.dropFirst()
    let failed = noted.filter { $0.proof.value?.isOK == false }.map { ByteText.escaped($0.name.bytes) }
    guard let first = failed.first else { return [] }
    let more = failed.count > 1 ? " and \(failed.count - 1) more" : ""
    return [
      DiagnosisRow(
        "failed-proof", state: .warning, detail: "\(first)\(more) failed a drill or a verification",
        remedy: "hrp backup list shows which; hrp backup verify \(first) says what is wrong.")
    ]
  }

  private func failure(of name: String, _ proof: Proof) -> DiagnosisRow {
    let why = proof.findings.first ?? "it does not say why"
    if proof.state == .checkpointFailed {
      return DiagnosisRow(
        "last-proof", state: .failure,
        detail:
          "\(name) restores and every byte of it is right, but DuckDB failed to write a checkpoint of it "
          + "(\(LocalTime.plain(of: proof.at))): the live database may fail at its next one: \(why)",
        remedy: DrillReport.checkpointRemedy)
    }
    let (what, again) =
      proof.level == .drill
      ? ("drill", "drill \(name)") : ("verification", "verify \(name) --level \(proof.level.rawValue)")
    return DiagnosisRow(
      "last-proof", state: .failure, detail: "the \(what) of \(name) failed (\(LocalTime.plain(of: proof.at))): \(why)",
      remedy: "hrp backup \(again) says everything; hrp backup create makes a new one.")
  }
}
