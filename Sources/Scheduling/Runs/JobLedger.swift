internal import Backup
package import Files
package import Jobs
package import Stacks
internal import Store
internal import SystemPackage

/// What is known of the jobs of a stack: the records of their slots, and the backups.
package struct JobLedger {
  private let stack: Stack
  private let catalogue: Catalogue
  private let files: any FileSystem
  private let time: any TimeSource

  /// - Throws: what SQLite says: without a record no slot is run (Z1).
  package init(_ stack: Stack, files: any FileSystem, time: any TimeSource) throws {
    self.stack = stack
    self.files = files
    self.time = time
    catalogue = try Catalogue(in: stack.dataDirectory, backups: stack.backupDirectory, files: files, time: time)
  }

  /// The facts by which a job is decided now.
  /// - Throws: what SQLite says; `BackupError` when the backups cannot be listed.
  package func facts(of job: String) throws -> SlotFacts {
    SlotFacts(
      records: try catalogue.slots(of: job, limit: 100), newestVerified: try newestVerified(),
      isRunning: try isRunning())
  }

  /// The newest records of all jobs.
  package func history(limit: Int) throws -> [SlotRecord] { try catalogue.slots(limit: limit) }

  /// The record of a slot; nil when it was never run.
  package func record(of slot: Slot) throws -> SlotRecord? {
    try catalogue.slots(of: slot.job, limit: 10_000).first { $0.due == slot.due }
  }

  /// Writes a record; it is durable when this returns.
  package func write(_ record: SlotRecord) throws { try catalogue.write(record) }

  /// Whether something is dated after now: the clock was set back, or was ahead.
  package func isAheadOfClock() throws -> Bool {
    let now = time.nowNanoseconds
    if try catalogue.slots(limit: 100).contains(where: { $0.beganAt > now || $0.due > now }) { return true }
    return try backups().contains { ($0.timestamp ?? .min) > now }
  }

  /// Whether a process holds the lock of a running job.
  func isRunning() throws -> Bool {
    do {
      try AdvisoryLock.check(.exclusive, of: .job, on: stack.dataDirectory, files: files)
      return false
    } catch is AdvisoryLock.Busy {
      return true
    }
  }

  private func newestVerified() throws -> Int64? {
    let now = time.nowNanoseconds
    return try backups().first { backup in
      guard let timestamp = backup.timestamp, timestamp <= now, backup.problem == nil, backup.hasDatabase else {
        return false
      }
      return backup.metadata?.verified == true && backup.metadata?.complete == true && backup.proof.value?.isOK != false
    }?.timestamp
  }

  /// The backups of this stack, newest first; none where there is no directory yet.
  private func backups() throws -> [ListedBackup] {
    guard try files.exists(stack.backupDirectory) else { return [] }
    return try BackupDirectory(stack.backupDirectory, files: files).list().filter { $0.isOf(stack) != false }
  }
}
