package import Backup
package import Files
internal import Settings
package import Stacks
package import Store
internal import SystemPackage

/// Runs an operation on a stack as every caller has it: the command line, the library, and whatever runs jobs later.
///
/// What the operation tells goes to the log, to the history and to the caller, as one stream. A restore that a crash
/// interrupted is finished first. What earlier restores replaced goes when its time is over. Errors have one type.
package struct JobRunner: Sendable {
  let stack: Stack
  let files: any FileSystem
  let time: any TimeSource

  package init(_ stack: Stack, files: any FileSystem, time: any TimeSource) {
    self.stack = stack
    self.files = files
    self.time = time
  }

  /// What is remembered of backup directories that may be out of reach now.
  package var memory: any PlaceMemory { CatalogueMemory(stack, files: files, time: time) }

  /// Runs one operation.
  ///
  /// - Parameter isRecorded: whether the log and the history get it; what only looks leaves no trace.
  /// - Parameter finishesPending: whether a restore that a crash interrupted is finished first. When that fails, it is
  ///   only a warning here; an operation that depends on it fails later.
  /// - Parameter events: is told what the log is told, and of progress.
  /// - Throws: `BackupError`, whatever the body throws.
  package func run<Result>(
    _ kind: JobKind, isRecorded: Bool = true, finishesPending: Bool = true, events: EventStream,
    body: (EventStream) throws -> Result
  ) throws(BackupError) -> Result {
    let events = stream(to: events, isRecorded: isRecorded)
    for problem in stack.settings.warnings { events.send(.warning(problem)) }
    if finishesPending { finishPending(events) }
    do {
      let result = try body(events)
      // When it cannot be removed now, the next job tries again.
      if isRecorded { ignoringFailure { try undo(events).expire() } }
      return result
    } catch {
      let error = BackupError(error, doing: kind.doing, on: stack)
      events.send(.failed(operation: kind.rawValue, code: error.code, message: error.message))
      throw error
    }
  }

  /// Finishes a restore that a crash interrupted after its commit.
  package func finishPending(_ events: EventStream) {
    do {
      let target = try RestoreTarget(stack, files: files)
      try PendingRestore(target, files: files, time: time, events: events).finish()
    } catch {
      let error = BackupError(error, doing: "finishing a restore", on: stack)
      events.send(.warning("\(error.message). \(error.remedy)"))
    }
  }

  /// The undo of the stack's own place.
  package func undo(_ events: EventStream) throws -> UndoRun {
    UndoRun(
      try RestoreTarget(stack, files: files), keptDays: stack.settings.undoDays.value, files: files, time: time,
      events: events)
  }

  private func stream(to caller: EventStream, isRecorded: Bool) -> EventStream {
    guard isRecorded, keepsRecords else { return caller }
    let log = OperationLog(
      dataDirectory: stack.dataDirectory, level: stack.settings.logLevel.value,
      format: stack.settings.logFormat.value, files: files, time: time)
    let history = JobHistory(stack, files: files, time: time)
    let stream = EventStream([{ log.note($0) }, { history.note($0) }, { caller.send($0) }])
    if let loss = history.loss { stream.send(.notice(loss)) }
    return stream
  }

  /// A log never makes a folder where there is no stack, and nothing is written into a backup.
  private var keepsRecords: Bool {
    let marks = [stack.database, stack.dataDirectory.appending("logs")]
    guard !stack.isInBackup, forPeople({ try files.exists(stack.dataDirectory) }) == true else { return false }
    return marks.contains { path in forPeople { try files.exists(path) } == true }
  }
}
