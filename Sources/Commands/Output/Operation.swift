internal import ArgumentParser
internal import Backup
internal import Files

/// Runs an operation with signals heard and its failure written to the log.
enum Operation {
  static func run<Result>(
    _ name: String, _ stack: Stack, _ console: Console, _ body: (EventStream) throws -> Result
  ) throws -> Result {
    Interruption.listen()
    let events = console.events(log: stack)
    do {
      return try body(events)
    } catch {
      let failure = Failure(error)
      events.send(.failed(operation: name, code: failure.code, message: failure.message))
      throw error
    }
  }
}
