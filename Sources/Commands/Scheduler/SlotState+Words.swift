internal import ArgumentParser
internal import Jobs

/// How a run ended, as people and scripts see it.
extension SlotRecord.State {
  /// The mark before a line.
  var mark: String {
    switch self {
    case .failed: "✗"
    case .partial: "!"
    case .completed, .running: "✓"
    }
  }

  /// The exit code of a command that ran it; nil when it is no failure.
  var failureCode: ExitCode? {
    switch self {
    case .failed: .failed
    case .partial: .partial
    case .completed, .running: nil
    }
  }
}
