internal import ArgumentParser
internal import Files
internal import Stacks
internal import Store

/// A failed command as its user sees it: the one place that turns an error into text, JSON and an exit code.
struct Failure {
  let error: BackupError

  init(_ error: any Error) { self.error = BackupError(error, doing: "working on the files") }

  /// An error in the words of the command line.
  init(usage message: String, remedy: String) {
    error = BackupError("usage", kind: .usage, message: message, remedy: remedy)
  }

  var exitCode: Int32 {
    switch error.kind {
    case .failed: ExitCode.failed.rawValue
    case .usage: ExitCode.usage.rawValue
    case .notFound: ExitCode.notFound.rawValue
    case .busy: ExitCode.busy.rawValue
    case .noSpace: ExitCode.noSpace.rawValue
    case .interrupted(let code): code
    }
  }

  /// For a terminal: what, why, how to mend it.
  var text: String {
    "hrp: \(error.message)\n" + (error.cause.map { "  because: \($0)\n" } ?? "") + "  try:     \(error.remedy)\n"
  }

  /// For programs, with `--json`.
  var json: String {
    let remedy = PrintedCommands.current.completed(error.remedy)
    let output = Output(error: .init(code: error.code, message: error.message, remedy: remedy, cause: error.cause))
    // Four strings can always be written as JSON.
    return forPeople { try ResultText.json(output) } ?? "{}"
  }

  private struct Output: Encodable {
    struct Fields: Encodable {
      let code: String
      let message: String
      let remedy: String
      let cause: String?
    }
    let error: Fields
  }
}
