package import Files
internal import Stacks
package import Store
package import SystemPackage

// Deleting backups by age. What is deleted is gone, so:
//
//   D1  A backup is deleted only when it is older than `keepDays`, by `created_at`, else `timestamp`, else its name. It
//       is kept and named when its name and metadata differ by more than a day, when nothing tells its age, or when its
//       name has another form than `hrp` gives (somebody renamed it).
//   D2  The newest two good backups stay, whatever their age and whichever program made them. A backup is good when it
//       was read completely during this run, and is right. The metadata is believed only when it says that a backup is
//       not good. A backup that is damaged, that failed a drill, or that cannot be read is not good. It stays too, so
//       that somebody can look at it. So nothing is deleted while fewer than two good backups are known. Example: with
//       `--keep-days 30` there are three backups, 40, 50 and 60 days old, and the one of 40 days is damaged. All three
//       stay: the damaged one, and the two others as the newest two good ones.
//   D3  A backup that is being read (verified, restored) is passed over.
//   D4  A backup leaves the list in one rename, before its first file is deleted. What a crash leaves is hidden, and
//       the next run removes it.
//   D5  A pinned backup stays, whatever its age. So does a backup whose pin or metadata cannot be read: "unknown" never
//       counts as "no".

/// What a rotation did, or would do.
public struct RotationResult: Sendable {
  /// Names of the backups that were deleted, oldest first.
  public let deleted: [String]
  /// Names of the backups that stay, newest first.
  public let kept: [String]
  /// Bytes of disk space that came free: files that other backups share are not counted.
  public let bytesFreed: Int64
  /// Backups that stay though their age says otherwise, each with the reason.
  public let notices: [String]
}

