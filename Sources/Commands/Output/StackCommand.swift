internal import ArgumentParser

/// A command that works on a stack, which its options name.
protocol StackCommand: ParsableCommand {
  /// Where the stack and its backups are.
  var place: StackOptions { get }

  /// The directory that `--target-dir` names; nil when the stack itself is meant, also for a command without it.
  var target: String? { get }
}

extension StackCommand {
  var target: String? { nil }
}
