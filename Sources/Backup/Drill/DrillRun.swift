internal import DuckDBEngine
package import Files
internal import Stacks
package import Store
package import SystemPackage

// A drill: a backup is restored for real, and used. The order:
//
//   P1  The backup is restored to scratch by the code of every restore: each byte is checked on its way, and nothing of
//       the backup is linked or written to.
//   P2  DuckDB opens the scratch copy read-write in a child process. It replays the WAL, reads everything, writes a
//       checkpoint, opens the copy again, writes rows, and writes a checkpoint of those. When only a checkpoint fails,
//       that is a finding of its own kind: the bytes are sound, and the live database is in danger too.
//   P3  Every later drill must read what the first passed drill read: the fingerprint of each table is compared.
//       Example: the first drill counted 1,200 rows in `prices`. A later drill that counts 1,199 fails, even when every
//       checksum is right.
//   P4  The proof is written last, beside the sealed backup; then scratch is removed. What a killed drill leaves in
//       scratch is removed by the next drill.

/// What a drill showed.
package struct DrillReport: Sendable {
  package let path: String
  package let name: String
  /// ISO 8601 with offset.
  package let at: String
  package let durationSeconds: Double
  package let findings: [Finding]
  package let notices: [String]
  /// What the engine read; nil when the drill did not get so far.
  package let engine: EngineSummary?
  /// Rows that the newest proven backup before this one had, by table.
  package let rowsBefore: [String: Int64]

  package var isOK: Bool { findings.isEmpty }
  /// What to do when the backup can be read, but DuckDB cannot write a checkpoint of it.
  package static let checkpointRemedy =
    "Make the indexes of the live database anew before its next checkpoint: EXPORT DATABASE into a folder, and IMPORT "
    + "DATABASE into a new file; then hrp backup create, and hrp backup drill. Look for a newer DuckDB."
  /// What more there is to say of a failure.
  package var state: Proof.State? {
    !isOK && findings.allSatisfy { $0.kind == .checkpoint } ? .checkpointFailed : nil
  }
}

