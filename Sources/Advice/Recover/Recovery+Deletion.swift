internal import Backup
internal import Files
internal import Stacks
internal import Store
internal import SystemPackage

// Scenario 2: something was deleted.

extension Recovery {
  /// A backup that may bring back what is missing.
  private struct Candidate {
    let backup: ListedBackup
    /// What it has and the stack has not, or has fewer of.
    let hits: [SearchHit]

    var name: String { ByteText.escaped(backup.name.bytes) }

    /// The part of the stack that the hits are in; nil when they are in both parts.
    var part: StackPart? {
      let parts = Set(hits.map(\.part))
      return parts.count == 1 ? parts.first : nil
    }
  }

  /// Finds the newest backup that holds what the stack itself lacks, and that can be restored.
  ///
  /// A text may occur in more than one place. A backup made after the deletion still has it in the places where the
  /// stack has it too, so that backup does not help.
  func planDeletion(_ text: String) throws -> RecoveryPlan {
    try BackupSearch.check(text)
    let live = try LiveSearch(for: text, in: stack, files: files, time: time)
    var unread: [String] = []
    for name in try BackupDirectory(stack.backupDirectory, files: files).unlisted() {
      unread.append("\(name): checksums.txt is missing")
    }
    var (absent, fewer): ([Candidate], [Candidate]) = ([], [])
    var isFound = false
    var places: Set<String> = []
    var sinceNewPlace = 0
    for backup in try namedBackup().map({ [$0] }) ?? choice.candidates(of: stack) {
      let hits = try BackupSearch(in: stack, files: files, events: events)
        .look(for: text, in: backup, unread: &unread, isWanted: live.lacks)
      isFound = isFound || !hits.isEmpty
      let lacking = live.lacking(hits)
      if !lacking.fewer.isEmpty { fewer.append(Candidate(backup: backup, hits: lacking.fewer)) }
      if !lacking.absent.isEmpty { absent.append(Candidate(backup: backup, hits: lacking.absent)) }
      // An older backup may have more of it, when it was deleted in several places at different times.
      let isNew = !places.isSuperset(of: lacking.absent.map(\.place))
      places.formUnion(lacking.absent.map(\.place))
      sinceNewPlace = isNew || absent.isEmpty ? 0 : sinceNewPlace + 1
      if sinceNewPlace == Self.patience { break }
    }
    // The best backup has the most missing places; among equals it is the newest. When no place is missing, the best
    // one has more rows.
    let fullest = absent.enumerated().sorted {
      ($1.element.hits.count, $0.offset) < ($0.element.hits.count, $1.offset)
    }.map(\.element)
    for candidate in fullest + fewer where try isUsable(candidate) {
      return try plan(
        text, candidate: candidate, live: live, unread: unread,
        elsewhere: places.subtracting(candidate.hits.map(\.place)))
    }
    return nothingMissing(text, live: live, unread: unread, isFound: isFound || !fewer.isEmpty)
  }

  private func isUsable(_ candidate: Candidate) throws -> Bool {
    if let doubt = choice.refusal(of: candidate.backup, for: candidate.part) {
      events.send(.warning("\(candidate.name) is passed over: \(doubt)"))
      return false
    }
    return try choice.verifies(candidate.backup, for: candidate.part)
  }

  /// How many more backups are looked into when nothing new was found in them.
  private static let patience = 10

  /// - Parameter elsewhere: places in which only other backups hold it.
  private func plan(
    _ text: String, candidate: Candidate, live: LiveSearch, unread: [String], elsewhere: Set<String>
  ) throws -> RecoveryPlan {
    let places = candidate.hits.prefix(5).map { hit in
      "\(hit.place) (\(hit.count), now \(live.counts[hit.place] ?? 0))"
    }
    var findings = ["\(candidate.name) has what the stack lacks: \(places.joined(separator: ", "))"]
    if !elsewhere.isEmpty {
      findings.append(
        "other backups hold it in \(elsewhere.sorted().prefix(5).joined(separator: ", ")) too: "
          + "hrp backup find \(ShellWord.quoted(text))")
    }
    if !live.counts.isEmpty {
      let kept = live.counts.sorted { $0.key < $1.key }.prefix(5).map { "\($0.key) (\($0.value))" }
      findings.append("the stack itself names \(text) in \(kept.joined(separator: ", "))")
    }
    switch candidate.part {
    case .duckdb: findings.append("it is in the database alone: MLflow stays as it is")
    case .mlflow: findings.append("it is in MLflow alone: the database stays as it is")
    case nil: break
    }
    findings += live.notices + unread.map { "not looked into: \($0)" }
    var plan = try plan(
      .accidentalDeletion, findings: findings, backup: candidate.backup, part: candidate.part, missing: candidate.hits)
    if live.counts.keys.contains("MLflow deleted run") {
      plan.steps.insert(
        "MLflow has it in its trash: mlflow runs restore --run-id \(ShellWord.quoted(text)) brings it back without a "
          + "restore.", at: 0)
    }
    return plan
  }

  private func nothingMissing(
    _ text: String, live: LiveSearch, unread: [String], isFound: Bool
  ) -> RecoveryPlan {
    let notices = live.notices + unread.map { "not looked into: \($0)" }
    let readable = unread.isEmpty ? "" : " that could be looked into"
    if !live.counts.isEmpty {
      let places = live.counts.sorted { $0.key < $1.key }.prefix(5).map { "\($0.key) (\($0.value))" }
      return RecoveryPlan(
        scenario: .healthy,
        findings: [
          "the stack itself has \(text) in \(places.joined(separator: ", "))",
          "no backup\(readable) that can be restored has more of it",
        ] + notices,
        steps: ["See which backups hold it: hrp backup find \(ShellWord.quoted(text))."])
    }
    let words =
      isFound
      ? "the backups in \(stack.backupDirectory.text) that hold \(text) cannot be restored"
      : "no backup in \(stack.backupDirectory.text)\(readable) holds \(text)"
    return RecoveryPlan(
      scenario: .noUsableBackup, findings: [words] + notices,
      steps: ["Look into copies elsewhere: hrp backup find \(ShellWord.quoted(text)) --backup-dir DIR."])
  }

  /// What the plan should bring back and is still missing; it is called after the restore.
  /// - Throws: as `plan`.
  package func stillMissing(_ text: String, plan: RecoveryPlan) throws -> [SearchHit] {
    let live = try LiveSearch(for: text, in: stack, files: files, time: time)
    return try plan.missing.filter { hit in
      if hit.isFile {
        return try ByteText.bytes(of: hit.place.utf8).flatMap { EntryPath(validating: $0) }.map(live.lacks) ?? false
      }
      return live.counts[hit.place, default: -1] < hit.count
    }
  }
}

extension SearchHit {
  /// A file that is named one by one.
  fileprivate var isFile: Bool { BackupLayout.stores.contains { place.hasPrefix($0.text + "/") } }

  /// The part of the stack that it is in.
  fileprivate var part: StackPart {
    isFile || place == "more files" || place.hasPrefix("MLflow ") ? .mlflow : .duckdb
  }
}
