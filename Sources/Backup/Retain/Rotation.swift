package import Files
internal import Retention
package import Settings
internal import Stacks
package import Store
package import SystemPackage

// Deleting backups that no rule keeps. Which ones these are is decided by `RetentionPlan` (K1 to K17, at the head of
// its file). This carries the decision out:
//
//   D1  A backup's date is `created_at`, else `timestamp`, else its name. Where the name and the metadata differ by
//       more than a day, where nothing tells the date, or where the name has another form than `hrp` gives (somebody
//       renamed it), the backup stays and is named.
//   D2  What the plan relies on was read completely during this run, and is right: the newest two good backups, and
//       with them a third one where those two have one database. The metadata and the proofs are believed only when
//       they say that a backup is not good. Example: with `--keep-days 30` there are three backups, 40, 50 and 60 days
//       old, and the one of 40 days is damaged. All three stay: the damaged one, since no good one is newer, and the
//       two others as the newest two good ones.
//   D3  A backup that is being read (verified, restored) is passed over.
//   D4  A backup goes into the trash by one rename (`Trash.swift`); what a crash leaves is either in the list or in the
//       trash, whole.
//   D5  A pinned backup stays, whatever its age. So does a backup whose pin or metadata cannot be read: "unknown" never
//       counts as "no".
//   D6  The backups of each stack are judged apart, and so are those with and those without MLflow: none of them can
//       take the place of another. Example: a nightly backup of the database alone pushes out no full one.

/// What a rotation did, or would do.
public struct RotationResult: Sendable {
  /// Names of the backups that were moved to the trash, oldest first.
  public let deleted: [String]
  /// Names of the backups that stay, newest first.
  public let kept: [String]
  /// What was decided of each backup, newest first, as a clause.
  public let reasons: [(name: String, isKept: Bool, why: String)]
  /// Bytes of disk space that came free: files that other backups share are not counted.
  public let bytesFreed: Int64
  /// Bytes of disk space that the trash takes: files that backups in the list share are not counted.
  public let bytesInTrash: Int64
  /// Backups that stay though no rule of the policy keeps them, each with the reason.
  public let notices: [String]
  /// Why nothing was deleted though the rules would have; nil when nothing stood in the way.
  public let refusal: String?
}

extension ListedBackup {
  /// What the backups have in common that can take each other's place (D6).
  var retentionGroup: String {
    let source = metadata?.realSourceDirectory ?? metadata?.sourceDirectory ?? ""
    return "\(lacks(.mlflow) ? "-" : "+")\(source)"
  }
}

