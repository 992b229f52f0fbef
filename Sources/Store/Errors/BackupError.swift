package import Files
package import SystemPackage

/// Why an operation could not be done, and what to do about it.
///
/// Public functions throw this type; what it wraps is in `cause`. The message names paths, never contents of files.
public struct BackupError: Error, Sendable {
  /// What kind of failure it is; the command line has one exit code for each.
  public enum Kind: Sendable, Equatable {
    /// It did not work: exit code 1.
    case failed
    /// What was asked for makes no sense: exit code 2.
    case usage
    /// What was named is not there: exit code 10.
    case notFound
    /// Another process uses or locks what is needed: exit code 11.
    case busy
    /// There is not enough disk space: exit code 14.
    case noSpace
    /// A signal stopped it: 130 for SIGINT, 143 for SIGTERM.
    case interrupted(exitCode: Int32)
  }

  /// Stable, for scripts: "source.not-found".
  public let code: String
  /// Which exit code it has.
  public let kind: Kind
  /// What is wrong: lower case, no full stop, with the path.
  public let message: String
  /// What to do: a sentence or a command.
  public let remedy: String
  /// What the system said, if it did.
  public let cause: String?
  /// The process that keeps something busy, such as "PID 12 (python)"; nil when it is not known.
  public let holder: String?

  package init(
    _ code: String, kind: Kind, message: String, remedy: String, cause: String? = nil, holder: String? = nil
  ) {
    self.holder = holder
    self.code = code
    self.kind = kind
    self.message = message
    self.remedy = remedy
    self.cause = cause
  }
}

extension BackupError {
  package static func sourceNotFound(_ path: FilePath) -> BackupError {
    BackupError(
      "source.not-found", kind: .notFound, message: "no database at \(path.text)",
      remedy: "Is it elsewhere? Set HRP_DATA_DIR or HRP_DB_PATH, or pass --data-dir with the directory that holds it. "
        + "Was it deleted or lost? See what helps: hrp recover")
  }

  package static func backupNotFound(_ text: String, in directory: FilePath) -> BackupError {
    BackupError(
      "backup.not-found", kind: .notFound, message: "no backup \(text) in \(directory.text)",
      remedy: "See what there is: hrp backup list --backup-dir \(ShellWord.quoted(directory))")
  }

  static func backupDirectoryNotFound(_ path: FilePath) -> BackupError {
    BackupError(
      "backup-directory.not-found", kind: .notFound, message: "Backup directory not found: \(path.text)",
      remedy: "No backup was made yet? Make one: hrp backup create. Are they on a disk that is not mounted? Mount it. "
        + "For the directory alone: mkdir -p \(ShellWord.quoted(path))")
  }

  /// - Parameter keptForUndo: bytes on that file system that an undo holds.
  /// - Parameter rotation: the command that frees some.
  package static func noSpace(
    _ path: FilePath, needed: Int64, available: UInt64, keptForUndo: Int64 = 0,
    rotation: String = "hrp backup rotate --keep-days 7"
  ) -> BackupError {
    let undo =
      keptForUndo > 0
      ? "What the last restore replaced takes \(ByteCount.text(keptForUndo)): hrp backup undo --drop frees it. " : ""
    return BackupError(
      "disk.full", kind: .noSpace,
      message: "Not enough disk space at \(path.text): \(ByteCount.text(needed)) needed, "
        + "\(ByteCount.text(Int64(clamping: available))) available",
      remedy: undo + "See what is full with df -h \(ShellWord.quoted(path)); "
        + "free some with \(rotation).")
  }

  /// Scratch cannot be used; that says nothing about the database.
  package static func scratch(_ directory: FilePath, error: SystemError) -> BackupError {
    if [.noSpace, .diskQuotaExceeded].contains(error.errno) {
      return BackupError(
        "disk.full", kind: .noSpace, message: "Not enough disk space for a copy in \(directory.text)",
        remedy: "See what is full with df -h \(ShellWord.quoted(directory)), and free some there. "
          + "Nothing is wrong with the database.", cause: "\(error.call): \(error.errno)")
    }
    if [.notDirectory, .fileExists].contains(error.errno) {
      return BackupError(
        "scratch.unusable", kind: .failed,
        message: "\(directory.text) is not a directory, so the database was not looked at",
        remedy: "hrp keeps copies there that it throws away. Move what is there: mv \(ShellWord.quoted(directory)) "
          + "\(ShellWord.quoted(FilePath(directory.string + ".old")))", cause: "\(error.call): \(error.errno)")
    }
    return BackupError(
      "scratch.unusable", kind: .failed,
      message: "no copy can be made in \(directory.text), so the database was not looked at",
      remedy: "Make that directory writable for the user who runs hrp (ls -ld \(ShellWord.quoted(directory))). "
        + "Nothing is wrong with the database.", cause: "\(error.call): \(error.errno)")
  }
}
