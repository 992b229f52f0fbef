internal import ArgumentParser
internal import Stacks
internal import Store

/// A failed command as its user sees it: the one place that turns an error into text, JSON and an exit code.
struct Failure {
  /// The exit codes that scripts rely on (`docs/exit-codes.md`).
  enum Exit {
    static let failed: Int32 = 1
    static let usage: Int32 = 2
    static let partial: Int32 = 3
    static let notFound: Int32 = 10
    static let busy: Int32 = 11
    static let noSpace: Int32 = 14
  }

  let error: BackupError

  init(_ error: any Error) { self.error = BackupError(error, doing: "working on the files") }

  /// The words on the command line were off.
  init(usage message: String, remedy: String) { error = BackupError("usage", .usage, message, remedy: remedy) }

  var exit: Int32 {
    switch error.kind {
    case .failed: Exit.failed
    case .usage: Exit.usage
    case .notFound: Exit.notFound
    case .busy: Exit.busy
    case .noSpace: Exit.noSpace
    case .interrupted(let code): code
    }
  }

  /// For a terminal: what, why, how to mend it.
  var text: String {
    "hrp: \(error.message)\n" + (error.cause.map { "  because: \($0)\n" } ?? "") + "  try:     \(error.remedy)\n"
  }

  var json: JSONText {
    var fields: [(String, JSONText)] = [
      ("code", .text(error.code)), ("message", .text(error.message)),
      ("remedy", .text(PrintedCommands.current.completed(error.remedy))),
    ]
    if let cause = error.cause { fields.append(("cause", .text(cause))) }
    return .object([("error", .object(fields))])
  }
}
