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
  /// The engine had too little memory, disk or time, which says nothing of the database: its words.
  case exhausted(words: String)
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
  /// The tables that were named, and how SQL names each.
  package var places: [(path: TablePath, place: String)] = []
  /// Ids of MLflow's experiments and runs, by the table that names them.
  package var experiments: [(table: String, ids: [String])] = []
  /// What is wrong, each with the engine's words.
  package var problems: [(name: String, detail: String)] = []
  /// What is wrong with the checkpoints of a scratch copy, in which every query was right.
  package var checkpointProblems: [(name: String, detail: String)] = []
  /// How far it came.
  package var stage = EngineStage.reading
  package var notices: [String] = []
  /// The answers to the statements that were asked, in their order.
  package var answers: [EngineAnswer] = []
}

/// Has a database read by DuckDB in a child process, which may crash without harm.
package struct EngineRun {
  /// The most bytes that are read from a child: the rest of a proof is ignored, and a longer answer is refused.
  private static let maximumBytes = 64 << 20
  private static let maximumAnswerBytes = 512 << 20

  /// How long a child may be silent, not counting one more second for each 10 MB of the database.
  private static let patience = Duration.seconds(60)
  private static let bytesPerSecond: Int64 = 10_000_000
  /// How many times the patience all of it may take.
  private static let totalFactor = 10

  private let program: FilePath
  private let files: any FileSystem
  private let viewPatience: Duration
  private let onStep: (String) -> Void

  /// - Parameter executable: the program `hrp`; when it is nil, `HRP_EXECUTABLE` names it, else it is this program when
  ///   that is `hrp`, else the first `hrp` on `PATH`.
  /// - Parameter viewPatience: how long a child may be silent while a view is planned.
  /// - Parameter onStep: is told what the engine reads now: "table main.prices".
  /// - Throws: `EngineError.noExecutable`.
  package init(
    executable: FilePath? = nil, viewPatience: Duration = .seconds(15), files: any FileSystem,
    onStep: @escaping (String) -> Void = { _ in }
  ) throws {
    guard let program = try executable ?? ThisProcess.hrp(files: files), try files.exists(program) else {
      throw EngineError.noExecutable
    }
    self.program = program
    self.viewPatience = viewPatience
    self.files = files
    self.onStep = onStep
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
    try checkFiles(request)
    let report = try answer(to: request)
    let problem = report.problems.first ?? report.checkpointProblems.first
    if let problem, ThisProcess.memoryLimitBytes < request.maximumMemoryBytes {
      // Any problem that the engine met may come from a lack of memory.
      throw EngineError.exhausted(
        words: "\(problem.name): \(problem.detail); this process may use no more than "
          + "\(ThisProcess.memoryLimitBytes >> 20) MB of memory (ulimit -v)")
    }
    return report
  }

  /// Refuses a FIFO or a symlink in the place of a database or of its WAL.
  ///
  /// A FIFO would block the engine; a symlink may lead to a FIFO, or to a database in use.
  private func checkFiles(_ request: EngineRequest) throws {
    for suffix in ["", ".wal", ".wal.checkpoint"] where !request.database.isEmpty {
      let path = FilePath(request.database + suffix)
      guard let kind = try files.statusIfPresent(path)?.kind, kind != .regular else { continue }
      throw EngineError.refused(words: "\(path.text) is \(kind.words)")
    }
  }

  private func answer(to request: EngineRequest) throws -> EngineReport {
    let child = try ChildProcess(program, arguments: [EngineChild.command])
    var hearing = Hearing()
    do {
      do {
        try child.send(Array(JSONEncoder().encode(request)) + [UInt8(ascii: "\n")])
      } catch let error as SystemError where error.errno == .brokenPipe {
        // The child has ended already; the code below finds out how.
      }
      try listen(to: child, request, hearing: &hearing)
    } catch let silence as Silence {
      child.kill()
      try hearing.end("the engine gave no answer for \(silence.seconds) s while it read this, and was ended")
      return hearing.report
    } catch {
      child.kill()
      throw error
    }
    let ended = child.wait()
    guard !hearing.isDone else { return hearing.report }
    if ended == .signalled(9) {
      // By the system, for want of memory, or by somebody.
      throw EngineError.exhausted(words: "the engine was killed while it read \(hearing.place)")
    }
    guard hearing.hasBegun else {
      throw EngineError.unavailable(reasons: ["the program that runs it \(ended.words) before it began"])
    }
    try hearing.end("the engine \(ended.words) while it read this")
    return hearing.report
  }

  private func listen(to child: ChildProcess, _ request: EngineRequest, hearing: inout Hearing) throws {
    let isQuery = if case .query = request.task { true } else { false }
    let patience = try patience(for: request)
    let began = SuspendingClock.now
    var heard = began
    var total = 0
    while let line = try child.output.line(whileWaiting: {
      try Interruption.check()
      // A damaged index or a view can keep the engine busy without end.
      let limit = hearing.report.stage == .views ? viewPatience : patience
      let now = SuspendingClock.now
      if now - heard > limit { throw Silence(seconds: limit.components.seconds) }
      if now - began > patience * Self.totalFactor {
        throw EngineError.exhausted(words: "the engine was not done after \((now - began).components.seconds) s")
      }
    }) {
      heard = .now
      total += line.count
      if isQuery, total > Self.maximumAnswerBytes {
        throw EngineError.answerTooLarge(maximumBytes: Self.maximumAnswerBytes)
      }
      guard total <= Self.maximumBytes || isQuery,
        let reply = parsed({ try JSONDecoder().decode(EngineReply.self, from: Data(line)) })
      else { continue }
      try hearing.take(reply)
      if case .at(let name) = reply { onStep(name) }
    }
  }

  private struct Silence: Error { let seconds: Int64 }

  private func patience(for request: EngineRequest) throws(SystemError) -> Duration {
    // The engine itself reports a database that is missing.
    let size = try files.statusIfPresent(FilePath(request.database), at: nil)?.size ?? 0
    return Self.patience + .seconds(size / Self.bytesPerSecond)
  }
}
