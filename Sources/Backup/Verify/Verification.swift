internal import DuckDBEngine
package import Files
package import Store
package import SystemPackage

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

  /// Verifies the backup at a path, under a shared lock that keeps rotation away.
  ///
  /// - Parameter isRecorded: whether a failure is noted beside the backup, and a noted one taken back.
  /// - Throws: `BackupError` `backup.not-found`; with the level `engine` also `engine.unavailable`, `engine.too-old`,
  ///   `executable.not-found`. Damage is no error but a finding.
  package func verify(
    _ path: FilePath, level: VerificationLevel, isRecorded: Bool = false
  ) throws -> VerificationReport {
    let began = time.monotonicNanoseconds
    events.send(.began(operation: "backup verify", on: path.text))
    let root = try Self.open(path, files: files)
    let walk = try ContentsWalk(root)
    if let size = walk.metadata?.sizeBytes { events.send(.expected(bytes: size)) }
    events.send(.phase("verifying"))
    var notices: [String] = []
    try run(walk, root: root, level: level, notices: &notices)
    var reached = notices.isEmpty ? level : .checksums
    var engine: EngineSummary?
    if reached == .engine {
      // A scan reads no block of an index: what the level structure sees must be right first.
      if walk.findings.isEmpty {
        engine = try askEngine(root, walk: walk, notices: &notices)
      } else {
        reached = .structure
      }
    }
    if let notice = walk.litter.notice { notices.append(notice) }
    if walk.metadata?.complete == false {
      events.send(.warning("this backup is incomplete: some source files could not be read when it was made"))
      notices.append("this backup is incomplete: some source files could not be read when it was made (metadata.json)")
    }
    let report = VerificationReport(
      path: path.text, level: reached, filesChecked: walk.filesListed,
      findings: walk.findings, notices: notices, engine: engine)
    for notice in notices { events.send(.notice(notice)) }
    if isRecorded {
      record(report, of: path, metadata: walk.metadata, seconds: Double(time.monotonicNanoseconds - began) / 1e9)
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

  /// Opens a backup and locks it against removal for as long as the returned file lives.
  static func open(_ path: FilePath, files: any FileSystem) throws -> OpenFile {
    let root: OpenFile
    do {
      root = try OpenFile(path, mode: [.directory], files: files)
    } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
      throw BackupError(
        "backup.not-found", kind: .notFound, message: "Backup directory not found: \(path.text)",
        remedy: "See what there is: hrp backup list")
    } catch {
      throw BackupError.of(error, doing: "opening the backup")
    }
    let marks = [BackupLayout.checksums, BackupLayout.metadata, BackupLayout.database]
    guard try marks.contains(where: { try files.exists($0.name.path, at: root.descriptor) }) else {
      throw BackupError(
        "backup.not-found", kind: .notFound, message: "\(path.text) is not a backup: it holds none of the files of one",
        remedy: "See what there is: hrp backup list")
    }
    guard try files.lock(root.descriptor, kind: .shared) else {
      throw BackupError(
        "backup.busy", kind: .busy, message: "\(path.text) is being removed or made by another hrp",
        remedy: "Try again when that is done.")
    }
    return root
  }

  /// Has DuckDB itself read the database where it lies, in a child process: read-only, no byte changes.
  ///
  /// Then what it names of MLflow is looked up.
  private func askEngine(_ root: OpenFile, walk: ContentsWalk, notices: inout [String]) throws -> EngineSummary {
    events.send(.phase("reading everything with DuckDB"))
    let scratch = try Scratch(files: files)
    defer { scratch.remove() }
    let path = root.path.appending(BackupLayout.database.name.path.components)
    let report = try EngineRun(files: files, onStep: { events.send(.step($0)) }).run(
      EngineRequest(database: path.string, scratch: scratch.path.string))
    for problem in report.problems {
      walk.note(Finding(.engine, path: BackupLayout.database, detail: "\(problem.name): \(problem.detail)"))
    }
    notices += report.notices
    events.send(.phase("looking up what refers to MLflow"))
    let links = try MLflowLinks(backup: root.path, walk.metadata, files: files)
    for finding in try links.findings(report.experiments, notices: &notices) { walk.note(finding) }
    return EngineSummary(version: report.version, library: report.library, tables: report.tables)
  }

  private func run(
    _ walk: ContentsWalk, root: OpenFile, level: VerificationLevel, notices: inout [String]
  ) throws {
    let path = root.path
    let structure = StructureCheck(backup: path, files: files, time: time)
    let check = try ContentsCheck(fromDevice: false, files: files, time: time, events: events) {
      (file, stored, reader) in
      try level >= .structure
        ? structure.read(file, stored: stored, reader: reader)
        : .init(digest: reader.digest(of: file, size: stored.status.size))
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
