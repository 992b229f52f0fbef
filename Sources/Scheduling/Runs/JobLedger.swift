internal import Backup
package import Files
package import Jobs
package import Settings
package import Stacks
internal import Store
internal import SystemPackage

/// What is known of the jobs of a stack: the records of their slots, and the backups.
package struct JobLedger {
  private let stack: Stack
  /// nil when it cannot be opened: then what this process ran is all that is known.
  private let catalogue: Catalogue?
  private let memory: UnrecordedSlots
  private let files: any FileSystem
  private let time: any TimeSource

  /// What is wrong with the catalogue, or what of it was lost, as a sentence; nil when nothing is.
  package let problem: String?

  /// Opens the records; where that cannot be done, backups are made all the same (C1).
  /// - Parameter memory: what this process ran and could not write down.
  package init(
    _ stack: Stack, memory: UnrecordedSlots = UnrecordedSlots(), files: any FileSystem, time: any TimeSource
  ) {
    self.stack = stack
    self.memory = memory
    self.files = files
    self.time = time
    do {
      let opened = try Catalogue(in: stack.dataDirectory, backups: stack.backupDirectory, files: files, time: time)
      (catalogue, problem) = (opened, opened.loss)
    } catch {
      catalogue = nil
      problem = Self.words(error, of: stack)
    }
  }

  private static func words(_ error: any Error, of stack: Stack) -> String {
    let path = stack.dataDirectory.appending(Catalogue.name.components)
    return "the records of the scheduler cannot be used, so a run may be repeated: \(path.text): "
      + "\(BackupError(error, doing: "opening it").message)"
  }

  /// The facts by which a job is decided now.
  /// - Throws: what SQLite says; `BackupError` when the backups cannot be listed.
  package func facts(of job: JobSettings) throws -> SlotFacts {
    SlotFacts(
      records: try records(of: job.id, limit: 100), newestVerified: try newestVerified(for: job),
      isRunning: try isRunning())
  }

  /// The newest records of all jobs.
  package func history(limit: Int) throws -> [SlotRecord] { try records(limit: limit) }

  private func records(of job: String? = nil, limit: Int) throws -> [SlotRecord] {
    memory.records(of: job) + (try catalogue?.slots(of: job, limit: limit) ?? [])
  }

  /// The record of a slot; nil when it was never run.
  package func record(of slot: Slot) throws -> SlotRecord? {
    try records(of: slot.job, limit: 10_000).first { $0.due == slot.due }
  }

  /// Writes a record; it is durable when this returns.
  /// - Returns: why it could not be written, as a sentence; then this process remembers it. Nil when it was written.
  package func write(_ record: SlotRecord) -> String? {
    guard let catalogue else {
      memory.note(record)
      return nil
    }
    do {
      try catalogue.write(record)
      return nil
    } catch {
      memory.note(record)
      return Self.words(error, of: stack)
    }
  }

  /// Whether the clock may have jumped: something is dated after now, or the newest backup is very old.
  package func clockMayHaveJumped() throws -> Bool {
    let now = time.nowNanoseconds
    if try records(limit: 100).contains(where: { $0.beganAt > now || $0.due > now }) { return true }
    let timestamps = try backups().compactMap(\.timestamp)
    guard let newest = timestamps.max() else { return false }
    // A clock that is far ahead looks like a long pause. Nothing is lost by rotating at the next run.
    return newest > now || now - newest > Rotation.longPauseNanoseconds
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

  /// When the newest verified backup was begun that holds what the job would make.
  private func newestVerified(for job: JobSettings) throws -> Int64? {
    let now = time.nowNanoseconds
    return try backups().first { backup in
      guard let timestamp = backup.timestamp, timestamp <= now, backup.problem == nil, backup.hasDatabase else {
        return false
      }
      // A backup of the database alone is none in place of a full one.
      if job.includesMLflow, backup.metadata?.includesMLflow == false { return false }
      return backup.metadata?.verified == true && backup.metadata?.complete == true && backup.proof.value?.isOK != false
    }?.timestamp
  }

  /// The backups of this stack, newest first; none where there is no directory yet.
  private func backups() throws -> [ListedBackup] {
    guard try files.exists(stack.backupDirectory) else { return [] }
    return try BackupDirectory(stack.backupDirectory, files: files).list().filter { $0.isOf(stack) != false }
  }
}
