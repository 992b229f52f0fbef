package import Files
package import Stacks
package import Store
private import Synchronization

/// Writes the operations of an event stream into the catalogue.
///
/// A catalogue that cannot be written stops no operation (C1): the log has it all the same.
package final class JobHistory: Sendable {
  private struct State {
    var catalogue: Catalogue?
    var job: Int64?
    /// Operations within the operation: only the outermost is a job.
    var depth = 0
  }

  private let state = Mutex(State())
  private let time: any TimeSource
  /// What to tell the user when the catalogue was created again; nil when no history was lost.
  package let loss: String?

  package init(_ stack: Stack, files: any FileSystem, time: any TimeSource) {
    self.time = time
    let opened = forPeople {
      try Catalogue(of: stack, files: files, time: time)
    }
    loss = opened?.loss
    state.withLock { $0.catalogue = opened }
  }

  package func note(_ event: Event) {
    let now = time.nowNanoseconds
    state.withLock { state in
      switch event {
      case .began(let operation, _):
        state.depth += 1
        if state.depth == 1 {
          let catalogue = state.catalogue
          state.job = forPeople { try catalogue?.begin(operation, at: now) } ?? nil
        }
      case .finished(_, let summary): end(&state, code: nil, message: summary, now: now)
      case .failed(_, let code, let message): end(&state, code: code, message: message, now: now)
      case .expected, .phase, .step, .progress, .notice, .warning, .waiting: return
      }
    }
  }

  private func end(_ state: inout State, code: String?, message: String, now: Int64) {
    state.depth = max(0, state.depth - 1)
    guard state.depth == 0, let job = state.job else { return }
    state.job = nil
    let catalogue = state.catalogue
    ignoringFailure { try catalogue?.end(job, code: code, message: message, at: now) }
    ignoringFailure { try catalogue?.refresh() }
  }
}
