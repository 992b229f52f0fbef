private import DuckDBEngine
private import DuckDBFile
private import Files
private import MLflow
internal import Store

extension BackupError {
  /// Any error of the modules below as the one type that users of the engine see.
  ///
  /// - Parameter what: what was being done, for a failure that only the kernel describes: "making the backup".
  /// - Parameter stack: what was worked on: a failure of the kernel is told by the part that it hit.
  package init(_ error: any Error, doing what: String, on stack: Stack? = nil) {
    switch error {
    case let error as BackupError: self = error
    case let error as HotCopyError: self = Self.of(error)
    case let error as SystemError: self = Self.of(error, doing: what, in: stack?.places)
    case let error as AdvisoryLock.Busy: self = Self.of(error)
    case let error as any ExplainedError: self = error.explanation
    case let error as MLflowStore.Missing:
      self.init(
        "mlflow.not-found", kind: .notFound,
        message: "no MLflow store at \(error.path.text), where \(error.named) has it",
        remedy: "Mount it or create it, correct MLFLOW_TRACKING_URI, or pass --no-mlflow for the database alone.")
    case let error as SQLiteError where error.resultCode == 9 && Interruption.stopped != nil:
      // SQLite was ended because this process is asked to end.
      self.init(Interruption.stopped ?? error, doing: what)
    case let error as SQLiteError: self = Self.of(error)
    case let error as EngineError: self = Self.of(error)
    case let error as Interruption.Stopped:
      self.init(
        "interrupted", kind: .interrupted(exitCode: error.exitCode), message: "stopped by a signal",
        remedy: "Nothing is left behind; start it again.")
    default:
      self.init(
        "internal", kind: .failed, message: "\(what) failed: \(error)",
        remedy: "Please report this, with the command that you gave.")
    }
  }

  private static func of(_ error: HotCopyError) -> BackupError {
    let isBusy =
      switch error {
      case .doesNotSettle, .noPause, .openInThisProcess, .replaced, .encryptedInUse: true
      default: false
      }
    return BackupError(error.code, kind: isBusy ? .busy : .failed, message: error.message, remedy: error.remedy)
  }

  /// By SQLite's primary result code (https://www.sqlite.org/rescode.html).
  private static func of(_ error: SQLiteError) -> BackupError {
    if error.path.contains(".hrp-restore.partial/") {
      return BackupError(
        "sqlite.\(error.resultCode)", kind: .failed,
        message: "MLflow's database in the backup cannot be used: \(error.message)",
        remedy: "Restore the database alone (--only duckdb), or take another backup: hrp backup list")
    }
    let file = ShellWord.quoted(error.path)
    let remedy =
      switch error.resultCode & 0xFF {
      case 5, 6: "A program is writing to it. Wait until that is done, or stop the program, and try again."
      case 3, 8, 14, 23: "The user who runs hrp must be able to read and write it and its folder: ls -l \(file)"
      case 7: "There is not enough memory. Close programs, and try again."
      case 10: "Check the disk (dmesg, smartctl -a) and the mount; then try again."
      case 11, 26: "It is damaged: hrp recover says which backup helps. Look: sqlite3 \(file) 'PRAGMA integrity_check'"
      case 13: "See what is full with df -h; free some with hrp backup rotate --keep-days 7."
      default: "Look at it: sqlite3 \(file) 'PRAGMA integrity_check'"
      }
    return BackupError(
      "sqlite.\(error.resultCode)", kind: [5, 6].contains(error.resultCode & 0xFF) ? .busy : .failed,
      message: "SQLite cannot work with \(error.path): \(error.message)", remedy: remedy)
  }

  private static func of(_ error: EngineError) -> BackupError {
    switch error {
    case .unavailable(let reasons):
      BackupError(
        "engine.unavailable", kind: .failed, message: "DuckDB's library could not be loaded",
        remedy: "Set HRP_DUCKDB_LIBRARY to its path, or install it (macOS: brew install duckdb; in a checkout: "
          + "scripts/setup). hrp backup verify --level structure needs no library.",
        cause: reasons.joined(separator: "; "))
    case .noExecutable:
      BackupError(
        "executable.not-found", kind: .notFound,
        message: "the program hrp, which runs the engine in a process of its own, was not found",
        remedy: "Set HRP_EXECUTABLE, or put hrp on PATH.")
    case .tooOld(let version, let words):
      BackupError(
        "engine.too-old", kind: .failed,
        message: "the database was written by a newer DuckDB than the library (\(version)); "
          + "this does not mean that the backup is damaged",
        remedy: "Set HRP_DUCKDB_LIBRARY to a newer library, or verify with --level structure.", cause: words)
    case .refused(let words):
      BackupError(
        "engine.refused", kind: .failed, message: "DuckDB does not open the database",
        remedy: EngineWords(words).map(\.remedy) ?? "See what is wrong with it: hrp doctor.", cause: words)
    case .exhausted(let words):
      BackupError(
        "engine.exhausted", kind: .failed,
        message: "DuckDB had too little memory, disk or time to read the database; that says nothing against it",
        remedy: "Free memory, and space for scratch (scratch/ in the data directory, else TMPDIR), then try again.",
        cause: words)
    case .answerTooLarge(let bytes):
      BackupError(
        "engine.answer-too-large", kind: .failed, message: "the answer is larger than \(ByteCount.text(Int64(bytes)))",
        remedy: "Ask for less: fewer symbols, or a shorter time.")
    }
  }

  private static func of(_ error: AdvisoryLock.Busy) -> BackupError {
    BackupError(
      "locked", kind: .busy,
      message: "\(error.directory.text) is in use by \(error.holder.map(\.words) ?? "another hrp")",
      remedy: "Wait until it is done, or stop it; the lock ends with that process.")
  }
}
