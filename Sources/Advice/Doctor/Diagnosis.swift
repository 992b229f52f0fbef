internal import Backup
package import Files
internal import Settings
package import Stacks
package import Store
internal import SystemPackage

/// One row of a diagnosis.
public struct DiagnosisRow: Sendable {
  /// How it is.
  public enum State: String, Sendable {
    /// As it should be.
    case good
    /// It works, but the user should look at it.
    case warning
    /// Something does not work, or would not on the worst day.
    case failure

    /// The mark that people see.
    public var mark: String {
      switch self {
      case .good: "✓"
      case .warning: "!"
      case .failure: "✗"
      }
    }
  }

  /// Stable, for scripts: "backup-directory".
  public let name: String
  /// Whether it is as it should be.
  public let state: State
  /// What was seen, as a sentence without a full stop.
  public let detail: String
  /// The command or action that repairs it; nil when nothing needs repair.
  public let remedy: String?

  package init(_ name: String, state: State, detail: String, remedy: String? = nil) {
    self.name = name
    self.state = state
    self.detail = detail
    self.remedy = remedy
  }
}

/// Looks at everything that a backup and a restore depend on.
///
/// It writes nothing but a copy in scratch, and one hidden probe that it removes at once.
package struct Diagnosis {
  let stack: Stack
  let files: any FileSystem
  let time: any TimeSource
  let events: EventStream

  package init(_ stack: Stack, files: any FileSystem, time: any TimeSource, events: EventStream) {
    self.stack = stack
    self.files = files
    self.time = time
    self.events = events
  }

  /// All rows, in the order in which things depend on one another.
  ///
  /// What cannot be looked at is a row that says so.
  /// - Throws: `Interruption.Stopped`.
  package func run() throws -> [DiagnosisRow] {
    let examinations: [(String, () throws -> [DiagnosisRow])] = [
      ("data-directory", dataDirectory), ("configuration", configuration), ("timezone", timezone),
      ("engine", engine), ("database", database),
      ("log", log),
      ("mlflow", mlflow), ("backup-directory", backupDirectory), ("places", secondPlaces), ("space", space),
      ("last-backup", backups),
      ("notices", notices), ("history", history),
    ]
    var rows: [DiagnosisRow] = []
    for (name, examine) in examinations {
      try Interruption.check()
      events.send(.phase("looking at \(name)"))
      do {
        rows += try examine()
      } catch let stopped as Interruption.Stopped {
        throw stopped
      } catch {
        rows.append(Self.row(name, of: BackupError(error, doing: "looking at \(name)"), after: rows))
      }
    }
    return rows
  }

  /// What cannot be looked at; a fault that a row before names is not told again.
  private static func row(_ name: String, of error: BackupError, after rows: [DiagnosisRow]) -> DiagnosisRow {
    let detail = error.message + (error.cause.map { " (\($0))" } ?? "")
    if let first = rows.first(where: { $0.state == .failure && $0.detail == detail }) {
      return DiagnosisRow(name, state: .warning, detail: "it cannot be told: see \(first.name)")
    }
    return DiagnosisRow(name, state: .failure, detail: detail, remedy: error.remedy)
  }

  /// How long ago a timestamp was: "3 days", "2 h", "5 min", "12 s".
  func age(of nanoseconds: Int64) -> String {
    Age.words(since: nanoseconds, now: time.nowNanoseconds)
  }

  private func configuration() throws -> [DiagnosisRow] {
    let check = try ConfigurationCheck(stack, files: files)
    guard let problem = check.problems.first else {
      let words = check.exists ? check.file.text : "there is no \(check.file.text): the defaults hold"
      return [DiagnosisRow("configuration", state: .good, detail: words)]
    }
    let place = problem.line.map { "line \($0): " } ?? ""
    let amount = check.problems.count == 1 ? "a mistake" : "\(check.problems.count) mistakes"
    return [
      DiagnosisRow(
        "configuration", state: .failure,
        detail: "\(check.file.text) has \(amount), and every other command refuses it; "
          + "the rows below are of a stack without it. \(place)\(problem.message)",
        remedy: "hrp config validate")
    ]
  }

  private func dataDirectory() throws -> [DiagnosisRow] {
    guard try files.exists(stack.dataDirectory) else {
      return [
        DiagnosisRow(
          "data-directory", state: .failure, detail: "there is no \(stack.dataDirectory.text)",
          remedy: "Set HRP_DATA_DIR or pass --data-dir with the directory that holds the database.")
      ]
    }
    let folder = try OpenFile(stack.dataDirectory, mode: [.directory], files: files)
    _ = try files.entries(of: folder.descriptor)
    return [DiagnosisRow("data-directory", state: .good, detail: stack.dataDirectory.text)]
  }
}
