internal import Files
internal import Store

/// What `--wait` does.
extension RestoreRun.Request {
  /// Repeats the body as long as the stack is in use and there is time left.
  ///
  /// It reports whom it waits for, once for each change.
  func waiting(_ time: any TimeSource, events: EventStream, body: () throws -> Void) throws {
    let end = time.monotonicNanoseconds &+ wait.nanoseconds
    var told = ""
    while true {
      do {
        return try body()
      } catch let error as BackupError {
        guard error.isOne(of: [.databaseInUse, .mlflowInUse]),
          time.monotonicNanoseconds < end
        else { throw error }
        if told != error.message { events.send(.waiting(for: error.holder ?? "a program", because: error.message)) }
        told = error.message
      }
      try Interruption.check()
      time.sleep(.milliseconds(200))
    }
  }
}
