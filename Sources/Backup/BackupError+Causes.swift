private import DuckDBEngine
private import DuckDBFile
private import Files
private import MLflow

extension BackupError {
  /// Any error of the modules below as the one type that users of the engine see.
  ///
  /// - Parameter what: what was being done, for a failure that only the kernel describes: "making the backup".
  package init(_ error: any Error, doing what: String) {
    switch error {
    case let error as BackupError: self = error
    case let error as HotCopyError: self = Self.of(error)
    case let error as SystemError: self = Self.of(error, doing: what)
    case let error as AdvisoryLock.Busy: self = Self.of(error)
    case let error as RestoreRun.Damaged: self = Self.of(error)
    case let error as MLflowStore.Missing:
      self.init(
        "mlflow.not-found", .notFound, "no MLflow store at \(error.path.text), where \(error.named) has it",
        remedy: "Mount or make it, correct MLFLOW_TRACKING_URI, or pass --no-mlflow for the database alone.")
    case let error as SQLiteError:
      self.init(
        "sqlite.\(error.resultCode)", error.resultCode == 5 ? .busy : .failed,
        "SQLite cannot read \(error.path): \(error.message)",
        remedy: "Look at it with sqlite3 and PRAGMA integrity_check.")
    case let error as Swap.Interference:
      self.init(
        "restore.interfered", .failed,
        "a restore had been interrupted, and a program wrote to \(error.database.text) before it was finished: "
          + "what the log of the restored state held is missing from it",
        remedy:
          "Run hrp backup undo, which brings back what was there before, and then restore again; what that program "
          + "wrote is kept.")
    case let error as EngineError: self = Self.of(error)
    case let error as Interruption.Stopped:
      self.init(
        "interrupted", .interrupted(exitCode: error.exitCode), "stopped by a signal",
        remedy: "Nothing is left behind; start it again.")
    default:
      self.init(
        "internal", .failed, "\(what) failed: \(error)", remedy: "Please report this, with the command that you gave.")
    }
  }

  private static func of(_ error: HotCopyError) -> BackupError {
    let isBusy =
      switch error {
      case .doesNotSettle, .openInThisProcess, .replaced, .encryptedInUse: true
      default: false
      }
    return BackupError(error.code, isBusy ? .busy : .failed, error.message, remedy: error.remedy)
  }

  private static func of(_ error: EngineError) -> BackupError {
    switch error {
    case .unavailable(let reasons):
      BackupError(
        "engine.unavailable", .failed, "DuckDB's library could not be loaded",
        remedy: "Name it with HRP_DUCKDB_LIBRARY, or install it (macOS: brew install duckdb; in a checkout: "
          + "scripts/setup). The level structure needs no library.",
        cause: reasons.joined(separator: "; "))
    case .noExecutable:
      BackupError(
        "executable.not-found", .notFound,
        "the program hrp was not found, which runs the engine in a process of its own",
        remedy: "Set HRP_EXECUTABLE, or put hrp on PATH.")
    case .tooOld(let version, let words):
      BackupError(
        "engine.too-old", .failed,
        "the database was written by a newer DuckDB than the library (\(version)); "
          + "that says nothing against the backup",
        remedy: "Name a newer library with HRP_DUCKDB_LIBRARY, or verify with --level structure.", cause: words)
    case .refused(let words):
      BackupError(
        "engine.refused", .failed, "DuckDB does not open the database",
        remedy: EngineWords(words).map(\.remedy) ?? "See what is wrong with it: hrp doctor.", cause: words)
    case .answerTooLarge(let bytes):
      BackupError(
        "engine.answer-too-large", .failed, "the answer is larger than \(ByteCount.text(Int64(bytes)))",
        remedy: "Ask for less: fewer symbols, or a shorter time.")
    }
  }

  private static func of(_ error: AdvisoryLock.Busy) -> BackupError {
    BackupError(
      "locked", .busy, "\(error.directory.text) is in use by \(error.holder.map(\.words) ?? "another hrp")",
      remedy: "Wait until it is done, or stop it; the lock goes with the process.")
  }

  private static func of(_ error: RestoreRun.Damaged) -> BackupError {
    let lines = error.report.findings.prefix(10).map { "\n  \($0.line)" }.joined()
    let more = error.report.findings.count > 10 ? "\n  and \(error.report.findings.count - 10) more" : ""
    let other = "Try a different backup: hrp backup list, then hrp backup verify NAME."
    // The part that is right can be had from this one.
    let right = StackPart.allCases.first { error.report.findings(of: $0).isEmpty }
    return BackupError(
      "verification.failed", .failed, "Backup verification failed; nothing was restored\(lines)\(more)",
      remedy: right.map { "Restore only the part that is right: --only \($0.rawValue). \(other)" } ?? other)
  }
}
