internal import Backup
package import Files
package import Jobs
package import Settings
package import Stacks
internal import Store
internal import SystemPackage

/// What is known of the jobs of a stack: the records of their slots, and the backups.
package final class JobLedger {
  private let stack: Stack
  /// nil when there is none, or when it cannot be opened: then what this process ran is all that is known.
  private let catalogue: Catalogue?
  private let memory: UnrecordedSlots
  private let files: any FileSystem
  private let time: any TimeSource
  /// Listed once for all jobs; nil when a run may have made another one.
  private var listed: StackBackups?

  /// Why the records cannot be used; nil when they can.
  private let failure: BackupError?
  /// What is wrong with the records, or what of them was lost, as a sentence; nil when nothing is.
  package let problem: String?

  /// Opens the records; where that cannot be done, backups are made all the same (C1).
  /// - Parameter memory: what this process ran and could not write down.
  /// - Parameter isLooking: whether nothing is to be written: then records that are not there are not begun.
  package init(
    _ stack: Stack, memory: UnrecordedSlots = UnrecordedSlots(), isLooking: Bool = false, files: any FileSystem,
    time: any TimeSource
  ) {
    self.stack = stack
    self.memory = memory
    self.files = files
    self.time = time
    do {
      catalogue =
        isLooking
        ? try Catalogue.existing(of: stack, files: files, time: time)
        : try Catalogue(of: stack, files: files, time: time)
      (failure, problem) = (nil, catalogue?.loss)
    } catch {
      let failure = Catalogue.unusable(in: stack.dataDirectory, error: error)
      (catalogue, self.failure, problem) = (nil, failure, Self.words(failure))
    }
  }

  private static func words(_ failure: BackupError) -> String { "\(failure.message), so a run may be repeated" }

  /// The facts by which a job is decided now.
  /// - Throws: what SQLite says; `BackupError` when the backups cannot be listed.
  package func facts(of job: JobSettings) throws -> SlotFacts {
    SlotFacts(
      records: try records(of: job.id, limit: 100),
      newestVerified: try backups().verified(holdingMLflow: needsMLflow(job)).first?.timestamp,
      isRunning: try isRunning())
  }

  /// The newest records of all jobs.
  /// - Throws: `BackupError` `catalogue.unusable`, or what SQLite says.
  package func history(limit: Int) throws -> [SlotRecord] {
    if let failure { throw failure }
    return try records(limit: limit)
  }

  private func records(of job: String? = nil, limit: Int) throws -> [SlotRecord] {
    memory.records(of: job) + (try catalogue?.slots(of: job, limit: limit) ?? [])
  }

  /// The record of a slot; nil when it was never run.
  package func record(of slot: Slot) throws -> SlotRecord? {
    try records(of: slot.job, limit: 10_000).first { $0.due == slot.due }
  }

  /// Writes a record; it is durable when this returns.
  /// - Returns: why it could not be written, as a sentence; then this process remembers it. Nil when it was written, or
  ///   when `problem` says it already.
  package func write(_ record: SlotRecord) -> String? {
    listed = nil
    guard let catalogue else {
      memory.note(record)
      return nil
    }
    do {
      try catalogue.write(record)
      return nil
    } catch {
      return remember(record, because: error)
    }
  }

  /// Remembers a record in this process alone.
  /// - Returns: why it is not written down, as a sentence.
  func remember(_ record: SlotRecord, because error: any Error) -> String {
    memory.note(record)
    return Self.words(Catalogue.unusable(in: stack.dataDirectory, error: error))
  }

  /// Whether the clock may have jumped: something is dated after now, or the newest backup is very old.
  package func clockMayHaveJumped() throws -> Bool {
    let now = time.nowNanoseconds
    if try records(limit: 100).contains(where: { $0.beganAt > now || $0.due > now }) { return true }
    guard let newest = try backups().newestTimestamp else { return false }
    // A clock that is far ahead looks like a long pause. Nothing is lost by rotating at the next run.
    return newest > now || now - newest > Rotation.longPauseNanoseconds
  }

  /// The jobs that somebody paused, with the time since when: ISO 8601 with offset.
  ///
  /// Where the records cannot be read, nothing is paused: a backup too many does no harm.
  package var pausedJobs: [String: String] { forPeople { try catalogue?.pauses() ?? [:] } ?? [:] }

  /// Lists the backups anew when they are needed: another process may have made one.
  func forgetListing() { listed = nil }

  /// Whether a process holds the lock of a running job.
  func isRunning() throws -> Bool { try AdvisoryLock.isHeld(.job, on: stack.dataDirectory, files: files) }

  /// Whether only a backup with an MLflow directory is what the job would make.
  private func needsMLflow(_ job: JobSettings) -> Bool {
    guard job.includesMLflow else { return false }
    // Where it cannot be told whether there is a store, a backup without one covers nothing.
    do { return try stack.mlflow(files: files) != nil } catch { return true }
  }

  private func backups() throws -> StackBackups {
    if let listed { return listed }
    let now = try StackBackups(of: stack, files: files, time: time)
    listed = now
    return now
  }
}
