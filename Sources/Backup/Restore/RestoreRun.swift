package import Files
internal import MLflow
package import SystemPackage

// A restore to a place that holds no stack. The order of writes:
//
//   R1  Everything is staged below a hidden, locked folder on the target's own file system, and each byte is hashed on
//       its way: what does not match its checksum stops the restore before anything is visible.
//   R2  What was staged is durable before the first rename.
//   R3  A target that did not exist appears in one rename, whole. In an existing directory MLflow comes first, then the
//       log, and the database last: its path is empty or holds a database whose log is there.
//   R4  Nothing is replaced: every rename refuses an existing name.

/// What a restore did.
public struct RestoreResult: Sendable {
  /// The backup's directory, absolute, in readable form.
  public let path: String
  /// The directory that was restored to, absolute, in readable form.
  public let target: String
  /// What was restored, in the backup's names: "hrp.duckdb", "mlruns/".
  public let restored: [String]
  /// How many files were restored.
  public let filesCount: Int
  /// Bytes of the restored files.
  public let sizeBytes: Int64
}

/// The parts of a stack that a restore may be limited to.
public enum StackPart: String, Sendable, CaseIterable { case duckdb, mlflow }

/// Restores one backup.
package struct RestoreRun {
  let backup: FilePath
  let target: FilePath
  let part: StackPart?
  let files: any FileSystem
  let time: any TimeSource
  let events: EventStream

  package init(
    _ backup: FilePath, to target: FilePath, part: StackPart? = nil, files: any FileSystem, time: any TimeSource,
    events: EventStream
  ) {
    self.backup = backup
    self.target = target
    self.part = part
    self.files = files
    self.time = time
    self.events = events
  }

  /// What was found wrong with the backup; nothing was restored.
  package struct Damaged: Error { package let report: VerificationReport }

  /// Restores, or with `isDryRun` only checks that it could.
  /// - Throws: `Damaged`, `BackupError`, `SystemError`, `Interruption.Stopped`.
  package func run(isDryRun: Bool = false) throws -> RestoreResult {
    events.send(.began(operation: "backup restore", on: "\(backup.text) to \(target.text)"))
    let root = try Verification.open(backup, files: files)
    let walk = try ContentsWalk(root)
    let place = RestorePlacement(walk.metadata, target: target)
    try place.checkIsFree(part, files: files)
    try checkSpace(root, walk)
    if isDryRun { return try dryRun(walk, place) }
    let staging = try RestoreStaging(for: target, files: files)
    do {
      let copy = try RestoreCopy(to: staging.folder, part: part, files: files, time: time, events: events)
      try fill(copy, walk)
      events.send(.phase("making it durable"))
      try files.synchronizeTree(staging.folder)
      let restored = try staging.publish(place, note: ThisProcess.note(program: "hrp backup restore", time: time), time)
      tellLocations(walk.metadata, restored)
      events.send(.finished(operation: "backup restore", summary: "\(copy.filesCount) files to \(target.text)"))
      return RestoreResult(
        path: backup.text, target: target.text, restored: restored, filesCount: copy.filesCount,
        sizeBytes: copy.sizeBytes)
    } catch {
      // What cannot be removed now is hidden, and its lock is free: the next restore to this place removes it.
      try? staging.discard()
      throw error
    }
  }

  /// R1.
  private func fill(_ copy: RestoreCopy, _ walk: ContentsWalk) throws {
    events.send(.phase("restoring"))
    try walk.run { try copy.take($0) }
    guard walk.findings.isEmpty else { throw Damaged(report: report(walk)) }
    try copy.finishDirectories()
  }

  private func dryRun(_ walk: ContentsWalk, _ place: RestorePlacement) throws -> RestoreResult {
    events.send(.phase("verifying"))
    let reader = ContentsReader(fromDevice: false, files: files, time: time) { events.send(.progress(bytes: $0)) }
    var count = 0
    var bytes: Int64 = 0
    try walk.run { entry in
      guard entry.status.kind == .regular else { return nil }
      count += 1
      bytes += entry.status.size
      return try reader.digest(of: entry)
    }
    guard walk.findings.isEmpty else { throw Damaged(report: report(walk)) }
    return RestoreResult(
      path: backup.text, target: target.text, restored: [], filesCount: count, sizeBytes: bytes)
  }

  private func report(_ walk: ContentsWalk) -> VerificationReport {
    VerificationReport(
      path: backup.text, level: .checksums, filesChecked: walk.filesListed, findings: walk.findings, notices: [])
  }

  private func checkSpace(_ root: OpenFile, _ walk: ContentsWalk) throws {
    var bytes: Int64 = 0
    try TreeWalk(files: files).walk(root) { step in
      if case .entry(let entry) = step { bytes += entry.status.size }
      return true
    }
    let folder = try BackupRun.existing(target, files: files)
    let available = try files.space(of: folder.descriptor).availableBytes
    let needed = bytes / 100 * 101 + (4 << 20)
    guard UInt64(needed) <= available else {
      throw BackupError.noSpace(target, needed: needed, available: available)
    }
    events.send(.expected(bytes: bytes))
  }

  private func tellLocations(_ metadata: BackupMetadata?, _ restored: [String]) {
    guard let source = metadata?.sourceDirectory, source != target.text, restored.contains("mlruns/") else { return }
    events.send(
      .notice(
        "MLflow's records still name \(source) as the place of their artifacts; "
          + "this version does not rewrite them yet"))
  }
}
