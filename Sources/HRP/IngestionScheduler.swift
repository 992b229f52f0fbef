internal import Calendars
internal import Files
private import Jobs
internal import Scheduling
internal import Settings
internal import Stacks
public import Store
private import Synchronization

/// Runs backups by a schedule, in a thread of its own; each run is a process of its own, the program `hrp`.
///
/// One scheduler runs for a stack, whatever program it is part of: while another one runs, this one stands by. The jobs
/// are those that are set up here; `hrp scheduler run` has those of the configuration.
///
/// ```swift
/// let scheduler = IngestionScheduler()
/// try scheduler.setupWeeklyBackup(backupTime: "02:00", dayOfWeek: "sat", keepDays: 30)
/// try scheduler.start()
/// ```
public final class IngestionScheduler: Sendable {
  private struct Planned {
    var settings: JobSettings
    var keepDays: Int
  }

  private struct State {
    var jobs: [Planned] = []
    var thread: Workers<Int>?
    var stop = StopRequest()
    var isStandingBy = false
  }

  /// So often a scheduler that stands by looks whether the other one is gone.
  private static let standByPeriod: Duration = .seconds(60)

  private let place: String?
  private let executable: String?
  private let events: EventStream
  private let state = Mutex(State())

  /// Touches no file yet.
  /// - Parameters:
  ///   - dataDirectory: the stack; when it is nil, `HRP_DATA_DIR` names it, else it is the folder of `HRP_DB_PATH`,
  ///     else `~/hrp-data`.
  ///   - executable: the program `hrp`; when it is nil, `HRP_EXECUTABLE` names it, else it is the first on `PATH`.
  ///   - events: is told of progress, notices and warnings, on the thread of the scheduler.
  public init(dataDirectory: String? = nil, executable: String? = nil, events: EventStream = EventStream()) {
    place = dataDirectory
    self.executable = executable
    self.events = events
  }

  /// Sets up the guide's backup: once a week, at a time of the configured timezone; in place of one that was set up
  /// before.
  /// - Parameters:
  ///   - backupTime: "HH:MM".
  ///   - dayOfWeek: "mon" to "sun".
  ///   - keepDays: backups that are younger stay.
  ///   - includeMLflow: whether MLflow's directory is part of it.
  /// - Returns: the id of the job, "weekly_backup".
  /// - Throws: ``BackupError`` `scheduler.unusable`, `rotation.keep-days`, `configuration.invalid`.
  @discardableResult
  public func setupWeeklyBackup(
    backupTime: String = "02:00", dayOfWeek: String = "sat", keepDays: Int = 30, includeMLflow: Bool = true
  ) throws(BackupError) -> String {
    let stack = try stack()
    let schedule = try Self.schedule(backupTime, dayOfWeek: dayOfWeek, zone: stack.settings.zone.value)
    do {
      _ = try stack.settings.rotation(keepingDays: keepDays)
    } catch {
      throw BackupError(error, doing: "setting up the backup", on: stack)
    }
    let job = JobSettings(id: JobSettings.standardID, schedule: schedule, includesMLflow: includeMLflow)
    state.withLock { state in
      state.jobs.removeAll { $0.settings.id == job.id }
      state.jobs.append(Planned(settings: job, keepDays: keepDays))
    }
    return job.id
  }

  private static func schedule(_ time: String, dayOfWeek: String, zone: Zone) throws(BackupError) -> Schedule {
    guard let day = Weekday(named: dayOfWeek) else {
      throw unusable("'\(dayOfWeek)' is no day of the week, such as sat")
    }
    do {
      return try Schedule(.weekly(day, TimeOfDay(parsing: time)), in: zone)
    } catch {
      throw unusable((error as? UnusableTime)?.message ?? "\(error)")
    }
  }

  private static func unusable(_ message: String) -> BackupError {
    BackupError(
      "scheduler.unusable", kind: .usage, message: message,
      remedy: "Give a time such as 02:00, and a day from mon to sun.")
  }

  /// Begins to run what is due; returns at once.
  ///
  /// While another scheduler of the stack runs, this one stands by, and says so as a notice.
  /// - Throws: ``BackupError`` when the stack or its configuration cannot be read, or no thread can be started.
  public func start() throws(BackupError) {
    let stack = try stack()
    do {
      try state.withLock { state in
        guard state.thread == nil else { return }
        let stop = StopRequest()
        let thread = try Workers<Int>(count: 1, capacity: 1) { { _ in self.run(stop) } }
        thread.submit(0) {}
        (state.stop, state.thread) = (stop, thread)
      }
    } catch {
      throw BackupError(error, doing: "starting the scheduler", on: stack)
    }
  }

