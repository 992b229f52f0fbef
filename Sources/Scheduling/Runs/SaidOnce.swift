internal import Store
private import Synchronization

/// Passes warnings on that were not said yet: a scheduler that looks every minute would say the same all day.
final class SaidOnce: Sendable {
  private let said = Mutex<Set<String>>([])

  /// The same stream, without warnings that were said since the last `forget`.
  func stream(to events: EventStream) -> EventStream {
    EventStream([
      { event in
        if case .warning(let text) = event, !self.said.withLock({ $0.insert(text).inserted }) { return }
        events.send(event)
      }
    ])
  }

  /// From now on everything is new again.
  func forget() { said.withLock { $0 = [] } }
}
