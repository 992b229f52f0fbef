package import Files

/// What is asked of the child: one line of JSON on its standard input.
package struct EngineRequest: Codable, Sendable {
  /// Where the library may be, best first, as paths or a loader's name; when it is empty, the child looks for it.
  package var libraries: [String]
  /// The database, by absolute path.
  package var database: String
  /// Whether the database is a scratch copy, which may be written to; otherwise it is opened read-only.
  package var isScratch: Bool
  /// Where the engine may spill to.
  package var scratch: String
  package var task: Task
  package var memoryMegabytes: Int
  package var threads: Int

  /// Megabytes for the program itself and what the engine does not count.
  private static let memoryBesideMegabytes = 640

  /// Bytes of memory that the child takes at most.
  package var maximumMemoryBytes: Int64 { Int64(memoryMegabytes + Self.memoryBesideMegabytes) << 20 }

  /// Whether checkpoints of a scratch copy are written.
  package var checkpoints: Bool

  /// What is to be done with the database.
  package enum Task: Codable, Sendable, Equatable {
    /// Everything is read and reported.
    case prove
    /// The rows of every table are counted.
    case count
    /// The tables are named.
    case list
    /// Statements whose columns are all VARCHAR are run, one after the other.
    case query([String])
    /// Nothing: the library is loaded and says its version.
    case identify
  }

  package init(
    libraries: [String] = [], database: String, isScratch: Bool = false,
    checkpoints: Bool = true, scratch: String, task: Task = .prove, memoryMegabytes: Int = 384, threads: Int = 2
  ) {
    self.task = task
    self.libraries = libraries
    self.isScratch = isScratch
    self.checkpoints = checkpoints
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
  /// A new stage of the proof begins: what is wrong in it means something else.
  case stage(EngineStage)
  /// What is being looked at now: the last words before a crash tell what it was.
  case at(String)
  /// The database does not open: the engine's words.
  case closed(String)
  /// A table was read, every column of every row.
  case table(TableFingerprint)
  /// A table that is there: its path, and how SQL names it.
  case listed(TablePath, place: String)
  /// The ids of MLflow's experiments and runs that a table names.
  case experiments(table: String, ids: [String])
  /// Rows of the statement that runs; NULL is nil.
  case rows([[String?]])
  /// A statement was run; `failure` has the engine's words when it failed, and is nil when it did not.
  case ran(failure: String?)
  /// Something is wrong: what, and the engine's words.
  case problem(name: String, detail: String)
  /// Something could not be checked, which does not mean that anything is wrong.
  case notice(String)
  case done
}

/// The stages of a proof, in their order.
package enum EngineStage: String, Codable, Sendable {
  case reading
  /// A checkpoint is written before anything else is, and the database opened again.
  case checkpoint
  /// Rows go and come back, keys are refused.
  case writing
  /// A checkpoint of that is written, and all is read again.
  case lastCheckpoint
  /// Views are planned: nothing that is wrong with one is a problem of the database.
  case views
}
