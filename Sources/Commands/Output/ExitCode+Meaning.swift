internal import ArgumentParser

/// The exit codes that scripts rely on (`docs/operations/exit-codes.md`).
extension ExitCode {
  static let failed = ExitCode(1)
  static let usage = ExitCode(2)
  static let partial = ExitCode(3)
  static let notFound = ExitCode(10)
  static let busy = ExitCode(11)
  static let noSpace = ExitCode(14)
  static let notProtected = ExitCode(15)
}
