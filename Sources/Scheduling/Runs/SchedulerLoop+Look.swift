package import Files
package import Jobs
package import Settings
package import Stacks
internal import SystemPackage

extension SchedulerLoop {
  /// Whether a job was missed and waits for a scheduler; nothing is written.
  /// - Throws: `BackupError`, or what SQLite says, when that cannot be told.
  package static func waits(
    _ job: JobSettings, of stack: Stack, files: any FileSystem, time: any TimeSource
  ) throws -> Bool {
    guard try files.exists(stack.dataDirectory) else { return false }
    let facts: SlotFacts
    if try files.exists(stack.dataDirectory.appending(Catalogue.name.components)) {
      facts = try JobLedger(stack, files: files, time: time).facts(of: job)
    } else {
      facts = SlotFacts(records: [], newestVerified: nil, isRunning: false)
    }
    guard case .run = SlotRules(job.schedule, job: job.id).decide(facts, now: time.nowNanoseconds) else { return false }
    return true
  }

  /// Whether a scheduler runs for a stack.
  /// - Throws: `SystemError` when that cannot be told.
  package static func isRunning(for stack: Stack, files: any FileSystem) throws -> Bool {
    guard try files.exists(stack.dataDirectory) else { return false }
    do {
      try AdvisoryLock.check(.exclusive, of: .scheduler, on: stack.dataDirectory, files: files)
      return false
    } catch is AdvisoryLock.Busy {
      return true
    }
  }

  /// The newest runs, and whether the process of a run died before it could say how it ended.
  /// - Throws: `BackupError`, or what SQLite says, when they cannot be read.
  package static func history(
    of stack: Stack, limit: Int, files: any FileSystem, time: any TimeSource
  ) throws -> [(record: SlotRecord, isInterrupted: Bool)] {
    guard try files.exists(stack.dataDirectory.appending(Catalogue.name.components)) else { return [] }
    let ledger = JobLedger(stack, files: files, time: time)
    let isRunning = try ledger.isRunning()
    return try ledger.history(limit: limit).map { ($0, $0.state == .running && !isRunning) }
  }
}
