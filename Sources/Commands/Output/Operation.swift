internal import ArgumentParser
internal import Backup
internal import Files

/// Runs an operation with signals heard and its failure written to the log.
enum Operation {
  static func run<Result>(
    _ name: String, _ stack: Stack, _ console: Console, isLogged: Bool = true,
    finishesPending: Bool = true, _ body: (EventStream) throws -> Result
  ) throws -> Result {
    Interruption.listen()
    let events = console.events(log: stack, isLogged: isLogged)
    defer { Screen.endProgress() }
    for problem in EnvironmentSettings.problems { events.send(.warning(problem)) }
    if finishesPending { finishPending(stack, events) }
    do {
      let result = try body(events)
      // What a restore replaced goes when its time is over; when it cannot, the next command tries again.
      if isLogged { ignoringFailure { try undo(stack, events).expire() } }
      return result
    } catch {
      let error = BackupError(error, doing: doing(name), on: stack)
      events.send(.failed(operation: name, code: error.code, message: error.message))
      throw error
    }
  }

  /// What an operation does, as it stands after "while".
  private static func doing(_ name: String) -> String {
    switch name {
    case "backup create": "making the backup"
    case "backup restore": "restoring"
    case "backup undo": "undoing the restore"
    case "backup verify": "verifying"
    case "backup drill": "drilling"
    case "backup rotate": "deleting old backups"
    case "backup find": "searching the backups"
    case "backup show": "looking at the backup"
    case "backup pin", "backup unpin": "pinning"
    case "validate": "reading the database"
    case "doctor": "looking at the stack"
    case "recover": "recovering"
    default: "working on the files"
    }
  }

  /// Finishes a restore that a crash interrupted.
  ///
  /// What stands against it is said, and met again by whoever needs it done.
  static func finishPending(_ stack: Stack, _ events: EventStream) {
    do {
      let target = try RestoreTarget(stack, files: Kernel())
      try PendingRestore(target, files: Kernel(), time: SystemTime(), events: events).finish()
    } catch {
      let failure = Failure(error).error
      events.send(.warning("\(failure.message). \(failure.remedy)"))
    }
  }

  static func undo(_ stack: Stack, _ events: EventStream) throws -> UndoRun {
    UndoRun(try RestoreTarget(stack, files: Kernel()), files: Kernel(), time: SystemTime(), events: events)
  }
}
