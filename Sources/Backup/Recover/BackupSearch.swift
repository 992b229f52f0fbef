internal import DuckDBEngine
package import Files
internal import MLflow
internal import SystemPackage

/// Where something was found in a backup.
public struct SearchHit: Sendable, Equatable {
  /// In the form `hypotheses.hypothesis_id`, `MLflow run`, `mlruns/0/a1b2/model.pkl`.
  public let place: String
  /// How many rows or files.
  public let count: Int
}

/// A backup that holds what was looked for.
public struct SearchResult: Sendable {
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
  /// - Parameter isFirstOnly: stops at the newest.
  /// - Throws: `BackupError` `backup-directory.not-found`, `find.empty`; `Interruption.Stopped`.
  package func find(_ text: String, isFirstOnly: Bool = false) throws -> SearchReport {
    guard !text.isEmpty else {
      throw BackupError("find.empty", .usage, "there is nothing to look for", remedy: "Give an id, a name or a file.")
    }
    var report = SearchReport()
    for name in try directory.unlisted() { report.unread.append("\(name): checksums.txt is missing") }
    for backup in try directory.list() {
      try Interruption.check()
      let name = ByteText.escaped(backup.name.bytes)
      events.send(.phase("looking into \(name)"))
      let hits = try hits(text, in: backup, name, &report)
      if hits.isEmpty { continue }
      report.results.append(SearchResult(name: name, path: backup.path.text, hits: hits))
      if isFirstOnly { break }
    }
    return report
  }

  private func hits(
    _ text: String, in backup: ListedBackup, _ name: String, _ report: inout SearchReport
  ) throws -> [SearchHit] {
    var hits: [SearchHit] = []
    for look in [inDatabase, inMLflow, inFiles] {
      do {
        hits += try look(text, backup)
      } catch let stopped as Interruption.Stopped {
        throw stopped
      } catch {
        let error = BackupError(error, doing: "looking for it")
        report.unread.append("\(name): \(error.message)" + (error.cause.map { " (\($0))" } ?? ""))
      }
    }
    return hits
  }

  /// Columns that hold ids and names.
  private static let columns = """
    SELECT schema_name, table_name, column_name FROM duckdb_columns()
    WHERE NOT internal AND database_name = current_database() AND data_type = 'VARCHAR'
      AND (column_name ILIKE '%id' OR column_name IN ('name', 'title', 'symbol'))
    ORDER BY 1, 2, 3
    """

  private func inDatabase(_ text: String, _ backup: ListedBackup) throws -> [SearchHit] {
    let scratch = try Scratch(in: scratch, files: files)
    defer { scratch.remove() }
    let database = backup.path.appending(BackupLayout.database.name.path.components).string
    let engine = try EngineRun(files: files)
    let ask = { (statements: [String]) in try engine.ask(statements, of: database, scratch: scratch.path.string) }
    let named = try rows(ask([Self.columns]).first).compactMap { row -> [String]? in
      let names = row.compactMap { $0 }
      return names.count == 3 ? names : nil
    }
    guard !named.isEmpty else { return [] }
    let answers = try ask(
      named.map { names in
        "SELECT count(*)::VARCHAR FROM \(SQLText.name(names[0], names[1])) "
          + "WHERE \(SQLText.name(names[2])) = \(SQLText.literal(text))"
      })
    return try zip(named, answers).compactMap { names, answer in
      guard let count = try rows(answer).first?.first.flatMap({ $0 }).flatMap({ Int($0) }), count > 0 else {
        return nil
      }
      let table = names[0] == "main" ? names[1] : "\(names[0]).\(names[1])"
      return SearchHit(place: "\(table).\(names[2])", count: count)
    }
  }

  private func rows(_ answer: EngineAnswer?) throws -> [[String?]] {
    switch answer {
    case .rows(let rows): return rows
    case .failure(let words): throw EngineError.refused(words: words)
    case nil: return []
    }
  }

  private func inMLflow(_ text: String, _ backup: ListedBackup) throws -> [SearchHit] {
    let root = backup.path.appending(BackupLayout.mlflow.name.path.components)
    guard try files.exists(root) else { return [] }
    let folder = try OpenFile(root, [.directory], files: files)
    return try MLflowLinks.databases(in: folder).flatMap { name in
      try TrackingRecords.find(text, in: root.appending(name.path.components))
        .map { SearchHit(place: "MLflow \($0.kind)", count: $0.count) }
    }
  }

  /// Names in the list of files that hold the text.
  private func inFiles(_ text: String, _ backup: ListedBackup) throws -> [SearchHit] {
    let root = try OpenFile(backup.path, [.directory], files: files)
    let lines = LineReader(
      try OpenFile(BackupLayout.checksums.name.path, at: root.descriptor, [.noFollow], files: files))
    var hits: [SearchHit] = []
    var more = 0
    while let line = try lines.next() {
      guard let listed = try? ChecksumLine(parsing: line).path else { continue }
      let path = listed.text
      // As it is written, and as it is shown.
      guard path.contains(text) || String(decoding: listed.bytes, as: UTF8.self).contains(text) else { continue }
      if hits.count < Self.maximumFiles { hits.append(SearchHit(place: path, count: 1)) } else { more += 1 }
    }
    return more > 0 ? hits + [SearchHit(place: "more files", count: more)] : hits
  }
}