/// Moves the backups to the trash that no rule of a policy keeps.
package struct Rotation {
  private let directory: FilePath
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  package init(in directory: FilePath, files: any FileSystem, time: any TimeSource, events: EventStream) {
    self.directory = directory
    self.files = files
    self.time = time
    self.events = events
  }

  /// Deletes what no rule keeps, or with `isDryRun` only says what it would delete.
  /// - Parameter isUnattended: whether nobody watches; then a plan that would delete very much deletes nothing.
  /// - Throws: `BackupError`: `backup-directory.not-found`; `AdvisoryLock.Busy`; `SystemError`.
  package func run(
    _ retention: RetentionSettings, isUnattended: Bool = false, clockJumped: Bool = false, isDryRun: Bool = false
  ) throws -> RotationResult {
    events.send(.began(operation: "backup rotate", on: "\(directory.text), keeping \(retention.policy.words)"))
    try BackupError.checkOutsideOfBackups(directory, files: files)
    let backups = BackupDirectory(directory, files: files)
    _ = try backups.names()  // A directory that is not there is said to be so, before its lock is asked for.
    if isDryRun { try AdvisoryLock.check(.exclusive, of: .backups, on: directory, files: files) }
    let lock = try isDryRun ? nil : takeLock()
    defer { ignoringFailure { try lock?.release() } }
    if !isDryRun { try backups.removeDebris() }
    let all = try backups.list()
    let trash = Trash(of: directory, files: files, time: time)
    try trash.check()
    let run = retention.run(now: time.nowNanoseconds, isUnattended: isUnattended, clockJumped: clockJumped)
    let plans = try groups(of: all).map { group in
      try CheckedPlan(of: group, policy: retention.policy, run: run, read: read)
    }
    var outcome = Outcome(plans, order: all.map(name))
    let going = Set(plans.flatMap(\.plan.deletions).map(\.name))
    if !going.isEmpty { try PathRights.checkWritable(directory) }
    for backup in all.reversed() where going.contains(name(backup)) {
      try Interruption.check()
      try delete(backup, into: isDryRun ? nil : trash, outcome: &outcome)
    }
    let isClockTrusted = !clockJumped && isPlausible(all)
    let freed = try isDryRun || !isClockTrusted ? 0 : emptied(trash, keptFor: retention.trashDays)
    // How large the trash is, decides nothing.
    let bytesInTrash = forPeople { try trash.bytes() } ?? 0
    let result = outcome.result(all: all.map(name), bytesFreed: freed, bytesInTrash: bytesInTrash)
    tell(result, outcome: outcome, isDryRun: isDryRun)
    return result
  }

  /// Deletes for good what was in the trash long enough; what cannot be deleted stays there and is named.
  /// - Returns: the bytes that came free.
  private func emptied(_ trash: Trash, keptFor days: Int64) throws -> Int64 {
    do {
      return try trash.removeExpired(keptFor: days)
    } catch let error as SystemError {
      events.send(.warning(BackupError(error, doing: "emptying the trash").message))
      return 0
    }
  }

  /// The backups that can take each other's place (D6), newest first in each group.
  private func groups(of all: [ListedBackup]) -> [[ListedBackup]] {
    let keyed = Dictionary(grouping: all, by: \.retentionGroup)
    return keyed.keys.sorted().compactMap { keyed[$0] }
  }

  /// Whether the clock may be right: the newest backup is not much older than now.
  ///
  /// After a clock that was set far ahead, everything in the trash would seem to lie there long enough.
  private func isPlausible(_ all: [ListedBackup]) -> Bool {
    let now = time.nowNanoseconds
    guard let newest = all.compactMap(\.timestamp).filter({ $0 <= now }).max() else { return false }
    return now - newest <= Self.longPauseNanoseconds
  }

  /// Whoever made no backup for so long may have a wrong clock.
  package static let longPauseNanoseconds: Int64 = 60 * 86_400 * 1_000_000_000

  /// What became of the plan.
  private struct Outcome {
    let decisions: [RetentionDecision]
    let refusals: [String]
    let doubts: [String: String]
    var deleted: [String] = []
    /// Backups that would have gone and stay for now, and why.
    var stays: [(name: String, why: String, isDoubt: Bool)] = []

    /// - Parameter order: the names of the backups, newest first.
    init(_ plans: [CheckedPlan], order: [String]) {
      let places = Dictionary(order.enumerated().map { ($1, $0) }) { first, _ in first }
      decisions = plans.flatMap(\.plan.decisions).sorted { places[$0.name] ?? 0 < places[$1.name] ?? 0 }
      refusals = plans.compactMap(\.plan.refusal?.sentence)
      doubts = plans.reduce(into: [:]) { $0.merge($1.doubts) { first, _ in first } }
    }

    /// The backups that stay though no rule of the policy keeps them.
    var unruled: [(name: String, why: String, isDoubt: Bool)] {
      decisions.compactMap { decision in
        guard case .keep(let reasons) = decision.outcome else { return nil }
        if let doubt = doubts[decision.name] {
          return (decision.name, "\(doubt); look at it before you delete it", true)
        }
        if reasons.contains(where: \.isRule) { return nil }
        return (decision.name, decision.outcome.clause, reasons.contains(where: \.isDoubt))
      } + stays
    }

    func result(all: [String], bytesFreed: Int64, bytesInTrash: Int64) -> RotationResult {
      let gone = Set(deleted)
      let late = Dictionary(stays.map { ($0.name, $0.why) }) { first, _ in first }
      return RotationResult(
        deleted: deleted, kept: all.filter { !gone.contains($0) },
        reasons: decisions.map { ($0.name, !gone.contains($0.name), late[$0.name] ?? $0.outcome.clause) },
        bytesFreed: bytesFreed, bytesInTrash: bytesInTrash, notices: unruled.map { "\($0.name) stays: \($0.why)" },
        refusal: refusals.isEmpty ? nil : refusals.joined(separator: " "))
    }
  }

  /// Moves one backup to the trash; one that cannot go now stays and is named.
  /// - Parameter trash: nil for a dry run, which moves nothing.
  private func delete(_ backup: ListedBackup, into trash: Trash?, outcome: inout Outcome) throws {
    do {
      try checkRemovable(backup)
      if try trash?.put(backup.name) ?? true {
        outcome.deleted.append(name(backup))
      } else {
        outcome.stays.append((name(backup), "it is being read; for now", false))
      }
    } catch let error as SystemError where error.errno == .permissionDenied || error.errno == .notPermitted {
      outcome.stays.append(
        (
          name(backup), "it cannot be deleted (\(error.errno)): it, or a part of it, is another user's or not writable",
          true
        ))
    }
  }

  private func tell(_ result: RotationResult, outcome: Outcome, isDryRun: Bool) {
    for stay in outcome.unruled {
      let words = "\(stay.name) stays: \(stay.why)"
      events.send(stay.isDoubt ? .warning(words) : .notice(words))
    }
    if let refusal = result.refusal { events.send(.warning(refusal)) }
    if !isDryRun { for name in result.deleted { events.send(.notice("moved to the trash: \(name)")) } }
    if result.bytesInTrash > 0 {
      events.send(.notice("the trash takes \(ByteCount.text(result.bytesInTrash)): hrp backup trash list"))
    }
    let verb = isDryRun ? "would delete" : "deleted"
    events.send(
      .finished(
        operation: "backup rotate", summary: "\(verb) \(result.deleted.count), \(result.kept.count) remain"))
  }

  /// Reads all of a backup, and says what that showed (D2).
  private func read(_ backup: ListedBackup) throws -> RetentionFacts.Condition {
    do {
      let isOK = try Verification(files: files, time: time, events: events.progressOnly)
        .verify(backup.open(), level: .structure).isOK
      return isOK ? .verified : .failed("it does not verify")
    } catch let stopped as Interruption.Stopped {
      throw stopped
    } catch {
      return .unreadable("it cannot be verified: \(BackupError(error, doing: "verifying it").message)")
    }
  }

  /// - Throws: `SystemError` for a folder in a backup that this user could not empty.
  private func checkRemovable(_ backup: ListedBackup) throws {
    let root = try OpenFile(backup.path, mode: [.directory, .noFollow], files: files)
    try checkRemovable(root.status(), path: backup.path)
    try TreeWalk(files: files).walk(root) { step in
      switch step {
      case .directory(let entry):
        try checkRemovable(entry.status, path: backup.path.pushing(FilePath(bytes: entry.path.bytes)))
      case .entry: break
      case .unreadable(let path, let error):
        let status = try files.status(backup.path.pushing(FilePath(bytes: path.bytes)), at: nil)
        if !ThisProcess.owns(status) { throw error }
      }
      return true
    }
  }

  /// Checks that a folder can be emptied: `removeTree` makes it writable when this user owns it; else it must be
  /// writable already.
  private func checkRemovable(_ status: FileStatus, path: FilePath) throws {
    if !ThisProcess.owns(status) { try PathRights.checkWritable(path) }
  }

  private func takeLock() throws -> AdvisoryLock {
    try AdvisoryLock.take(
      .exclusive, of: .backups, on: directory, note: ThisProcess.note(program: "hrp backup rotate", time: time),
      patience: .seconds(10), onWait: events.waitingForLock, files: files, time: time)
  }

  private func name(_ backup: ListedBackup) -> String { ByteText.escaped(backup.name.bytes) }
}
