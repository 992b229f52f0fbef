package import Files
package import Jobs
package import Settings
package import Stacks
package import Store
internal import SystemPackage

/// What a scheduler would find, without running anything.
package enum SchedulerLook {
  /// The jobs that were missed and wait for a scheduler, by id; nothing is written.
  ///
  /// Where the records cannot be used, it is what a scheduler would do without them, and a warning.
  /// - Throws: `BackupError`, or what SQLite says, when it cannot be told.
  package static func waiting(
    _ jobs: [JobSettings], of stack: Stack, files: any FileSystem, time: any TimeSource, events: EventStream
  ) throws -> Set<String> {
    guard try files.exists(stack.dataDirectory) else { return [] }
    let ledger = JobLedger(stack, isLooking: true, files: files, time: time)
    if let problem = ledger.problem { events.send(.warning(problem)) }
    let waiting = try jobs.filter { job in
      let decision = SlotRules(job.schedule, job: job.id).decide(
        try ledger.facts(of: job), now: time.nowNanoseconds)
      return if case .run = decision { true } else { false }
    }
    return Set(waiting.map(\.id))
  }

  /// The jobs that somebody paused, with the time since when: ISO 8601 with offset.
  package static func paused(in stack: Stack, files: any FileSystem, time: any TimeSource) -> [String: String] {
    JobLedger(stack, isLooking: true, files: files, time: time).pausedJobs
  }

  /// The newest runs, and whether the process of a run died before it could say how it ended.
  /// - Throws: `BackupError` `catalogue.unusable`, or what SQLite says, when they cannot be read.
  package static func history(
    of stack: Stack, limit: Int, files: any FileSystem, time: any TimeSource
  ) throws -> [(record: SlotRecord, isInterrupted: Bool)] {
    let ledger = JobLedger(stack, isLooking: true, files: files, time: time)
    let isRunning = try ledger.isRunning()
    return try ledger.history(limit: limit).map { ($0, $0.state == .running && !isRunning) }
  }
}
