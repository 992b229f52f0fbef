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
    if finishesPending { finishPending(stack, events) }
    do {
      let result = try body(events)
      // What a restore replaced goes when its time is over; when it cannot, the next command tries again.
      if isLogged { try? undo(stack, events).expire() }
      return result
    } catch {
      let failure = Failure(error)
      events.send(.failed(operation: name, code: failure.error.code, message: failure.error.message))
      throw error
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
