internal import DuckDBFile
package import Files
internal import MLflow
package import SystemPackage

/// Verifies a backup: reads everything in it and changes nothing.
package struct Verification {
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  package init(files: any FileSystem, time: any TimeSource, events: EventStream) {
    self.files = files
    self.time = time
    self.events = events
  }

  /// Verifies the backup at a path, under a shared lock that keeps rotation away.
  /// - Throws: `BackupError` `backup.not-found`, `engine.unavailable`; damage is no error but a finding.
  package func verify(_ path: FilePath, level: VerificationLevel) throws -> VerificationReport {
    guard level < .engine else {
      throw BackupError(
        "engine.unavailable", .failed, "the level engine is not part of this version of hrp",
        remedy: "Use --level structure, which reads every block in use.")
    }
    events.send(.began(operation: "backup verify", on: path.text))
    let root = try Self.open(path, files: files)
    let walk = try ContentsWalk(root)
    if let size = walk.metadata?.sizeBytes { events.send(.expected(bytes: size)) }
    events.send(.phase("verifying"))
    var notices: [String] = []
    try run(walk, root: root, level: level, notices: &notices)
    let reached = notices.isEmpty ? level : .checksums
    if walk.metadata?.complete == false {
      notices.append("this backup is incomplete: some source files could not be read when it was made (metadata.json)")
    }
    let report = VerificationReport(
      path: path.text, level: reached, filesChecked: walk.filesListed,
      findings: walk.findings, notices: notices)
    for notice in notices { events.send(.notice(notice)) }
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
      root = try OpenFile(path, [.directory], files: files)
    } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
      throw BackupError(
        "backup.not-found", .notFound, "Backup directory not found: \(path.text)",
        remedy: "See what there is: hrp backup list")
    } catch {
      throw BackupError.of(error, doing: "opening the backup")
    }
    guard try files.lock(root.descriptor, .shared) else {
      throw BackupError(
        "backup.busy", .busy, "\(path.text) is being removed or made by another hrp",
        remedy: "Try again when that is done.")
    }
    return root
  }

  private func run(
    _ walk: ContentsWalk, root: OpenFile, level: VerificationLevel, notices: inout [String]
  ) throws {
    let path = root.path
    let structure = StructureCheck(backup: path, files: files, time: time)
    let check = try ContentsCheck(fromDevice: false, files: files, time: time, events: events) {
      (file, stored, reader) in
      try level >= .structure
        ? structure.read(file, stored, reader)
        : .init(digest: reader.digest(of: file, size: stored.status.size))
    }
    var sawDatabase = false
    notices = try walk.run(check) { entry in
      if entry.path == BackupLayout.database { sawDatabase = true }
      return false
    }
    if !sawDatabase, !walk.findings.contains(where: { $0.file == BackupLayout.database.text }) {
      walk.note(Finding(.missing, BackupLayout.database))
    }
  }
}