/// Restores a backup to scratch, has the engine use it, and writes down what it showed.
package struct DrillRun {
  private let backup: any StoredBackup
  /// Where the scratch copy goes.
  private let scratchDirectory: FilePath
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  package init(
    _ backup: any StoredBackup, scratchDirectory: FilePath, files: any FileSystem, time: any TimeSource,
    events: EventStream
  ) {
    self.backup = backup
    self.scratchDirectory = scratchDirectory
    self.files = files
    self.time = time
    self.events = events
  }

  /// Drills.
  /// - Throws: `BackupError`: `backup.not-found`, `disk.full`, `engine.unavailable`, `engine.too-old`; damage is a
  ///   finding.
  package func run() throws -> DrillReport {
    events.send(.began(operation: "backup drill", on: backup.place.text))
    let began = time.monotonicNanoseconds
    let metadata = try backup.metadata()?.metadata
    let name = backup.name
    let proofs = ProofDirectory(of: backup.place.folder, files: files)
    let earlier = proofs.proof(of: name, checksums: metadata?.checksumsDigest)
    if let words = metadata?.incompleteWords { events.send(.warning("this backup is incomplete: \(words)")) }
    var reading = Reading()
    try read(metadata, into: &reading)
    if let engine = reading.engine, reading.findings.allSatisfy({ $0.kind == .checkpoint }) {
      reading.findings += Self.differences(engine, from: earlier.value?.first)
    }
    let report = DrillReport(
      path: backup.place.text, name: ByteText.escaped(name.bytes),
      at: LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset,
      durationSeconds: Double(time.monotonicNanoseconds - began) / 1e9, findings: reading.findings,
      notices: reading.notices, engine: reading.engine, rowsBefore: rowsBefore(name, proofs: proofs))
    try write(report, name: name, metadata: metadata, earlier: earlier, proofs: proofs)
    tell(report)
    return report
  }

  /// What is known so far.
  private struct Reading {
    var findings: [Finding] = []
    var notices: [String] = []
    var engine: EngineSummary?
  }

  /// P1, P2.
  private func read(_ metadata: BackupMetadata?, into reading: inout Reading) throws {
    let scratch = try Scratch(in: scratchDirectory, files: files)
    defer { scratch.remove() }
    let target = scratch.path.appending("stack")
    do {
      var request = RestoreRun.Request()
      // The records keep their old locations, because they are compared with the place that was backed up.
      request.relocates = false
      _ = try RestoreRun(
        backup, to: RestoreTarget(target, files: files), request: request, files: files, time: time,
        events: events.progressOnly
      ).run()
    } catch let damage as RestoreRun.Damaged {
      reading.findings = damage.report.findings
      return
    }
    events.send(.phase("reading and writing with DuckDB"))
    let spill = scratch.path.appending("spill")
    try files.makeDirectory(spill, at: nil, permissions: 0o700)
    var request = EngineRequest(
      database: target.appending(BackupLayout.database.name.path.components).string, isScratch: true,
      scratch: spill.string)
    let engine = try EngineRun(files: files, onStep: { events.send(.step($0)) })
    var report = try engine.run(request)
    let checkpoint = report.checkpointProblems
    if !checkpoint.isEmpty, report.stage == .checkpoint {
      // The rest is checked again, without a checkpoint.
      request.checkpoints = false
      report = try engine.run(request)
    }
    reading.findings = report.problems.map {
      Finding(.engine, path: BackupLayout.database, detail: "\($0.name): \($0.detail)")
    }
    reading.findings += checkpoint.map {
      Finding(.checkpoint, path: BackupLayout.database, detail: "\($0.name): \($0.detail)")
    }
    reading.notices = report.notices
    reading.engine = EngineSummary(version: report.version, library: report.library, tables: report.tables)
    let links = try MLflowLinks(restored: target, metadata, files: files)
    reading.findings += try links.findings(report.experiments, notices: &reading.notices)
  }

  /// P3.
  private static func differences(_ engine: EngineSummary, from first: Proof.Reading?) -> [Finding] {
    guard let first else { return [] }
    // Another version of DuckDB may compute other hashes, but it must count the same rows.
    let isSameEngine = first.engine == engine.version
    // A name in an old proof may fit several tables: it is compared with all of them.
    let isIdentified = first.tables.allSatisfy(\.isIdentified)
    let key = { (table: TableFingerprint) in isIdentified ? table.path : TablePath([table.formerName]) }
    let order = { (left: TableFingerprint, right: TableFingerprint) in
      (left.rows, left.hash) < (right.rows, right.hash)
    }
    let now = Dictionary(grouping: engine.tables, by: key).mapValues { $0.sorted(by: order) }
    let then = Dictionary(grouping: first.tables, by: key).mapValues { $0.sorted(by: order) }
    return Set(now.keys).union(then.keys).sorted().flatMap { path -> [Finding] in
      let (before, after) = (then[path] ?? [], now[path] ?? [])
      let name = (after.first ?? before.first)?.name ?? path.text
      if before.count < after.count { return [finding(name, words: "was not there in the first drill (\(first.at))")] }
      if before.count > after.count { return [finding(name, words: "was there in the first drill (\(first.at))")] }
      return zip(before, after).compactMap { before, after in
        if before.rows != after.rows {
          return finding(name, words: "has \(after.rows) rows; in the first drill (\(first.at)) it had \(before.rows)")
        }
        if isSameEngine, before.hash != after.hash {
          return finding(name, words: "reads otherwise than in the first drill (\(first.at))")
        }
        return nil
      }
    }
  }

  private static func finding(_ table: String, words: String) -> Finding {
    Finding(.engine, path: BackupLayout.database, detail: "table \(table) \(words)")
  }

  /// What the newest proven backup before this one had.
  private func rowsBefore(_ name: FileName, proofs: ProofDirectory) -> [String: Int64] {
    // This is only information: a directory that cannot be listed was reported before.
    let all = forPeople { try BackupDirectory(backup.place.folder, files: files).list() } ?? []
    let older = all.drop { $0.name != name }.dropFirst()
    for backup in older {
      guard let proof = proofs.proof(of: backup.name, checksums: backup.metadata?.checksumsDigest).value, proof.isOK,
        proof.level == .drill
      else {
        continue
      }
      return Dictionary(proof.tables.map { ($0.name, $0.rows) }) { left, _ in left }
    }
    return [:]
  }

  /// P4.
  private func write(
    _ report: DrillReport, name: FileName, metadata: BackupMetadata?, earlier: Noted<Proof>,
    proofs: ProofDirectory
  ) throws {
    // A backup without metadata has no seal, so a proof could not say which contents it is about.
    guard let checksums = metadata?.checksumsDigest else { return }
    if let problem = earlier.problem {
      // The unreadable proof may contain what the first drill read, so it must not be overwritten.
      return events.send(
        .warning(
          "this drill was not compared with an earlier one, nor written down: the proof cannot be read (\(problem)). "
            + "Make it readable, or remove it"))
    }
    // A failure that this machine or user may have caused says nothing about the backup.
    guard report.isOK || !report.findings.allSatisfy(\.mayBeOfMachine) else { return }
    let tables = report.engine?.tables ?? []
    let reading = Proof.Reading(engine: report.engine?.version ?? "", at: report.at, tables: tables)
    let proof = Proof(
      checksums: checksums.hex, level: .drill, isOK: report.isOK, state: report.state, at: report.at,
      engine: reading.engine,
      durationSeconds: report.durationSeconds.roundedToMilliseconds,
      findings: report.findings.prefix(100).map(\.line), damaged: Finding.damagedFiles(report.findings), tables: tables,
      first: earlier.value?.first ?? (report.isOK ? reading : nil))
    do {
      try proofs.write(proof, of: name)
    } catch let error as SystemError {
      events.send(.warning("the proof could not be written down: \(error)"))
    } catch let error as BackupError {
      events.send(.warning("the proof could not be written down: \(error.message)"))
    }
  }

  private func tell(_ report: DrillReport) {
    for notice in report.notices { events.send(.notice(notice)) }
    if report.isOK {
      let engine =
        report.engine.map { "DuckDB \($0.version), \(ItemCount.text($0.tables.count, of: "table")), \($0.rows) rows" }
        ?? ""
      events.send(.finished(operation: "backup drill", summary: "\(report.name): \(engine)"))
    } else {
      events.send(
        .failed(
          operation: "backup drill", code: "drill.failed",
          message: report.findings.prefix(5).map(\.line).joined(separator: "; ")))
    }
  }
}
