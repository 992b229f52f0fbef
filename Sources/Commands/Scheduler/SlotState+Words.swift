internal import ArgumentParser
internal import Jobs

/// How a run ended, as people and scripts see it.
extension SlotRecord.State {
  /// The mark before a line.
  var mark: String {
    switch self {
    case .failed: "✗"
    case .partial, .running: "!"
    case .completed: "✓"
    }
  }

  /// The exit code of a command that ran it; nil when it is no failure.
  var failureCode: ExitCode? {
    switch self {
    case .failed: .failed
    case .partial: .partial
    // Its process died before it could say how it went.
    case .running: .failed
    case .completed: nil
    }
  }
}
