/// What is asked of the child: one line of JSON on its standard input.
package struct EngineRequest: Codable, Sendable {
  /// Where the library may be, best first: paths, or a name for the system's loader.
  package var libraries: [String]
  /// The database, by absolute path.
  package var database: String
  /// A copy to be thrown away, which may be written to; else it is opened read-only.
  package var isScratch: Bool
  /// Where the engine may spill to.
  package var scratch: String
  package var task: Task
  package var memoryMegabytes: Int
  package var threads: Int

  /// What is to be done with the database.
  package enum Task: Codable, Sendable, Equatable {
    /// Everything is read and told.
    case prove
    /// The rows of every table are counted.
    case count
    /// Statements whose columns are all VARCHAR are run, one after the other.
    case query([String])
    /// Nothing: the library is loaded and says its version.
    case identify
  }

  package init(
    libraries: [String] = EngineLibrary.candidates(), database: String, isScratch: Bool = false, scratch: String,
    task: Task = .prove, memoryMegabytes: Int = 384, threads: Int = 2
  ) {
    self.task = task
    self.libraries = libraries
    self.isScratch = isScratch
    self.database = database
    self.scratch = scratch
    self.memoryMegabytes = memoryMegabytes
    self.threads = threads
  }
}

/// What the child says: a line of JSON each, on its standard output.
package enum EngineReply: Codable, Sendable, Equatable {
  /// No library could be loaded: each with the loader's words.
  case noLibrary(reasons: [String])
  /// The library that does the work.
  case engine(version: String, library: String)
  /// What is being looked at now: the last words before a crash tell what it was.
  case at(String)
  /// The database does not open: the engine's words.
  case closed(String)
  /// A table was read, every column of every row.
  case table(TableFingerprint)
  /// The ids of MLflow's experiments and runs that a table names.
  case experiments(table: String, ids: [String])
  /// Rows of the statement that runs; NULL is nil.
  case rows([[String?]])
  /// A statement was run; not nil: it failed, with these words.
  case ran(failure: String?)
  /// Something is wrong: what, and the engine's words.
  case problem(name: String, detail: String)
  /// Something could not be looked at, and nothing is wrong with that.
  case notice(String)
  case done
}

/// The contents of a table, told in a few numbers.
public struct TableFingerprint: Codable, Sendable, Equatable {
  /// Schema and name: "main.prices".
  public let name: String
  /// How many rows it has.
  public let rows: Int64
  /// The name, without the schema when that is `main`.
  package var shortName: String { name.hasPrefix("main.") ? String(name.dropFirst(5)) : name }
  /// A hash of all rows whatever their order; the same for the same rows under the same version of the engine.
  public let hash: String

  package init(name: String, rows: Int64, hash: String) {
    self.name = name
    self.rows = rows
    self.hash = hash
  }
}
