internal import Files
package import Store
package import SystemPackage

extension BackupError {
  package static func databaseInUse(_ path: FilePath, holder: Int32) -> BackupError {
    let words = OtherProcess.words(of: holder)
    let stop = holder > 0 ? "Close that program (kill \(holder) asks it to end)" : "Close that program"
    return BackupError(
      "restore.database-in-use", kind: .busy, message: "Database is locked: \(path.text) is in use by \(words)",
      remedy: "\(stop), or wait for it: --wait 10m. A database in use is never replaced, not even with --force.",
      holder: OtherProcess.name(of: holder))
  }

  package static func restoreBusy(_ path: FilePath) -> BackupError {
    BackupError(
      "restore.busy", kind: .busy, message: "another hrp is restoring to \(path.text)", remedy: "Wait until it is done."
    )
  }

  /// A failure after the commit: whoever comes next goes on.
  package static func unfinished(_ what: String, path: FilePath, error: any Error) -> any Error {
    if error is Swap.Interference { return error }
    let cause = BackupError(error, doing: "exchanging the names")
    return BackupError(
      "restore.unfinished", kind: cause.kind == .noSpace ? .noSpace : .failed,
      message: "\(what) is decided and not finished: \(cause.message)",
      remedy: "Do not open the database at \(path.text) yet. Correct the cause first (\(cause.remedy)). "
        + "Then any command finishes it, such as hrp backup list.", cause: cause.cause)
  }

  /// A state that was kept and cannot be read by whoever asks.
  static func keptUnreadable(_ path: FilePath, error: SystemError) -> BackupError {
    BackupError(
      "undo.unreadable", kind: .failed, message: "what a restore replaced is kept, and cannot be read: \(path.text)",
      remedy: "Make it readable for whoever runs hrp (see ls -la \(ShellWord.quoted(path))), or run hrp as its owner.",
      cause: error.description)
  }

  package static func journalUnreadable(_ path: String) -> BackupError {
    BackupError(
      "restore.journal-unreadable", kind: .failed,
      message: "a restore was interrupted, and its journal cannot be read: \(path)",
      remedy: "Both states are in that folder (a/ and b/). Keep it, and restore to another place with --target-dir.")
  }
}
