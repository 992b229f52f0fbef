package import DuckDBEngine
internal import DuckDBFile
package import Files
package import Stacks
internal import Store
package import SystemPackage

/// The database of a stack in use, asked over a hot copy (`LiveSnapshot`): no lock is taken, no writer kept out.
package struct LiveDatabase {
  /// Does a task on one state of the database.
  package typealias Ask = (_ task: EngineRequest.Task) throws -> EngineReport

  private let path: FilePath
  private let scratch: FilePath
  private let executable: FilePath?
  private let files: any FileSystem
  private let time: any TimeSource

  /// - Parameter executable: the program that runs the engine; when it is nil, `EngineRun` finds it.
  package init(_ stack: Stack, executable: FilePath? = nil, files: any FileSystem, time: any TimeSource) {
    self.init(stack.database, scratch: stack.scratchDirectory, executable: executable, files: files, time: time)
  }

  /// - Parameter scratch: where the copy goes.
  package init(
    _ path: FilePath, scratch: FilePath, executable: FilePath? = nil, files: any FileSystem, time: any TimeSource
  ) {
    self.path = path
    self.scratch = scratch
    self.executable = executable
    self.files = files
    self.time = time
  }

  /// Whether the database can be read, and how many rows its tables have.
  ///
  /// What cannot be read is part of the answer; a scratch directory that cannot be used says nothing about it.
  /// - Throws: `BackupError` `scratch.unusable`, `disk.full`; `Interruption.Stopped`.
  package func health(expecting profile: StackProfile) throws -> HealthReport {
    do {
      let (report, timestamp) = try withSnapshot { snapshot in
        try EngineRun(executable: executable, files: files).run(
          EngineRequest(database: snapshot.database.string, scratch: snapshot.folder.string, task: .count))
      }
      return HealthReport(
        report.problems.first?.detail, tables: Self.tables(report.tables, profile: profile),
        asOf: LocalTime(nanoseconds: timestamp).iso8601WithOffset, engine: report.version)
    } catch let stopped as Interruption.Stopped {
      throw stopped
    } catch let error as BackupError where error.isOne(of: [.scratchUnusable, .diskFull]) {
      throw error
    } catch {
      return HealthReport(BackupError(error, doing: "reading the database"), words: Self.words(for: error, at: path))
    }
  }

  /// Runs statements whose columns are all VARCHAR on one state of the database.
  ///
  /// - Returns: an answer for each statement, and the timestamp of the state, in nanoseconds since 1970 UTC.
  /// - Throws: `EngineError`, and what `LiveSnapshot` throws.
  func ask(_ statements: [String]) throws -> (answers: [EngineAnswer], timestamp: Int64) {
    let (answers, timestamp) = try withSnapshot { snapshot in
      try EngineRun(executable: executable, files: files).ask(
        statements, of: snapshot.database.string, scratch: snapshot.folder.string)
    }
    return (answers, timestamp)
  }

  /// Lets the body put questions to one state of the database, as often as it likes.
  ///
  /// - Throws: what the body and `LiveSnapshot` throw.
  package func asking<Result>(_ body: (@escaping Ask) throws -> Result) throws -> Result {
    let engine = try EngineRun(executable: executable, files: files)
    return try withSnapshot { snapshot in
      try body { task in
        try engine.run(
          EngineRequest(database: snapshot.database.string, scratch: snapshot.folder.string, task: task))
      }
    }.0
  }

  private func withSnapshot<Result>(_ body: (LiveSnapshot) throws -> Result) throws -> (Result, Int64) {
    let snapshot = try LiveSnapshot.take(
      of: path, in: scratch, files: files, time: time)
    defer { snapshot.close() }
    return (try body(snapshot), snapshot.timestamp)
  }

  /// The tables of the profile in its order, then all others in the order of their names.
  private static func tables(_ found: [TableFingerprint], profile: StackProfile) -> [HealthReport.Table] {
    var rest = found.map { table in
      HealthReport.Table(name: table.shortName, isThere: true, count: table.rows)
    }
    var tables: [HealthReport.Table] = []
    for name in profile.tables {
      if let index = rest.firstIndex(where: { $0.name == name }) {
        tables.append(rest.remove(at: index))
      } else {
        tables.append(HealthReport.Table(name: name, isThere: false, count: 0))
      }
    }
    return tables + rest
  }

  /// DuckDB's own text for an error, if it has one; programs of the platform search for that text.
  static func words(for error: any Error, at path: FilePath) -> String? {
    switch error {
    case let error as BackupError where error.known == .sourceNotFound:
      return "IO Error: Cannot open database \"\(path.text)\" in read-only mode: database does not exist"
    case HotCopyError.notADatabase:
      return "IO Error: The file \"\(path.text)\" exists, but it is not a valid DuckDB database file!"
    default: return nil
    }
  }
}
