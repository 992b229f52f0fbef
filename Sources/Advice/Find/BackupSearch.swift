internal import Backup
internal import DuckDBEngine
package import Files
internal import MLflow
package import Stacks
package import Store
internal import SystemPackage

/// Where something was found in a backup.
public struct SearchHit: Sendable, Equatable, Encodable {
  /// In the form `hypotheses.hypothesis_id`, `table prices`, `column prices.close`, `MLflow run`,
  /// `mlruns/0/a1b2/model.pkl`.
  public let place: String
  /// How many rows or files.
  public let count: Int
}

/// A backup that holds what was looked for.
public struct SearchResult: Sendable, Encodable {
  /// The name of the backup's directory, in readable form.
  public let name: String
  /// The backup's directory, absolute, in readable form.
  public let path: String
  /// Where it was found.
  public let hits: [SearchHit]
}

/// What a search found, and where it could not look.
public struct SearchReport: Sendable {
  /// The backups that hold it, newest first.
  public internal(set) var results: [SearchResult] = []
  /// Backups that could not be looked into, or not everywhere in them: a sentence each.
  public internal(set) var unread: [String] = []
}

/// Looks for an id, a name or a file in all backups.
package struct BackupSearch {
  /// Files that are named one by one.
  private static let maximumFiles = 5

  private let directory: BackupDirectory
  private let scratch: FilePath
  private let files: any FileSystem
  private let events: EventStream

  package init(in stack: Stack, files: any FileSystem, events: EventStream) {
    directory = BackupDirectory(stack.backupDirectory, files: files)
    scratch = stack.scratchDirectory
    self.files = files
    self.events = events
  }

  /// Looks; a backup that cannot be read is named, for it may hold what is looked for.
  ///
  /// - Throws: `BackupError` `backup-directory.not-found`, `find.empty`; `Interruption.Stopped`.
  package func find(_ text: String) throws -> SearchReport {
    try Self.check(text)
    var report = SearchReport()
    for name in try directory.unlisted() { report.unread.append("\(name): checksums.txt is missing") }
    let seen = SeenDatabases()
    let all = try directory.list()
    for (index, backup) in all.enumerated() {
      let hits = try look(
        for: text, in: backup, position: " (\(index + 1) of \(all.count))", seen: seen, unread: &report.unread)
      if hits.isEmpty { continue }
      report.results.append(
        SearchResult(name: ByteText.escaped(backup.name.bytes), path: backup.path.text, hits: hits))
    }
    return report
  }

  /// - Throws: `BackupError` `find.empty`.
  static func check(_ text: String) throws {
    guard text.isEmpty else { return }
    throw BackupError(
      "find.empty", kind: .usage, message: "there is nothing to look for", remedy: "Give an id, a name or a file.")
  }

  /// Looks into one backup.
  ///
  /// - Parameter position: which of how many it is, for the progress line.
  /// - Parameter unread: gets a sentence for each part that could not be looked into.
  /// - Parameter isWanted: which of the files whose names hold the text count.
  /// - Throws: `Interruption.Stopped`.
  func look(
    for text: String, in listed: ListedBackup, position: String = "", seen: SeenDatabases = SeenDatabases(),
    unread: inout [String],
    isWanted: @escaping (EntryPath) throws -> Bool = { _ in true }
  ) throws -> [SearchHit] {
    try Interruption.check()
    let name = ByteText.escaped(listed.name.bytes)
    events.send(.phase("looking into \(name)\(position)"))
    var hits: [SearchHit] = []
    var missed: [String] = []
    let backup: DirectoryBackup
    do {
      backup = try listed.open()
    } catch {
      unread.append("\(name): \(Self.words(error))")
      return []
    }
    let looks: [() throws -> [SearchHit]] = [
      { try inDatabase(text, backup: backup, seen: seen, unread: &missed) },
      { try Self.inMLflow(text, root: try backup.store().map { try backup.materialize($0) }, files: files) },
      { try inFiles(text, backup: backup, isWanted: isWanted) },
    ]
    for look in looks {
      do {
        hits += try look()
      } catch let stopped as Interruption.Stopped {
        throw stopped
      } catch {
        missed.append(Self.words(error))
      }
    }
    unread += missed.map { "\(name): \($0)" }
    return hits
  }

  private static func words(_ error: any Error) -> String {
    let error = BackupError(error, doing: "looking for it")
    return error.message + (error.cause.map { " (\($0))" } ?? "")
  }

  private func inDatabase(
    _ text: String, backup: any StoredBackup, seen: SeenDatabases, unread: inout [String]
  ) throws -> [SearchHit] {
    // One that was made without a database has none to look into.
    guard let status = try backup.status(of: BackupLayout.database) else { return [] }
    return try seen.hits(of: backup, status: status) {
      var missed: [String] = []
      let hits = try lookIntoDatabase(text, backup: backup, unread: &missed)
      unread += missed
      return (hits, missed.isEmpty)
    }
  }

  private func lookIntoDatabase(
    _ text: String, backup: any StoredBackup, unread: inout [String]
  ) throws -> [SearchHit] {
    let path = try backup.materialize(BackupLayout.database)
    let scratch = try Scratch(in: scratch, files: files)
    defer { scratch.remove() }
    let engine = try EngineRun(files: files)
    return try DatabaseSearch(text) { task in
      try engine.run(EngineRequest(database: path.string, scratch: scratch.path.string, task: task))
    }.hits(unread: &unread)
  }

  /// Looks into the tracking databases of a store that nobody writes to.
  static func inMLflow(_ text: String, root: FilePath?, files: any FileSystem) throws -> [SearchHit] {
    guard let root else { return [] }
    let folder = try OpenFile(root, mode: [.directory], files: files)
    return try MLflowStore.databases(in: folder).flatMap { name in
      try TrackingRecords.find(text, in: root.appending(name.path.components))
        .map { SearchHit(place: "MLflow \($0.kind)", count: $0.count) }
    }
  }

  /// Names in the list of files that hold the text.
  private func inFiles(
    _ text: String, backup: any StoredBackup, isWanted: (EntryPath) throws -> Bool
  ) throws -> [SearchHit] {
    var hits: [SearchHit] = []
    var more = 0
    try backup.files(named: text) { file in
      guard try isWanted(file.path) else { return }
      if hits.count < Self.maximumFiles { hits.append(SearchHit(place: file.path.text, count: 1)) } else { more += 1 }
    }
    return more > 0 ? hits + [SearchHit(place: "more files", count: more)] : hits
  }
}
