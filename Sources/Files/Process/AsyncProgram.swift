private import Dispatch
private import Synchronization

/// Runs what is asynchronous from a program that is not.
package enum AsyncProgram {
  /// Runs the body on other threads, and waits for its end.
  /// - Throws: what the body throws.
  package static func run(_ body: @escaping @Sendable () async throws -> Void) throws {
    let failure = Mutex<(any Error)?>(nil)
    let ended = DispatchSemaphore(value: 0)
    Task.detached {
      do { try await body() } catch { failure.withLock { $0 = error } }
      ended.signal()
    }
    ended.wait()
    if let error = failure.withLock({ $0 }) { throw error }
  }
}
