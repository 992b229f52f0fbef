import Backup
import Calendars
import Files
import Foundation
import Jobs
import MLflow
import Retention
import Settings
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

/// A small stack in a temporary folder, and the calls of the engine on it.
struct SampleStack {
  let folder: String
  let stack: Stack
  var data: String { folder + "/data" }
  var backups: String { data + "/backups" }

  /// A database of 1,000 rows with a log, and a small MLflow directory.
  init(in folder: String, engine: Engine = Engine("2.0.1")) throws {
    self.folder = folder
    try run("/bin/mkdir", ["-p", "data/mlflow/mlruns/0/r1/artifacts"], in: folder)
    try engine.run(
      """
      c = duckdb.connect('data/hrp.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
      c.execute('CREATE TABLE t AS SELECT range i FROM range(900)'); c.execute('CHECKPOINT')
      c.execute('INSERT INTO t SELECT range FROM range(900, 1000)'); os._exit(0)
      """, in: folder)
    try run(
      "/bin/sh",
      [
        "-c",
        """
        cd data/mlflow && sqlite3 mlflow.db "CREATE TABLE runs(run_uuid, artifact_uri); INSERT INTO runs VALUES ('r1', '$PWD/mlruns/0/r1/artifacts')" && printf 'name: x\\n' > mlruns/0/meta.yaml && printf model > mlruns/0/r1/artifacts/model.pkl && chmod 600 mlruns/0/meta.yaml && mkdir mlruns/.trash && touch -d '2026-01-02 03:04:05.678' mlruns/0/r1/artifacts/model.pkl mlruns/.trash
        """,
      ], in: folder)
    var settings = StackSettings()
    settings.dataDirectory = folder + "/data"
    settings.databasePath = nil
    settings.backupDirectory = nil
    settings.trackingURI = nil
    stack = Stack(settings)
  }

  func create(
    files: any FileSystem = Kernel(), time: any TimeSource = SystemTime(), events: EventStream = EventStream()
  ) throws -> CreateResult {
    try BackupRun(stack, includesMLflow: true, files: files, time: time, events: events).run()
  }

  func verify(_ path: String, level: VerificationLevel = .structure) throws -> VerificationReport {
    try Verification(files: Kernel(), time: SystemTime(), events: EventStream()).verify(FilePath(path), level: level)
  }

  func restore(
    _ path: String, to target: String, files: any FileSystem = Kernel(), part: StackPart? = nil, isDryRun: Bool = false
  ) throws -> RestoreResult {
    var request = RestoreRun.Request(part: part)
    request.isDryRun = isDryRun
    let isNew = !FileManager.default.fileExists(atPath: target)
    let result = try RestoreRun(
      FilePath(path), to: RestoreTarget(FilePath(target), files: files), request: request, protecting: stack.protected,
      files: files, time: SystemTime(), events: EventStream()
    ).run()
    if isNew, !isDryRun, files is Kernel { try restoreFromMemory(path, to: target, request: request) }
    return result
  }

  /// Restores to the same place out of memory, and compares: what comes out of a folder comes out of any place.
  private func restoreFromMemory(_ path: String, to target: String, request: RestoreRun.Request) throws {
    guard let memory = try? MemoryBackup(of: FilePath(path)) else { return }
    let aside = target + ".from-folder"
    let hasManifest = FileManager.default.fileExists(atPath: path + "/manifest.jsonl")
    try FileManager.default.moveItem(atPath: target, toPath: aside)
    _ = try RestoreRun(
      memory, to: RestoreTarget(FilePath(target), files: Kernel()), request: request, protecting: stack.protected,
      files: Kernel(), time: SystemTime(), events: EventStream()
    ).run()
    // The folder itself is as new as its restore, and so is a tracking database whose locations were rewritten.
    let lines = { (path: String) in
      try Self.listing(of: path).split(separator: "\n").filter {
        !$0.hasSuffix(" .") && !($0.hasPrefix("f ") && $0.hasSuffix("/mlflow.db"))
          // A backup of the Python tool does not say when its folders changed.
          && (hasManifest || !$0.hasPrefix("d "))
      }
    }
    let (fromMemory, fromFolder) = try (lines(target), lines(aside))
    #expect(fromMemory == fromFolder, "\(Set(fromMemory).symmetricDifference(fromFolder).sorted())")
    try run("/bin/rm", ["-rf", target])
    try FileManager.default.moveItem(atPath: aside, toPath: target)
  }

  /// Everything in a folder: kind, permissions, time, size or target, and name of each entry.
  static func listing(of path: String) throws -> String {
    try run(
      "/bin/sh",
      [
        "-c",
        "find . -printf '%y %m %T@ %s %l %p\\n' | LC_ALL=C sort -k 6; find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum",
      ], in: path
    ).output
  }

  /// Makes a published file writable, changes it, and makes it read-only again.
  static func change(_ path: String, _ body: (inout Data) -> Void) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    body(&bytes)
    try FileManager.default.removeItem(atPath: path)
    try bytes.write(to: URL(fileURLWithPath: path))
  }
}

/// Runs the body with a fresh stack.
func withStack<Result>(engine: Engine = Engine("2.0.1"), _ body: (SampleStack) throws -> Result) throws -> Result {
  try withTemporaryFolder { try body(SampleStack(in: $0, engine: engine)) }
}

/// The rules of `--keep-days`.
/// - Throws: `RetentionPolicyError`.
func keepingDays(_ days: Int) throws -> RetentionSettings {
  RetentionSettings(policy: try RetentionPolicy(keepDays: days), zone: .standard)
}