  /// Ends the scheduler.
  /// - Parameter wait: whether a job that is running is waited for; else it goes on alone.
  public func shutdown(wait: Bool = true) {
    let thread = state.withLock { state in
      state.stop.ask(wait ? .waitForJob : .leaveJob)
      defer { state.thread = nil }
      return state.thread
    }
    thread?.finish {}
  }

  /// Whether it was started, and not ended; it may stand by.
  public var running: Bool { state.withLock { $0.thread != nil } }

  /// Whether it waits for another scheduler of the stack to end.
  public var isStandingBy: Bool { state.withLock { $0.isStandingBy } }

  /// The jobs that are set up.
  /// - Returns: the jobs, in the order in which they were set up.
  public func listJobs() -> [ScheduledJob] {
    let now = SystemTime().nowNanoseconds
    // Where the records cannot be read, no job is paused: it runs.
    let paused = forPeople { try catalogue()?.pauses() ?? [:] } ?? [:]
    return state.withLock(\.jobs).map {
      ScheduledJob($0.settings, now: now, pausedSince: paused[$0.settings.id])
    }
  }

  /// One of the jobs.
  /// - Parameter id: as `listJobs` shows it.
  /// - Returns: the job; nil when none has this id.
  public func jobInfo(_ id: String) -> ScheduledJob? { listJobs().first { $0.id == id } }

  /// Keeps a job from running until it is resumed, by whatever program: a pause is written down, and outlives this one.
  /// - Parameter id: the job's; it need not be set up here.
  /// - Throws: ``BackupError`` `catalogue.unusable`.
  public func pauseJob(_ id: String) throws(BackupError) {
    try Catalogue.change(stack(), files: Kernel(), time: SystemTime()) { try $0.pause(id) }
  }

  /// Lets a paused job run again; what it missed meanwhile is caught up by one run.
  /// - Parameter id: the job's; it need not be set up here.
  /// - Throws: ``BackupError`` `catalogue.unusable`.
  public func resumeJob(_ id: String) throws(BackupError) {
    _ = try Catalogue.change(stack(), files: Kernel(), time: SystemTime()) { try $0.resume(id) }
  }

  /// Removes a job from this scheduler; one that is running goes on.
  /// - Parameter id: the job's.
  /// - Returns: whether there was one of this id.
  @discardableResult
  public func removeJob(_ id: String) -> Bool {
    state.withLock { state in
      let count = state.jobs.count
      state.jobs.removeAll { $0.settings.id == id }
      return state.jobs.count < count
    }
  }

  // MARK: - The thread

  private func run(_ stop: StopRequest) {
    while stop.mode == nil {
      do {
        let loop = SchedulerLoop(
          program: executable.map { Stack.absolute($0) }, stop: stop, files: Kernel(), time: SystemTime(),
          events: events
        ) { try self.plan() }
        try loop.run(onStart: { _ in setStandingBy(false) }, onResult: { _ in })
      } catch is Interruption.Stopped {
        return
      } catch {
        let isBusy = error is AdvisoryLock.Busy
        let words = BackupError(error, doing: "running the scheduler").message
        if !isBusy || setStandingBy(true) {
          events.send(isBusy ? .notice("this scheduler stands by: \(words)") : .warning(words))
        }
        wait(Self.standByPeriod, stop: stop)
      }
    }
  }

  /// - Returns: whether that is new.
  @discardableResult
  private func setStandingBy(_ isStandingBy: Bool) -> Bool {
    state.withLock { state in
      defer { state.isStandingBy = isStandingBy }
      return state.isStandingBy != isStandingBy
    }
  }

  private func wait(_ duration: Duration, stop: StopRequest) {
    let end = SystemTime().monotonicNanoseconds + duration.nanoseconds
    while stop.mode == nil, SystemTime().monotonicNanoseconds < end { SystemTime().sleep(.milliseconds(200)) }
  }

  private func plan() throws -> SchedulerPlan {
    let jobs = state.withLock(\.jobs)
    return try SchedulerPlan(
      stack: stack(), settings: StackSettings(dataDirectory: place), jobs: jobs.map(\.settings),
      keepDays: jobs.first?.keepDays)
  }

  private func stack() throws(BackupError) -> Stack {
    try .load(StackSettings(dataDirectory: place), files: Kernel())
  }

  private func catalogue() throws -> Catalogue? {
    Catalogue.ifPresent(of: try stack(), files: Kernel(), time: SystemTime())
  }
}
