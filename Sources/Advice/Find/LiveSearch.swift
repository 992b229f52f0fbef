internal import Backup
internal import Files
internal import MLflow
internal import Stacks
internal import Store
internal import SystemPackage

/// Looks for a text in the stack itself, as `BackupSearch` does in a backup, so that the two can be compared.
struct LiveSearch {
  private let text: String
  private let stack: Stack
  private let files: any FileSystem
  private let time: any TimeSource

  /// How often the text is in the database and in MLflow's records now, by place.
  private(set) var counts: [String: Int] = [:]
  /// Why something could not be compared, a sentence each.
  private(set) var notices: [String] = []
  private let store: MLflowStore?

  /// Looks.
  ///
  /// A database that is gone or damaged holds nothing. One that cannot be looked at for another reason is an error:
  /// what it lacks cannot be told.
  /// - Throws: `BackupError` `recover.undetermined` and those of the store; `Interruption.Stopped`.
  init(for text: String, in stack: Stack, files: any FileSystem, time: any TimeSource) throws {
    self.text = text
    self.stack = stack
    self.files = files
    self.time = time
    do { store = try stack.mlflow(files: files) } catch is MLflowStore.Missing { store = nil }
    try lookIntoDatabase()
    try lookIntoRecords()
  }

  private mutating func lookIntoDatabase() throws {
    guard try files.exists(stack.database) else {
      return notices.append("there is no database at \(stack.database.text)")
    }
    do {
      var unread: [String] = []
      let hits = try LiveDatabase(stack, files: files, time: time)
        .asking { try DatabaseSearch(text, ask: $0).hits(unread: &unread) }
      take(hits)
      notices += unread.map { "not looked into in the stack itself: \($0)" }
    } catch let stopped as Interruption.Stopped {
      throw stopped
    } catch {
      let health = HealthReport(BackupError(error, doing: "reading the database"))
      guard health.isDamaged else { throw BackupError.undetermined(health) }
      notices.append("the database of the stack is damaged, and counts as empty (\(health.words))")
    }
  }

  private mutating func lookIntoRecords() throws {
    guard let store else { return }
    let folder = try OpenFile(store.directory, mode: [.directory], files: files)
    let scratch = try Scratch(in: stack.scratchDirectory, files: files)
    defer { scratch.remove() }
    for (number, name) in try MLflowStore.databases(in: folder).enumerated() where store.holds(name) {
      let place = store.directory.appending(name.path.components)
      let copy = scratch.path.appending("\(number).db")
      switch try hits(in: place, copyingTo: copy) {
      case .success(let hits): take(hits)
      case .failure(let error):
        notices.append("\(place.text) is damaged, and counts as empty (\(error.message))")
      }
    }
  }

  /// What is in a database that others may write to: SQLite alone may read it, so a copy of it is looked into.
  /// - Throws: a failure that says nothing of the database.
  private func hits(in place: FilePath, copyingTo copy: FilePath) throws -> Result<[SearchHit], SQLiteError> {
    do {
      try SQLiteFile.copy(place, to: copy)
      let found = try TrackingRecords.find(text, in: copy)
      return .success(found.map { SearchHit(place: "MLflow \($0.kind)", count: $0.count) })
    } catch {
      guard error.isDamage else { throw error }
      return .failure(error)
    }
  }

  private mutating func take(_ hits: [SearchHit]) {
    for hit in hits { counts[hit.place, default: 0] += hit.count }
  }

  /// Whether the stack does not have a file of a backup.
  /// - Throws: `SystemError` when that cannot be told.
  func lacks(_ path: EntryPath) throws -> Bool {
    if BackupLayout.lists.contains(path) { return false }
    for folder in BackupLayout.stores where path.isInside(folder) {
      guard let store, let rest = path.relative(to: folder) else { return true }
      return try !files.exists(store.directory.pushing(FilePath(bytes: rest.bytes)))
    }
    // The database is compared by what is in it.
    return false
  }

  /// What a backup has and the stack lacks: places that are missing in the stack, and places with fewer rows there.
  func lacking(_ hits: [SearchHit]) -> (absent: [SearchHit], fewer: [SearchHit]) {
    let merged = SearchHit.merged(hits)
    let absent = merged.filter { counts[$0.place] == nil }
    return (absent, merged.filter { hit in counts[hit.place].map { $0 < hit.count } ?? false })
  }
}

extension SearchHit {
  /// One hit for each place, in the order in which the places come.
  static func merged(_ hits: [SearchHit]) -> [SearchHit] {
    var places: [String] = []
    var counts: [String: Int] = [:]
    for hit in hits {
      if counts[hit.place] == nil { places.append(hit.place) }
      counts[hit.place, default: 0] += hit.count
    }
    return places.map { SearchHit(place: $0, count: counts[$0] ?? 0) }
  }
}

extension BackupError {
  /// The error for a database that could not be read, so that nothing is known about its state.
  static func undetermined(_ health: HealthReport) -> BackupError {
    BackupError(
      health.code ?? "recover.undetermined", kind: .failed,
      message: "it is not known whether the database is damaged: \(health.words)",
      remedy: health.remedy ?? "See hrp doctor.")
  }
}
