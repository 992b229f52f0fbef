package import Files
private import Synchronization

/// Whether a scheduler was asked to stop, and what then becomes of a job that is running.
package final class StopRequest: Sendable {
  /// What becomes of a running job.
  package enum Mode: Sendable, Equatable {
    /// It gets so long to end by itself; then its process group is ended.
    case endJob(after: Duration)
    /// It is waited for.
    case waitForJob
    /// It goes on alone, and writes its own end down.
    case leaveJob
  }

  /// How long a job may go on after SIGTERM or SIGINT.
  package static let patience: Duration = .seconds(20)

  private let asked = Mutex<Mode?>(nil)

  package init() {}

  /// Asks for the end.
  package func ask(_ mode: Mode) { asked.withLock { $0 = $0 ?? mode } }

  /// What was asked for, by this or by a signal to the process; nil when nothing was.
  package var mode: Mode? {
    asked.withLock { $0 } ?? (Interruption.stopped == nil ? nil : .endJob(after: Self.patience))
  }

  /// - Throws: `Interruption.Stopped` when the end was asked for.
  package func check() throws(Interruption.Stopped) {
    if mode != nil { throw Interruption.stopped ?? Interruption.Stopped(signal: 15) }
  }
}
