package import Files
package import SystemPackage

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// Why the engine could not be asked.
package enum EngineError: Error, Sendable, Equatable {
  /// No library could be loaded: each place with the loader's words.
  case unavailable(reasons: [String])
  /// The program that runs the engine was not found.
  case noExecutable
  /// The database was written by a newer DuckDB than the library: version of the library, its words.
  case tooOld(version: String, words: String)
  /// The engine does not open the database, or ended while it answered: its words.
  case refused(words: String)
  /// An answer is larger than this program takes.
  case answerTooLarge(maximumBytes: Int)
}

/// The answer to one statement.
package enum EngineAnswer: Sendable {
  /// All columns as texts; NULL is nil.
  case rows([[String?]])
  /// The engine's words.
  case failure(String)
}

/// What the engine said of a database.
package struct EngineReport: Sendable {
  /// The library's version, "v2.0.1", and where it was found.
  package var version = ""
  package var library = ""
  /// Every table that could be read.
  package var tables: [TableFingerprint] = []
  /// Ids of MLflow's experiments and runs, by the table that names them.
  package var experiments: [(table: String, ids: [String])] = []
  /// What is wrong, each with the engine's words.
  package var problems: [(name: String, detail: String)] = []
  package var notices: [String] = []
  /// The answers to the statements that were asked, in their order.
  package var answers: [EngineAnswer] = []
  /// Rows of the statement that runs.
  fileprivate var rows: [[String?]] = []
}

/// Has a database read by DuckDB in a child process, which may crash without harm.
package struct EngineRun {
  /// Bytes that a child may say in all: as much of a proof is read, more of an answer is refused.
  private static let maximumBytes = 64 << 20
  private static let maximumAnswerBytes = 512 << 20

  /// How long a child may be silent: so long, and a second more for each 10 MB of the database.
  private static let patience = Duration.seconds(60)
  private static let bytesPerSecond: Int64 = 10_000_000

  private let program: FilePath
  private let files: any FileSystem
  private let onStep: (String) -> Void

  /// - Parameter executable: the program `hrp`; nil: `HRP_EXECUTABLE`, else this program when it is `hrp`, else `PATH`.
  /// - Parameter onStep: is told what the engine reads now: "table main.prices".
  /// - Throws: `EngineError.noExecutable`.
  package init(
    executable: FilePath? = nil, files: any FileSystem, onStep: @escaping (String) -> Void = { _ in }
  ) throws {
    guard let program = try Self.find(executable, files) else { throw EngineError.noExecutable }
    self.program = program
    self.files = files
    self.onStep = onStep
  }

  private static func find(_ explicit: FilePath?, _ files: any FileSystem) throws(SystemError) -> FilePath? {
    if let explicit { return try files.exists(explicit) ? explicit : nil }
    if let named = ThisProcess.environment("HRP_EXECUTABLE").map({ FilePath($0) }) {
      return try files.exists(named) ? named : nil
    }
    if let own = ThisProcess.executable, own.lastComponent?.string == "hrp" { return own }
    for folder in (ThisProcess.environment("PATH") ?? "").split(separator: ":") {
      let path = FilePath(String(folder)).appending("hrp")
      if try files.exists(path) { return path }
    }
    return nil
  }

  /// Runs statements on a database, read-only, in one child.
  ///
  /// - Returns: one answer for each.
  /// - Throws: `EngineError`, `.refused` when the database does not open; else as `run`.
  package func ask(_ statements: [String], of database: String, scratch: String) throws -> [EngineAnswer] {
    let report = try run(EngineRequest(database: database, scratch: scratch, task: .query(statements)))
    guard report.answers.count == statements.count else {
      throw EngineError.refused(words: report.problems.first?.detail ?? "the engine gave no answer")
    }
    return report.answers
  }

  /// Loads the library and says its version.
  /// - Throws: as `run`.
  package func identify() throws -> (version: String, library: String) {
    let report = try run(EngineRequest(database: "", scratch: "", task: .identify))
    return (report.version, report.library)
  }

  /// Has a child do what the request asks for.
  /// - Throws: `EngineError`; `SystemError` when no child can be started; `Interruption.Stopped`: the child is ended.
  package func run(_ request: EngineRequest) throws -> EngineReport {
    let isQuery = if case .query = request.task { true } else { false }
    let child = try ChildProcess(program, [EngineChild.command])
    var report = EngineReport()
    var place = "its library"
    var isDone = false
    var heard = ContinuousClock.now
    let patience = patience(for: request)
    do {
      do {
        try child.send(Array(JSONEncoder().encode(request)) + [UInt8(ascii: "\n")])
      } catch let error as SystemError where error.errno == .brokenPipe {
        // It has ended already; how, is told below.
      }
      var total = 0
      while let line = try child.output.line(whileWaiting: {
        try Interruption.check()
        // A damaged index can make the engine go round for ever.
        if ContinuousClock.now - heard > patience { throw Silence() }
      }) {
        heard = .now
        total += line.count
        if isQuery, total > Self.maximumAnswerBytes {
          throw EngineError.answerTooLarge(maximumBytes: Self.maximumAnswerBytes)
        }
        guard total <= Self.maximumBytes || isQuery,
          let reply = parsed({ try JSONDecoder().decode(EngineReply.self, from: Data(line)) })
        else { continue }
        try take(reply, &report, &place, &isDone)
      }
    } catch is Silence {
      child.kill()
      let seconds = patience.components.seconds
      report.problems.append((place, "the engine gave no answer for \(seconds) s while it read this, and was ended"))
      return report
    } catch {
      child.kill()
      throw error
    }
    let ended = child.wait()
    if !isDone { report.problems.append((place, "the engine \(ended.words) while it read this")) }
    return report
  }

  private struct Silence: Error {}

  private func patience(for request: EngineRequest) -> Duration {
    let size = forPeople { try files.status(FilePath(request.database), at: nil).size } ?? 0
    return Self.patience + .seconds(size / Self.bytesPerSecond)
  }

  private func take(
    _ reply: EngineReply, _ report: inout EngineReport, _ place: inout String, _ isDone: inout Bool
  ) throws {
    switch reply {
    case .noLibrary(let reasons): throw EngineError.unavailable(reasons: reasons)
    case .engine(let version, let library): (report.version, report.library) = (version, library)
    case .at(let name):
      place = name
      onStep(name)
    case .closed(let words):
      if Self.isTooNew(words) { throw EngineError.tooOld(version: report.version, words: words) }
      report.problems.append(("it does not open", words))
      isDone = true
    case .table(let table): report.tables.append(table)
    case .experiments(let table, let ids): report.experiments.append((table, ids))
    case .rows(let rows): report.rows += rows
    case .ran(let failure):
      report.answers.append(failure.map { .failure($0) } ?? .rows(report.rows))
      report.rows = []
    case .problem(let name, let detail): report.problems.append((name, detail))
    case .notice(let text): report.notices.append(text)
    case .done: isDone = true
    }
  }

  /// DuckDB's words for a file of a later version (`storage_info.cpp`, `storage_manager.cpp`; seen with 1.4.5 on a file
  /// of 2.0.0).
  private static func isTooNew(_ words: String) -> Bool {
    words.contains("newer version of DuckDB") || words.contains("we can only read version")
  }
}
