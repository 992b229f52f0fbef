package import Files
package import Stacks
package import Store

/// Chooses the backup that a restore of `latest-valid` and a recovery take: the newest that a drill has proven and that
/// verifies, else the newest that verifies.
///
/// Only the part that is restored is judged. A backup whose drill failed is never chosen, with one exception: only a
/// checkpoint failed, and there is no better backup. One that lacks a part of MLflow is the last choice.
/// Backups that are passed over are named.
package struct BackupChoice {
  /// The backup that was chosen.
  package struct Chosen {
    package let backup: ListedBackup
    /// What should be known of newer backups that were not chosen, a sentence each.
    package let remarks: [String]
    /// The newest of those against which nothing speaks but that no drill has proven it; nil when there is none.
    package let newer: String?
    /// Whether a newer one was not chosen because it lacks a part of MLflow: its database may be as good as any.
    package let isNewerLacking: Bool
  }

  private let directory: BackupDirectory
  private let time: any TimeSource
  private let events: EventStream

  package init(in directory: BackupDirectory, time: any TimeSource, events: EventStream) {
    self.directory = directory
    self.time = time
    self.events = events
  }

  /// The backups that may help, newest first.
  ///
  /// Where some are of this stack and others are of another one, only the former; the others are named.
  /// - Throws: `BackupError` `backup-directory.not-found`.
  package func candidates(of stack: Stack) throws -> [ListedBackup] {
    for name in try directory.unlisted() {
      events.send(.warning("\(name) does not verify: checksums.txt is missing"))
    }
    let all = try directory.list()
    guard all.contains(where: { $0.isOf(stack) == true }) else { return all }
    let foreign = all.filter { $0.isOf(stack) == false }
    if let first = foreign.first {
      events.send(
        .warning(
          "\(foreign.count == 1 ? "a backup" : "\(foreign.count) backups") of another stack is passed over: "
            + "\(name(of: first)) is of \(first.metadata?.sourceDirectory ?? "?")"))
    }
    return all.filter { $0.isOf(stack) != false }
  }

  /// The best of the candidates that hold a part.
  ///
  /// - Parameter part: the part to restore; nil when both parts are restored.
  /// - Throws: `BackupError` `backup.none-valid`; `Interruption.Stopped`.
  package func best(of candidates: [ListedBackup], for part: StackPart?) throws -> Chosen {
    let holding = candidates.filter { backup in part.map { !backup.lacks($0) } ?? true }
    for backup in holding {
      guard let doubt = refusal(of: backup, for: part) else { continue }
      events.send(.warning("\(name(of: backup)) is passed over: \(doubt)"))
    }
    let judged = holding.filter { $0.problem == nil }.map { (backup: $0, trust: BackupTrust($0, for: part)) }
    var failed: Set<FileName> = []
    for trust in BackupTrust.allCases {
      for (backup, its) in judged where its == trust {
        guard try verifies(backup, for: part) else {
          failed.insert(backup.name)
          continue
        }
        if trust == .doubtful || trust == .lacking, let doubt = doubt(about: backup, for: part) {
          events.send(.warning("\(name(of: backup)) is the best there is; \(doubt)"))
        }
        let newer = judged.prefix { $0.backup.name != backup.name }
          .filter { $0.trust != nil && !failed.contains($0.backup.name) }
        return Chosen(
          backup: backup, remarks: newer.prefix(3).map { remark(on: $0.backup, chosen: backup, for: part) },
          newer: newer.first { $0.trust == .unproven }.map { name(of: $0.backup) },
          isNewerLacking: newer.contains { $0.trust == .lacking })
      }
    }
    throw BackupError(
      "backup.none-valid", kind: .failed,
      message: "none of the \(ItemCount.text(candidates.count, of: "backup")) in \(directory.path.text) verifies",
      remedy: "Check the disk for errors (dmesg, smartctl -a) and try your copies elsewhere; hrp doctor --report FILE "
        + "writes what a bug report needs.")
  }

  /// Why a newer backup was not chosen, and what it costs to take the older one.
  private func remark(on newer: ListedBackup, chosen: ListedBackup, for part: StackPart?) -> String {
    let why =
      doubt(about: newer, for: part)
      ?? "no drill has proven it, and one has proven \(name(of: chosen)), so it is not known whether it restores"
    let age = newer.timestamp.flatMap { new in chosen.timestamp.map { Age.words(since: $0, now: new) } }
    return "\(name(of: newer)) is \(age.map { "\($0) " } ?? "")newer and was not chosen: \(why)"
  }

  /// Why a backup is skipped without verifying it, as a clause; nil when a verification decides.
  package func refusal(of backup: ListedBackup, for part: StackPart?) -> String? {
    guard backup.problem != nil || BackupTrust(backup, for: part) == nil else { return nil }
    return doubt(about: backup, for: part)
  }

  /// Why a backup is not recommended, as a clause; nil when nothing is known against it.
  ///
  /// - Parameter part: the part to restore; nil when both parts are restored.
  package func doubt(about backup: ListedBackup, for part: StackPart?) -> String? {
    if let problem = backup.problem { return problem }
    switch backup.proof {
    case .unreadable(let why): return "whether a drill failed cannot be told (\(why))"
    case .found(let proof) where proof.concerns(part) && !proof.isOK:
      return proof.failure.map {
        "\($0) (\(LocalTime.plain(of: proof.at))): \(proof.findings.first ?? "it does not say why")"
      }
    case .nothing, .found: return part == .duckdb ? nil : backup.lostWords
    }
  }

  /// Whether what is restored from a backup is right; else what is wrong is said.
  /// - Throws: `Interruption.Stopped`.
  package func verifies(_ backup: ListedBackup, for part: StackPart?) throws -> Bool {
    let report: VerificationReport
    do {
      report = try Verification(files: directory.files, time: time, events: EventStream()).verify(
        backup.open(), level: .structure)
    } catch let stopped as Interruption.Stopped {
      throw stopped
    } catch {
      // A backup that cannot be read says nothing about older ones: those are tried next.
      let error = BackupError(error, doing: "verifying it")
      events.send(.warning("\(name(of: backup)) cannot be verified: \(error.message)"))
      return false
    }
    if let first = report.findings(of: part).first {
      events.send(.warning("\(name(of: backup)) does not verify: \(first.line)"))
      return false
    }
    if let first = report.findings.first {
      events.send(
        .warning(
          "\(name(of: backup)): what is not restored from it is damaged (\(first.line)); what is restored is right"))
    }
    return true
  }

  private func name(of backup: ListedBackup) -> String { ByteText.escaped(backup.name.bytes) }
}
