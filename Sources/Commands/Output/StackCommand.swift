internal import ArgumentParser

/// A command that works on a stack, which its options name.
protocol StackCommand: ParsableCommand {
  /// Where the stack and its backups are.
  var place: StackOptions { get }

  /// The directory that `--target-dir` names; nil: the stack itself, or the command has no such option.
  var target: String? { get }
}

extension StackCommand {
  var target: String? { nil }
}

extension CreateCommand: StackCommand {}
extension ListCommand: StackCommand {}
extension ShowCommand: StackCommand {}
extension VerifyCommand: StackCommand {}
extension RestoreCommand: StackCommand {
  var target: String? { targets.targetDirectory }
}
extension UndoCommand: StackCommand {
  var target: String? { targets.targetDirectory }
}
extension DrillCommand: StackCommand {}
extension RotateCommand: StackCommand {}
extension FindCommand: StackCommand {}
extension PinCommand: StackCommand {}
extension UnpinCommand: StackCommand {}
extension ValidateCommand: StackCommand {}
extension DoctorCommand: StackCommand {}
extension RecoverCommand: StackCommand {}
