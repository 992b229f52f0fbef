internal import ArgumentParser
internal import Backup
internal import Files

/// Runs an operation with signals heard and its failure written to the log.
enum Operation {
  static func run<Result>(
    _ name: String, _ stack: Stack, _ console: Console, isLogged: Bool = true, _ body: (EventStream) throws -> Result
  ) throws -> Result {
    Interruption.listen()
    let events = console.events(log: stack, isLogged: isLogged)
    do {
      return try body(events)
    } catch {
      let failure = Failure(error)
      events.send(.failed(operation: name, code: failure.error.code, message: failure.error.message))
      throw error
    }
  }
}
