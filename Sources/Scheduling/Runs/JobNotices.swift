internal import Files
internal import Jobs
internal import Notices
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

/// Tells of one run of a job, and runs the user's commands before and after its backup.
final class JobNotices {
  private let stack: Stack
  private let job: String
  private let office: NoticeOffice
  private let hooks: HookCommand
  private let time: any TimeSource
  private let events: EventStream
  private let began: Int64
  /// Tells of the start beside the job.
  private var starting: Workers<String>?

  init(_ job: String, of stack: Stack, files: any FileSystem, time: any TimeSource, events: EventStream) {
    self.stack = stack
    self.job = job
    self.time = time
    self.events = events
    began = time.monotonicNanoseconds
    office = NoticeOffice(of: stack, files: files, time: time, events: events)
    hooks = HookCommand(stack.settings.notices, dataDirectory: stack.dataDirectory)
  }

  deinit { starting?.finish {} }

  /// Tells that the job begins; nobody is waited for.
  func tellStart() {
    let office = office
    // Without a thread nobody is told of the start; the end is told all the same.
    starting = forPeople {
      try Workers<String>(count: 1, capacity: 1) {
        { job in office.tell(.start, of: .init(job: job, message: "The job \(job) began.")) }
      }
    }
    starting?.submit(job) {}
  }

  /// Runs the user's command before the backup.
  /// - Throws: `BackupError` `hook.failed`: then no backup is made.
  func runBefore() throws(BackupError) {
    do {
      try hooks.run(.beforeBackup, event: HookEvent(HookMoment.beforeBackup.rawValue, job: job))
    } catch {
      throw BackupError(
        "hook.failed", kind: .failed, message: "no backup was made: \(error.words)",
        remedy: "Mend the command notices.commands.before_backup, or take it out of the configuration.")
    }
  }

  /// Runs the user's command after the backup, whatever became of it, and tells how the job ended.
  func tellEnd(_ outcome: ScheduledBackup.Outcome) {
    starting?.finish {}
    starting = nil
    runAfter(backup: outcome.backup, state: outcome.state.rawValue, message: outcome.message)
    // An incomplete backup is nothing to be silent about.
    office.tell(
      outcome.state == .completed ? .success : .failure,
      of: .init(
        job: job, message: outcome.message, code: outcome.code, backup: outcome.backup, sizeBytes: outcome.sizeBytes,
        durationSeconds: Double(time.monotonicNanoseconds - began) / 1e9))
  }

  /// Tells that the job was stopped, and runs the user's command after the backup: what the one before it began must be
  /// ended.
  func tellStop() {
    starting?.finish {}
    starting = nil
    let message = "The job was stopped before it was done."
    runAfter(backup: nil, state: "interrupted", message: message)
    office.tell(.failure, of: .init(job: job, message: message))
  }

  private func runAfter(backup: String?, state: String, message: String) {
    let path = backup.map { stack.backupDirectory.appending($0) }
    do {
      try hooks.run(
        .afterBackup,
        event: HookEvent(
          HookMoment.afterBackup.rawValue, job: job, backupPath: path, backupName: backup, state: state,
          message: message))
    } catch {
      events.send(.warning(error.words))
    }
  }
}
