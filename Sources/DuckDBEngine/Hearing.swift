/// What a child has said so far.
struct Hearing {
  var report = EngineReport()
  /// What is being looked at: the last words before a crash tell what it was.
  private(set) var place = "its library"
  private(set) var isDone = false
  /// Whether the child has said anything.
  private(set) var hasBegun = false
  /// Rows of the statement that runs.
  private var rows: [[String?]] = []

  /// - Throws: `EngineError`.
  mutating func take(_ reply: EngineReply) throws(EngineError) {
    hasBegun = true
    switch reply {
    case .noLibrary(let reasons): throw EngineError.unavailable(reasons: reasons)
    case .engine(let version, let library): (report.version, report.library) = (version, library)
    case .stage(let stage): report.stage = stage
    case .at(let name): place = name
    case .closed(let words):
      if Self.isTooNew(words) { throw EngineError.tooOld(version: report.version, words: words) }
      try note("it does not open", words: words)
      isDone = true
    case .table(let table): report.tables.append(table)
    case .listed(let path, let place): report.places.append((path, place))
    case .experiments(let table, let ids): report.experiments.append((table, ids))
    case .rows(let more): rows += more
    case .ran(let failure):
      report.answers.append(failure.map { .failure($0) } ?? .rows(rows))
      rows = []
    case .problem(let name, let detail): try note(name, words: detail)
    case .notice(let text): report.notices.append(text)
    case .done: isDone = true
    }
  }

  /// The child ended before it was done: how, as a sentence.
  /// - Throws: `EngineError`.
  mutating func end(_ words: String) throws(EngineError) { try note(place, words: words) }

  /// Notes what is wrong as what it means in this stage.
  private mutating func note(_ name: String, words: String) throws(EngineError) {
    switch report.stage {
    case .views:
      report.notices.append("\(name): \(words); this and the views after it were not looked at")
    case .checkpoint, .lastCheckpoint:
      if Self.isLackOfMemory(words) {
        report.notices.append("whether a checkpoint can be written was not seen: it needs more memory (\(words))")
      } else if Self.isLackOfDisk(words) {
        throw EngineError.exhausted(words: words)
      } else {
        report.checkpointProblems.append((name, words))
      }
    case .reading, .writing:
      if Self.isLackOfMemory(words) || Self.isLackOfDisk(words) { throw EngineError.exhausted(words: words) }
      report.problems.append((name, words))
    }
  }

  /// DuckDB's words for a file of a later version (`storage_info.cpp`, `storage_manager.cpp`; seen with 1.4.5 on a file
  /// of 2.0.0).
  private static func isTooNew(_ words: String) -> Bool {
    words.contains("newer version of DuckDB") || words.contains("we can only read version")
  }

  /// DuckDB's words when no block is free under its limit; a single text of many gigabytes, which a damaged length asks
  /// for, is told in larger units.
  private static func isLackOfMemory(_ words: String) -> Bool {
    words.contains("Out of Memory Error") && words.contains(" KiB (")
  }

  /// The system's words for a scratch place that is full.
  private static func isLackOfDisk(_ words: String) -> Bool {
    ["No space left on device", "Disk quota exceeded", "Too many open files"].contains { words.contains($0) }
  }
}
