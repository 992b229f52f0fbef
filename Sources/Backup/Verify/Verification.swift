internal import DuckDBEngine
package import Files
package import Store
internal import SystemPackage

/// Verifies a backup: reads everything in it and changes nothing.
package struct Verification {
  let files: any FileSystem
  let time: any TimeSource
  let events: EventStream

  package init(files: any FileSystem, time: any TimeSource, events: EventStream) {
    self.files = files
    self.time = time
    self.events = events
  }

  /// Verifies a backup.
  ///
  /// - Parameter isRecorded: whether a failure is noted beside the backup, and a noted one taken back.
  /// - Throws: with the level `engine`: `BackupError` `engine.unavailable`, `engine.too-old`, `executable.not-found`.
  ///   Damage is no error but a finding.
  package func verify(
    _ backup: any StoredBackup, level: VerificationLevel, isRecorded: Bool = false
  ) throws -> VerificationReport {
    let began = time.monotonicNanoseconds
    events.send(.began(operation: "backup verify", on: backup.place.text))
    let walk = try ContentsWalk(backup)
    if let size = walk.metadata?.sizeBytes { events.send(.expected(bytes: size)) }
    events.send(.phase("verifying"))
    var notices: [String] = []
    try run(walk, of: backup, level: level, notices: &notices)
    var reached = notices.isEmpty ? level : .checksums
    var engine: EngineSummary?
    if reached == .engine {
      // A scan reads no block of an index: what the level structure sees must be right first.
      if walk.findings.isEmpty {
        engine = try askEngine(backup, walk: walk, notices: &notices)
      } else {
        reached = .structure
      }
    }
    if let notice = walk.litter.notice { notices.append(notice) }
    if let words = walk.metadata?.incompleteWords {
      events.send(.warning("this backup is incomplete: \(words)"))
      notices.append("this backup is incomplete: \(words)")
    }
    let report = VerificationReport(
      path: backup.place.text, level: reached, filesChecked: walk.filesListed,
      findings: walk.findings, notices: notices, engine: engine)
    for notice in notices { events.send(.notice(notice)) }
    if isRecorded {
      record(
        report, of: backup.place, metadata: walk.metadata, seconds: Double(time.monotonicNanoseconds - began) / 1e9)
    }
    if report.isOK {
      events.send(
        .finished(operation: "backup verify", summary: "\(report.filesChecked) files, level \(report.level.rawValue)"))
    } else {
      events.send(
        .failed(
          operation: "backup verify", code: "verification.failed",
          message: report.findings.prefix(5).map(\.line).joined(separator: "; ")))
    }
    return report
  }

  /// Has DuckDB itself read the database where it lies, in a child process: read-only, no byte changes.
  ///
  /// Then what it names of MLflow is looked up.
  private func askEngine(_ backup: any StoredBackup, walk: ContentsWalk, notices: inout [String]) throws
    -> EngineSummary
  {
    events.send(.phase("reading everything with DuckDB"))
    let scratch = try Scratch(files: files)
    defer { scratch.remove() }
    let path = try backup.materialize(BackupLayout.database)
    let report = try EngineRun(files: files, onStep: { events.send(.step($0)) }).run(
      EngineRequest(database: path.string, scratch: scratch.path.string))
    for problem in report.problems {
      walk.note(Finding(.engine, path: BackupLayout.database, detail: "\(problem.name): \(problem.detail)"))
    }
    notices += report.notices
    events.send(.phase("looking up what refers to MLflow"))
    let links = try MLflowLinks(backup: backup, walk.metadata, files: files)
    for finding in try links.findings(report.experiments, notices: &notices) { walk.note(finding) }
    return EngineSummary(version: report.version, library: report.library, tables: report.tables)
  }

  private func run(
    _ walk: ContentsWalk, of backup: any StoredBackup, level: VerificationLevel, notices: inout [String]
  ) throws {
    let structure = StructureCheck(backup: backup, files: files, time: time)
    let check = try ContentsCheck(time: time, events: events) { file, reader in
      try level >= .structure
        ? structure.read(file, reader: reader)
        : .init(digest: reader.digest(of: file.contents, size: file.status.size))
    }
    var sawDatabase = false
    notices = try walk.run(check) { entry in
      if entry.path == BackupLayout.database { sawDatabase = true }
      return false
    }
    if !sawDatabase, !walk.findings.contains(where: { $0.file == BackupLayout.database.text }) {
      walk.note(Finding(.missing, path: BackupLayout.database))
    }
  }
}
