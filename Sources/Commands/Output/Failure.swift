internal import ArgumentParser
internal import Backup
internal import DuckDBFile
internal import Files
internal import MLflow

/// A failed command as its user sees it: the one place that turns an error into text, JSON and an exit code.
struct Failure {
  /// The exit codes that scripts rely on (`docs/exit-codes.md`).
  enum Exit {
    static let done: Int32 = 0
    static let failed: Int32 = 1
    static let usage: Int32 = 2
    static let partial: Int32 = 3
    static let notFound: Int32 = 10
    static let busy: Int32 = 11
    static let noSpace: Int32 = 14
  }

  let code: String
  /// What is wrong: lower case, no full stop, but for the guide's own words.
  let message: String
  let remedy: String
  let cause: String?
  let exit: Int32

  private init(_ code: String, _ exit: Int32, _ message: String, remedy: String, cause: String? = nil) {
    self.code = code
    self.exit = exit
    self.message = message
    self.remedy = remedy
    self.cause = cause
  }

  init(_ error: any Error) {
    switch error {
    case let error as BackupError: self.init(error)
    case let error as HotCopyError: self.init(error)
    case let error as SystemError: self.init(BackupError.of(error, doing: "working on the files"))
    case let error as AdvisoryLock.Busy: self.init(error)
    case let error as RestoreRun.Damaged: self.init(error)
    case let error as SQLiteError:
      self.init(
        "sqlite.\(error.resultCode)", error.resultCode == 5 ? Exit.busy : Exit.failed,
        "SQLite cannot read \(error.path): \(error.message)",
        remedy: "Look at it with sqlite3 and PRAGMA integrity_check.")
    case let error as Interruption.Stopped:
      self.init("interrupted", error.exitCode, "stopped by a signal", remedy: "Nothing is left behind; start it again.")
    case let error as ValidationError:
      self.init("usage", Exit.usage, error.message, remedy: "See hrp help.")
    default:
      self.init("internal", Exit.failed, "\(error)", remedy: "Please report this, with the command that you gave.")
    }
  }

  private init(_ error: BackupError) {
    let exit =
      switch error.kind {
      case .failed: Exit.failed
      case .usage: Exit.usage
      case .notFound: Exit.notFound
      case .busy: Exit.busy
      case .noSpace: Exit.noSpace
      }
    self.init(error.code, exit, error.message, remedy: error.remedy, cause: error.cause)
  }

  private init(_ error: HotCopyError) {
    let isBusy =
      switch error {
      case .doesNotSettle, .openInThisProcess, .replaced: true
      default: false
      }
    self.init(error.code, isBusy ? Exit.busy : Exit.failed, error.message, remedy: error.remedy)
  }

  private init(_ error: AdvisoryLock.Busy) {
    let holder = error.holder.map(\.words) ?? "another hrp"
    self.init(
      "locked", Exit.busy, "\(error.directory.text) is in use by \(holder)",
      remedy: "Wait until it is done, or stop it; the lock goes with the process.")
  }

  private init(_ error: RestoreRun.Damaged) {
    let lines = error.report.findings.prefix(10).map { "\n  \($0.line)" }.joined()
    let more = error.report.findings.count > 10 ? "\n  and \(error.report.findings.count - 10) more" : ""
    self.init(
      "verification.failed", Exit.failed, "Backup verification failed; nothing was restored\(lines)\(more)",
      remedy: "Try a different backup: hrp backup list, then hrp backup verify NAME.")
  }

  /// For a terminal: what, why, how to mend it.
  var text: String {
    "hrp: \(message)\n" + (cause.map { "  because: \($0)\n" } ?? "") + "  try:     \(remedy)\n"
  }

  var json: JSONText {
    .object([("error", .object([("code", .text(code)), ("message", .text(message)), ("remedy", .text(remedy))]))])
  }
}
