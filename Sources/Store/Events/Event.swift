package import Files

/// What an operation tells while it runs.
///
/// The progress line, the log and the result all read this one stream.
public enum Event: Sendable {
  /// An operation began: its name ("backup create") and what it works on.
  case began(operation: String, on: String)
  /// How much there is to do, in bytes; may be told again when it is known better.
  case expected(bytes: Int64)
  /// What is being done now, as words: "copying the database".
  case phase(String)
  /// What of the phase is being done just now: "table prices".
  case step(String)
  /// So many bytes more are done.
  case progress(bytes: Int64)
  /// Something that the user should know, and that needs no action.
  case notice(String)
  /// Something that the user should look at; the operation goes on.
  case warning(String)
  /// The operation waits for somebody: "PID 12 (python)", and why, as a sentence.
  case waiting(for: String, because: String)
  /// The operation is done, in one sentence.
  case finished(operation: String, summary: String)
  /// The operation failed: code and message of its error.
  case failed(operation: String, code: String, message: String)
}

/// Where events go: to every reader, in order, on the thread of the operation.
public struct EventStream: Sendable {
  private let readers: [@Sendable (Event) -> Void]

  /// A stream with these readers; without any, nobody listens.
  public init(_ readers: [@Sendable (Event) -> Void] = []) { self.readers = readers }

  /// The same stream with one reader more.
  public func adding(_ reader: @escaping @Sendable (Event) -> Void) -> EventStream { EventStream(readers + [reader]) }

  /// The same stream for an operation that is part of another: how far it is, and nothing else.
  package var progressOnly: EventStream {
    EventStream([
      { event in
        switch event {
        case .expected, .phase, .step, .progress: send(event)
        default: break
        }
      }
    ])
  }

  /// What to do when a lock is not free at once: says who has it.
  package var waitingForLock: @Sendable (AdvisoryLock.Busy) -> Void {
    { busy in
      let holder = busy.holder.map(\.words) ?? "another hrp"
      send(.waiting(for: holder, because: "\(busy.directory.text) is in use by \(holder)"))
    }
  }

  package func send(_ event: Event) { for reader in readers { reader(event) } }
}