/// Deletes backups that are older than a number of days.
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

  /// Deletes what is older, or with `isDryRun` only says what it would delete.
  /// - Throws: `BackupError`: `rotation.keep-days` below 1, `backup-directory.not-found`; `AdvisoryLock.Busy`;
  ///   `SystemError`.
  package func run(keepDays: Int, isDryRun: Bool = false) throws -> RotationResult {
    guard keepDays >= 1, keepDays <= 100_000 else {
      throw BackupError(
        "rotation.keep-days", kind: .usage, message: "--keep-days must be from 1 to 100000, not \(keepDays)",
        remedy: "To remove one backup whatever its age, delete its directory.")
    }
    events.send(.began(operation: "backup rotate", on: "\(directory.text), keeping \(keepDays) days"))
    try BackupError.checkOutsideOfBackups(directory, files: files)
    let backups = BackupDirectory(directory, files: files)
    _ = try backups.names()  // A directory that is not there is said to be so, before its lock is asked for.
    if isDryRun { try AdvisoryLock.check(.exclusive, of: .backups, on: directory, files: files) }
    let lock = try isDryRun ? nil : takeLock()
    defer { ignoringFailure { try lock?.release() } }
    if !isDryRun { try backups.removeDebris() }
    let all = try backups.list()
    var stays: [Stay] = []
    let expired = try expired(all, keepDays: keepDays, stays: &stays)
    if !expired.isEmpty { try PathRights.checkWritable(directory) }
    var deleted: [ListedBackup] = []
    var bytesFreed: Int64 = 0
    for backup in expired.reversed() {
      try Interruption.check()
      let bytes: Int64
      do {
        guard let freed = try isDryRun ? size(of: backup) : delete(backup) else {
          stays.append(Stay(backup, why: "it is being read; for now", isDoubt: false))
          continue
        }
        bytes = freed
      } catch let error as SystemError where error.errno == .permissionDenied || error.errno == .notPermitted {
        stays.append(
          Stay(
            backup, why: "it cannot be deleted (\(error.errno)): it, or a part of it, is another user's", isDoubt: true)
        )
        continue
      }
      bytesFreed += bytes
      deleted.append(backup)
    }
    for stay in stays { events.send(stay.isDoubt ? .warning(stay.words) : .notice(stay.words)) }
    let gone = Set(deleted.map(\.name))
    let result = RotationResult(
      deleted: deleted.map(name), kept: all.filter { !gone.contains($0.name) }.map(name), bytesFreed: bytesFreed,
      notices: stays.map(\.words))
    let verb = isDryRun ? "would delete" : "deleted"
    events.send(
      .finished(
        operation: "backup rotate", summary: "\(verb) \(deleted.count), \(result.kept.count) remain"))
    return result
  }

  /// The backups that may go, newest first.
  private func expired(_ all: [ListedBackup], keepDays: Int, stays: inout [Stay]) throws -> [ListedBackup] {
    let policy = RetentionPolicy(keepDays: keepDays, now: time.nowNanoseconds)
    // Where nothing is old enough, nothing needs to be read.
    let old = all.filter { policy.isOld($0.timestamp) }
    guard old.contains(where: { $0.timestamp != nil }) else { return [] }
    let readings = try readings(all)
    return old.filter { backup in
      switch policy.decision(on: facts(of: backup, readings[backup.name] ?? .unread)) {
      case .delete: return true
      case .young: return false
      case .keep(let why): stays.append(Stay(backup, why: why, isDoubt: false))
      case .keepInDoubt(let why): stays.append(Stay(backup, why: why, isDoubt: true))
      }
      return false
    }
  }

  /// An old backup that stays, and why.
  private struct Stay {
    let words: String
    /// Whether something is wrong with it; this is then reported even with `--quiet`.
    let isDoubt: Bool

    init(_ backup: ListedBackup, why: String, isDoubt: Bool) {
      words = "\(ByteText.escaped(backup.name.bytes)) stays: \(why)"
      self.isDoubt = isDoubt
    }
  }

  private func facts(of backup: ListedBackup, _ reading: RetentionPolicy.Reading) -> RetentionPolicy.Facts {
    let pin: RetentionPolicy.Pin =
      switch backup.pin {
      case .nothing: .none
      case .found: .pinned
      case .unreadable(let why): .unreadable(why)
      }
    return RetentionPolicy.Facts(
      timestamp: backup.timestamp, timestampInName: BackupLayout.timestamp(ofName: backup.name),
      problem: backup.problem ?? backup.metadataProblem, pin: pin, reading: reading)
  }

  /// Reads backups until two good ones are found (D2), and says of each whether it is good.
  ///
  /// The list is newest first. Backups that call themselves incomplete or unverified are read last.
  private func readings(_ all: [ListedBackup]) throws -> [FileName: RetentionPolicy.Reading] {
    let isLesser = { (backup: ListedBackup) in
      backup.metadata?.verified == false || backup.metadata?.complete == false || !backup.hasDatabase
    }
    var readings: [FileName: RetentionPolicy.Reading] = [:]
    var good = 0
    for backup in all.filter({ !isLesser($0) }) + all.filter(isLesser) where good < RetentionPolicy.minimumKept {
      let doubt = try doubt(about: backup)
      readings[backup.name] = doubt.map { .doubtful($0) } ?? .good
      if doubt == nil { good += 1 }
    }
    return readings
  }

  /// Why a backup is not good, as a clause; nil when it verifies at the level `structure` and no drill of it failed.
  private func doubt(about backup: ListedBackup) throws -> String? {
    if let problem = backup.problem { return problem }
    switch backup.proof {
    case .nothing: break
    case .found(let proof): if let failure = proof.failure { return failure }
    case .unreadable(let why): return "whether a drill failed cannot be told (\(why))"
    }
    do {
      let isOK = try Verification(files: files, time: time, events: events.progressOnly)
        .verify(backup.open(), level: .structure).isOK
      return isOK ? nil : "it does not verify"
    } catch let stopped as Interruption.Stopped {
      throw stopped
    } catch {
      return "it cannot be verified: \(BackupError(error, doing: "verifying it").message)"
    }
  }

  /// Deletes one backup, unless it is being read (D3, D4).
  ///
  /// Returns the bytes that were freed; nil when the backup is being read.
  private func delete(_ backup: ListedBackup) throws -> Int64? {
    let parent = try OpenFile(directory, mode: [.directory], files: files)
    let folder = try OpenFile(backup.name.path, at: parent.descriptor, mode: [.directory, .noFollow], files: files)
    guard try files.lock(folder.descriptor, kind: .exclusive) else { return nil }
    let bytes = try size(of: backup)
    let hidden = FilePath(bytes: Array(".".utf8) + backup.name.bytes + Array(".deleted.partial".utf8))
    try files.renameNew(backup.name.path, at: parent.descriptor, to: hidden, at: parent.descriptor)
    try parent.synchronize()
    try files.removeTree(hidden, at: parent.descriptor)
    try ProofDirectory(of: directory, files: files).remove(backup.name)
    events.send(.notice("deleted \(name(backup))"))
    return bytes
  }

  /// Bytes that come free with a backup.
  /// - Throws: `SystemError` also for a folder in it that this user could not empty.
  private func size(of backup: ListedBackup) throws -> Int64 {
    var bytes: Int64 = 0
    let root = try OpenFile(backup.path, mode: [.directory, .noFollow], files: files)
    try checkRemovable(root.status(), path: backup.path)
    try TreeWalk(files: files).walk(root) { step in
      switch step {
      case .directory(let entry):
        try checkRemovable(entry.status, path: backup.path.pushing(FilePath(bytes: entry.path.bytes)))
      case .entry(let entry): if entry.status.linkCount == 1 { bytes += entry.status.allocatedBytes }
      case .unreadable(let path, let error):
        let status = try files.status(backup.path.pushing(FilePath(bytes: path.bytes)), at: nil)
        if !ThisProcess.owns(status) { throw error }
      }
      return true
    }
    return bytes
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
