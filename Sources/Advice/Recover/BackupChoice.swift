internal import Backup
internal import Files
internal import Stacks
internal import Store
internal import SystemPackage

/// Chooses the backup that a recovery restores: the newest that a drill has proven and that verifies, else the newest
/// that verifies.
///
/// Only the part that is restored is judged. A backup whose drill failed is never chosen, with one exception: only a
/// checkpoint failed, and there is no better backup. Backups that are skipped are named.
struct BackupChoice {
  private let stack: Stack
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  init(_ stack: Stack, files: any FileSystem, time: any TimeSource, events: EventStream) {
    self.stack = stack
    self.files = files
    self.time = time
    self.events = events
  }

  /// The backups that may help, newest first.
  ///
  /// Where some are of this stack and others are of another one, only the former; the others are named.
  /// - Throws: `BackupError` `backup-directory.not-found`.
  func candidates() throws -> [ListedBackup] {
    let directory = BackupDirectory(stack.backupDirectory, files: files)
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
            + "\(ByteText.escaped(first.name.bytes)) is of \(first.metadata?.sourceDirectory ?? "?")"))
    }
    return all.filter { $0.isOf(stack) != false }
  }

  /// The best of the candidates that hold a part.
  ///
  /// - Parameter part: the part to restore; nil when both parts are restored.
  /// - Throws: `BackupError` `backup.none-valid`, and what a verification throws.
  func best(of candidates: [ListedBackup], for part: StackPart?) throws -> ListedBackup {
    let holding = candidates.filter { backup in part.map { !backup.lacks($0) } ?? true }
    for backup in holding {
      guard let doubt = refusal(of: backup, for: part) else { continue }
      events.send(.warning("\(ByteText.escaped(backup.name.bytes)) is passed over: \(doubt)"))
    }
    let judged = holding.filter { $0.problem == nil }.map { (backup: $0, trust: BackupTrust($0, for: part)) }
    for (backup, trust) in BackupTrust.allCases.flatMap({ trust in judged.filter { $0.trust == trust } }) {
      guard try verifies(backup, for: part) else { continue }
      if trust == .doubtful, let doubt = backup.proof.value?.failure ?? backup.proof.problem {
        events.send(.warning("\(ByteText.escaped(backup.name.bytes)) is the best there is; \(doubt)"))
      }
      let newer = judged.first { $0.trust == .unproven && ($0.backup.timestamp ?? .min) > (backup.timestamp ?? .min) }?
        .backup
      if trust == .proven, let newer {
        events.send(
          .notice(
            "\(ByteText.escaped(backup.name.bytes)) is the newest that a drill has proven; "
              + "\(ByteText.escaped(newer.name.bytes)) is newer, and can be named with --backup"))
      }
      return backup
    }
    throw BackupError(
      "backup.none-valid", kind: .failed,
      message: "none of the \(candidates.count) backups in \(stack.backupDirectory.text) can be restored",
      remedy: "Check the disk for errors (dmesg, smartctl -a) and try your copies elsewhere.")
  }

  /// Why a backup is skipped without verifying it, as a clause; nil when a verification decides.
  func refusal(of backup: ListedBackup, for part: StackPart?) -> String? {
    guard backup.problem != nil || BackupTrust(backup, for: part) == nil else { return nil }
    return doubt(about: backup, for: part)
  }

  /// Why a backup is not recommended, as a clause; nil when nothing is known against it.
  ///
  /// - Parameter part: the part to restore; nil when both parts are restored.
  func doubt(about backup: ListedBackup, for part: StackPart?) -> String? {
    if let problem = backup.problem { return problem }
    switch backup.proof {
    case .nothing: return nil
    case .unreadable(let why): return "whether a drill failed cannot be told (\(why))"
    case .found(let proof) where !proof.concerns(part): return nil
    case .found(let proof):
      return proof.failure.map { "\($0) (\(proof.at)): \(proof.findings.first ?? "it does not say why")" }
    }
  }

  /// Whether what is restored from a backup is right; else what is wrong is said.
  /// - Throws: `Interruption.Stopped`.
  func verifies(_ backup: ListedBackup, for part: StackPart?) throws -> Bool {
    let name = ByteText.escaped(backup.name.bytes)
    let report: VerificationReport
    do {
      report = try Verification(files: files, time: time, events: EventStream()).verify(
        backup.open(), level: .structure)
    } catch let stopped as Interruption.Stopped {
      throw stopped
    } catch {
      // A backup that cannot be read says nothing about older ones: those are tried next.
      events.send(.warning("\(name) cannot be verified: \(BackupError(error, doing: "verifying it").message)"))
      return false
    }
    let findings = report.findings(of: part)
    if let first = findings.first {
      events.send(.warning("\(name) does not verify: \(first.line)"))
      return false
    }
    if let first = report.findings.first {
      events.send(
        .warning("\(name): what is not restored from it is damaged (\(first.line)); what is restored is right"))
    }
    return true
  }
}
