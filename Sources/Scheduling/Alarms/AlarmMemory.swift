private import Synchronization

/// What this process told people last, for the case that it cannot be written down.
package final class AlarmMemory: Sendable {
  private let last = Mutex<AlarmState?>(nil)

  package init() {}

  var state: AlarmState? {
    get { last.withLock { $0 } }
    set { last.withLock { $0 = newValue } }
  }
}
