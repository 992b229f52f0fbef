internal import DuckDBEngine
package import Files
internal import MLflow
package import Stacks
package import Store
internal import SystemPackage

/// Compares what is at the target now with what a backup has, before anything is replaced.
///
/// What cannot be read is reported and skipped: when a restore is needed, the current database may be damaged.
package struct LossScan {
  private let backup: any StoredBackup
  private let target: RestoreTarget
  private let files: any FileSystem
  private let time: any TimeSource

  private let scratch: FilePath

  /// - Throws: `SystemError` when it cannot be told whether the target exists; its folder takes the copies of it.
  package init(_ backup: any StoredBackup, target: RestoreTarget, files: any FileSystem, time: any TimeSource)
    throws(SystemError)
  {
    self.backup = backup
    self.target = target
    self.files = files
    self.time = time
    scratch = try files.exists(target.directory) ? target.directory.appending("scratch") : Scratch.standard
  }

  /// Compares; returns nil when the target holds nothing that could be lost.
  /// - Throws: `Interruption.Stopped`.
  package func run(_ request: RestoreRun.Request, metadata: BackupMetadata?) throws -> Losses? {
    let hadScratch = try files.exists(scratch)
    // Nothing of ours is left behind in a directory that had no scratch directory before.
    defer {
      if !hadScratch { LiveSnapshot.leave(scratch, files: files) }
    }
    var losses = Losses(rows: [], notices: [], health: nil)
    var isSomethingThere = false
    if request.part != .mlflow, try files.exists(target.database) {
      isSomethingThere = true
      try compareTables(metadata, losses: &losses)
    }
    let store = target.store(of: metadata).path
    if request.part != .duckdb, try files.exists(store) {
      isSomethingThere = true
      compareRuns(store, losses: &losses)
    }
    return isSomethingThere ? losses : nil
  }

  // MARK: - Tables

  private func compareTables(_ metadata: BackupMetadata?, losses: inout Losses) throws {
    let health: HealthReport
    do {
      health = try LiveDatabase(target.database, scratch: scratch, files: files, time: time).health(expecting: .found)
    } catch let error as BackupError {
      // Where there is no room to look, there may still be room to restore.
      losses.notices.append("what is in the current database cannot be told (\(error.message))")
      return
    }
    losses.health = health
    guard health.isReadable else {
      losses.notices.append("what is in the current database cannot be told (\(health.database))")
      return
    }
    let stored: [String: Int64]
    do {
      stored = try tablesOfBackup(metadata)
    } catch let stopped as Interruption.Stopped {
      throw stopped
    } catch {
      losses.notices.append(
        "the tables of the backup were not counted: \(BackupError(error, doing: "reading the backup").message)")
      return
    }
    let now = Dictionary(health.tables.map { ($0.name, $0.count) }) { left, _ in left }
    losses.add("table", now: now, backup: stored)
    if now.values.contains(where: { $0 > 0 }) {
      losses.notices.append(
        losses.rows.isEmpty
          ? "every table has as many rows as in the backup; what was changed in a row is not seen"
          : "only numbers of rows were compared: what was changed in a row is not seen")
    }
  }

  /// Rows by table: what a drill counted, else what the engine counts now, read-only and in place.
  package func tablesOfBackup(_ metadata: BackupMetadata?) throws -> [String: Int64] {
    let proof = ProofDirectory(of: backup.place.folder, files: files).proof(
      of: backup.name, checksums: metadata?.checksumsDigest
    )
    .value
    let tables: [TableFingerprint]
    if let proof, proof.isOK, proof.level == .drill, proof.tables.allSatisfy(\.isIdentified) {
      tables = proof.tables
    } else {
      let scratch = try Scratch(in: scratch, files: files)
      defer { scratch.remove() }
      let database = try backup.materialize(BackupLayout.database)
      let report = try EngineRun(files: files).run(
        EngineRequest(database: database.string, scratch: scratch.path.string, task: .count))
      if let problem = report.problems.first { throw EngineError.refused(words: problem.detail) }
      tables = report.tables
    }
    return Dictionary(
      tables.map { ($0.shortName, $0.rows) }
    ) { left, _ in left }
  }

  // MARK: - Runs

  private func compareRuns(_ store: FilePath, losses: inout Losses) {
    do {
      guard let stored = try backup.store().map({ try backup.materialize($0) }) else { return }
      losses.add("experiment", now: try runs(of: store, isLive: true), backup: try runs(of: stored, isLive: false))
    } catch {
      losses.notices.append(
        "runs were not compared: \(BackupError(error, doing: "reading MLflow's records").message)")
    }
  }

  private func runs(of store: FilePath, isLive: Bool) throws -> [String: Int64] {
    guard isLive else { return try StoreRuns(store, files: files).byExperiment(copyingTo: nil) }
    let scratch = try Scratch(in: scratch, files: files)
    defer { scratch.remove() }
    return try StoreRuns(store, files: files).byExperiment(copyingTo: scratch.path)
  }
}
