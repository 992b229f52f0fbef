package import Backup
internal import Calendars
package import Files
package import Jobs
internal import Notices
package import Settings
package import Stacks
internal import Store
internal import SystemPackage

/// Looks at a stack and judges whether it is protected; it writes nothing.
package struct StackStatus: Sendable {
  package let facts: ProtectionFacts
  package let protection: Protection
  /// The next run of each job, in nanoseconds since 1970 UTC.
  package let nextRuns: [(job: JobSettings, at: Int64)]
  /// Whether a scheduler runs; nil when that cannot be told.
  package let hasScheduler: Bool?
  /// When a scheduler began last.
  package let schedulerLife: SchedulerLife
  /// The jobs that somebody paused, with the time since when: ISO 8601 with offset.
  package let pausedJobs: [(job: String, since: String)]
  /// The newest notices that were not delivered, one for each way and kind.
  package let lostNotices: [NoticeRecord]
  /// How the copies in each second place are.
  package let places: [PlaceStatus]
  /// What keeps notices from arriving, each as a clause with what to do.
  package let noticeProblems: [(message: String, remedy: String)]
  /// Whether backups are on another disk than the data.
  package let elsewhere: CopiesElsewhere

  /// - Parameter hasService: whether the scheduler is installed as a service of this stack.
  /// - Parameter readiness: whether the stack can be used; nil where that is said elsewhere.
  /// - Throws: `BackupError` `source.not-found` when the stack has no database.
  package init(
    _ stack: Stack, hasService: Bool, readiness: StackReadiness? = nil, files: any FileSystem, time: any TimeSource
  ) throws {
    let now = time.nowNanoseconds
    let jobs = Self.jobs(of: stack)
    hasScheduler = forPeople { try AdvisoryLock.isHeld(.scheduler, on: stack.dataDirectory, files: files) }
    var facts = try Self.facts(of: stack, files: files, time: time)
    schedulerLife = SchedulerLife(of: stack, files: files, time: time)
    facts.isServiceIdle = hasService && hasScheduler == false
    do {
      facts.lostMLflow = try LostMLflow(of: stack, files: files).words
    } catch {
      facts.unreadable.append(BackupError(error, doing: "looking for what MLflow has lost", on: stack).message)
    }
    facts.damage = readiness?.checks.first { $0.name == "database" }?.failure
    self.facts = facts
    protection = Protection(facts, limits: stack.settings.protection, now: now)
    let catalogue = Catalogue.ifPresent(of: stack, files: files, time: time)
    lostNotices = forPeople { try catalogue?.lostNotices() ?? [] } ?? []
    let pauses = forPeople { try catalogue?.pauses() ?? [:] } ?? [:]
    pausedJobs = jobs.compactMap { job in pauses[job.id].map { (job.id, $0) } }
    let newest = facts.newestBackup
    places = stack.secondPlaces.map { PlaceStatus($0, of: stack, newestBackup: newest, files: files, time: time) }
    noticeProblems = NoticeCheck.problems(
      stack.settings.notices, dataDirectory: stack.dataDirectory, files: files
    ).map { ($0.message, $0.remedy) }
    elsewhere = CopiesElsewhere(of: stack, files: files, time: time)
    nextRuns = jobs.map { ($0, $0.schedule.next(after: now)) }
  }

  /// Whether a stack is protected, and no more: no second place is touched, and no secret is read.
  /// - Throws: `BackupError` `source.not-found` when the stack has no database.
  package static func protection(
    of stack: Stack, files: any FileSystem, time: any TimeSource
  ) throws -> Protection {
    Protection(
      try facts(of: stack, files: files, time: time), limits: stack.settings.protection, now: time.nowNanoseconds)
  }

  private static func jobs(of stack: Stack) -> [JobSettings] {
    stack.settings.isSwitchedOff.value ? [] : stack.settings.schedule.jobs
  }

  private static func facts(
    of stack: Stack, files: any FileSystem, time: any TimeSource
  ) throws -> ProtectionFacts {
    guard try files.exists(stack.database) else { throw BackupError.sourceNotFound(stack.database) }
    let jobs = jobs(of: stack)
    var facts = ProtectionFacts(
      switchedOff: stack.settings.reasonToMakeNone,
      intervalSeconds: jobs.map { Int64($0.schedule.rule.nominalSeconds) }.min())
    let note = { (error: any Error) in BackupError(error, doing: "looking at the stack", on: stack).message }
    do {
      try addBackups(to: &facts, of: stack, files: files, time: time)
    } catch {
      facts.unreadable.append(note(error))
    }
    do {
      try addRuns(to: &facts, of: stack, jobs: jobs, files: files, time: time)
    } catch {
      facts.unreadable.append("the records of the scheduler cannot be read: \(note(error))")
    }
    return facts
  }

  private static func addBackups(
    to facts: inout ProtectionFacts, of stack: Stack, files: any FileSystem, time: any TimeSource
  ) throws {
    // A disk that is not mounted holds the backups that were made.
    try BackupPlace(stack, memory: CatalogueMemory(stack, files: files, time: time), files: files).check()
    // Where there is an MLflow store, a backup without one protects half of the stack.
    let needsMLflow = try stack.mlflow(files: files) != nil
    let backups = try StackBackups(of: stack, files: files, time: time)
    if let newest = backups.newest, let lacks = newest.metadata?.incompleteWords {
      facts.incomplete = (ByteText.escaped(newest.name.bytes), lacks)
    }
    let good = backups.verified(holdingMLflow: needsMLflow)
    facts.newestBackup = good.first.map { event($0.backup, at: $0.timestamp) }
    let sizes = good.prefix(2).compactMap { $0.backup.metadata?.sizeBytes }
    if sizes.count == 2 { facts.sizes = (sizes[0], sizes[1]) }
    facts.newestProof = backups.newestDrill.map { event($0.backup, at: $0.at) }
  }

  private static func addRuns(
    to facts: inout ProtectionFacts, of stack: Stack, jobs: [JobSettings], files: any FileSystem, time: any TimeSource
  ) throws {
    guard let catalogue = try Catalogue.existing(of: stack, files: files, time: time) else { return }
    let newest = try jobs.compactMap { try catalogue.slots(of: $0.id, limit: 1).first }
    // A backup that was made and verified since says that it works again.
    facts.lastRuns = newest.filter { run in
      facts.newestBackup.map { $0.timestamp < run.endedAt ?? run.beganAt } ?? true
    }
    for run in facts.lastRuns where run.state == .failed {
      let streak = try catalogue.slots(of: run.job, limit: 1000).prefix { $0.state == .failed }
      facts.failingSince[run.job] = streak.last?.endedAt
    }
    facts.isJobRunning = try AdvisoryLock.isHeld(.job, on: stack.dataDirectory, files: files)
  }

  private static func event(_ backup: ListedBackup, at timestamp: Int64) -> ProtectionFacts.Event {
    ProtectionFacts.Event(name: ByteText.escaped(backup.name.bytes), timestamp: timestamp)
  }
}
