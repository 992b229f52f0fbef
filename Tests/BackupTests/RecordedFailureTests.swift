import Backup
import DuckDBEngine
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import Synchronization
import SystemPackage
import TestKit
import Testing

/// A verification or a drill that found something leaves a trace, which other commands heed.
@Suite("Failures that are noted")
struct RecordedFailureTests {
  private func hrp(
    _ sample: SampleStack, _ arguments: [String], _ environment: [String: String] = [:]
  ) throws -> (status: Int32, output: String, errors: String) {
    let done = try run(
      Checkout.hrp, arguments + ["--data-dir", sample.data], in: sample.folder,
      environment: [
        "HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path
      ].merging(environment) { $1 })
    return (done.status, done.output, done.errors)
  }

  private func proof(_ sample: SampleStack, _ name: String) throws -> Proof? {
    try BackupDirectory(FilePath(sample.backups), files: Kernel()).list()
      .first { $0.name == FileName(name) }?.proof.value
  }

  private func latestValid(_ sample: SampleStack) throws -> String {
    try BackupDirectory(FilePath(sample.backups), files: Kernel())
      .find("latest-valid", time: SystemTime(), events: EventStream()).lastComponent?.string ?? ""
  }

  /// Changes a byte of a stored file, and gives back what puts it right.
  private func damage(_ result: CreateResult) throws -> () throws -> Void {
    let path = result.path + "/hrp.duckdb"
    try SampleStack.change(path) { $0[20_000] ^= 1 }
    return { try SampleStack.change(path) { $0[20_000] ^= 1 } }
  }

  @Test("a verification that fails is seen in list, doctor, rotate, and taken back by one that passes")
  func verification() throws {
    try withStack { sample in
      let older = try sample.create(), result = try sample.create()
      #expect(try hrp(sample, ["backup", "verify", "latest"]).status == 0)
      #expect(try proof(sample, result.name) == nil)
      let mend = try damage(result)
      #expect(try hrp(sample, ["backup", "verify", "latest", "--level", "checksums"]).status == 1)
      let noted = try #require(try proof(sample, result.name))
      #expect(!noted.isOK && noted.level == .checksums && noted.findings.first?.contains("hrp.duckdb") == true)
      #expect(try hrp(sample, ["backup", "list"]).output.contains("[verify failed "))
      #expect(
        try hrp(sample, ["backup", "list", "--json"]).output.replacing(" ", with: "").contains(#""state":"failed""#))
      let doctor = try hrp(sample, ["doctor"])
      #expect(doctor.output.contains("the verification of \(result.name) failed"), "\(doctor.output)")
      let time = ManualTime(now: SystemTime().nowNanoseconds + 40 * 86_400_000_000_000)
      let rotated = try Rotation(in: FilePath(sample.backups), files: Kernel(), time: time, events: EventStream())
        .run(keepingDays(30))
      #expect(rotated.deleted.isEmpty && rotated.kept.contains(result.name))
      try mend()
      #expect(try hrp(sample, ["backup", "verify", "latest"]).status == 0)
      #expect(try proof(sample, result.name) == nil)
      #expect(try latestValid(sample) == result.name && older.name != result.name)
    }
  }

  @Test("a drill that had passed counts again after a verification that failed was taken back")
  func passedDrill() throws {
    try withStack { sample in
      let result = try sample.create()
      #expect(try hrp(sample, ["backup", "drill"]).status == 0)
      let drilled = try #require(try proof(sample, result.name))
      let mend = try damage(result)
      #expect(try hrp(sample, ["backup", "verify", "latest"]).status == 1)
      #expect(try proof(sample, result.name)?.isOK == false)
      try mend()
      #expect(try hrp(sample, ["backup", "verify", "latest", "--level", "checksums"]).status == 0)
      // The failure was one of structure, which checksums do not take back.
      #expect(try proof(sample, result.name)?.isOK == false)
      #expect(try hrp(sample, ["backup", "verify", "latest"]).status == 0)
      #expect(try proof(sample, result.name) == drilled)
    }
  }

  @Test("a drill that failed stays noted when a verification passes, and is passed over by latest-valid")
  func failedDrill() throws {
    try withStack { sample in
      let older = try sample.create()
      try run(
        "/bin/sh",
        [
          "-c",
          """
          cd mlflow && sqlite3 mlflow.db "CREATE TABLE model_versions(name, version INTEGER, storage_location, status);
          INSERT INTO model_versions VALUES ('m', 1, '$PWD/mlruns/0/r1/lost', 'READY')"
          """,
        ], in: sample.data)
      let newer = try sample.create()
      #expect(try hrp(sample, ["backup", "drill"]).status == 1)
      #expect(try hrp(sample, ["backup", "verify", "latest"]).status == 0)
      #expect(try proof(sample, newer.name)?.isOK == false)
      #expect(try latestValid(sample) == older.name)
      #expect(try hrp(sample, ["backup", "list"]).output.contains("[drill failed "))
      #expect(try hrp(sample, ["doctor"]).output.contains("the drill of \(newer.name) failed"))
    }
  }

  @Test(
    "what is no fault of the backup is not noted: no engine, no rights, a full disk; a read-only place is a warning")
  func environment() throws {
    try withStack { sample in
      let result = try sample.create()
      for command in [["backup", "drill"], ["backup", "verify", "latest", "--level", "engine"]] {
        #expect(try hrp(sample, command, ["HRP_DUCKDB_LIBRARY": "/nowhere.so"]).status == 1)
        #expect(try proof(sample, result.name) == nil)
      }
      let verify = { (files: HookedFileSystem, events: EventStream) in
        try Verification(files: files, time: SystemTime(), events: events)
          .verify(FilePath(result.path), level: .checksums, isRecorded: true, files: files, andFromMemory: false)
      }
      let refused = HookedFileSystem(hook: { (call, path) throws(SystemError) in
        if call == "openat", path.hasSuffix("meta.yaml") {
          throw SystemError(call, errno: .permissionDenied, path: path)
        }
      })
      let report = try verify(refused, EventStream())
      #expect(!report.isOK && report.findings.first?.detail == "cannot be read: Permission denied")
      #expect(try proof(sample, result.name) == nil)
      _ = try damage(result)
      let readOnly = HookedFileSystem(hook: { (call, path) throws(SystemError) in
        if path.contains(".hrp-proofs"), call != "fstatat" {
          throw SystemError(call, errno: .readOnlyFileSystem, path: path)
        }
      })
      let said = Mutex<[String]>([])
      let events = EventStream().adding { event in
        if case .warning(let text) = event { said.withLock { $0.append(text) } }
      }
      #expect(try !verify(readOnly, events).isOK)
      #expect(said.withLock { $0 }.contains { $0.contains("could not be written down beside the backup") })
      #expect(try proof(sample, result.name) == nil)
    }
  }

  /// A program in the place of `hrp` that says of each checkpoint what a broken engine says, and else does as `hrp`.
  private func brokenEngine(_ sample: SampleStack, ending: String) throws -> [String: String] {
    let path = sample.folder + "/broken"
    let script = """
      #!\(Checkout.python)
      import json, os, subprocess, sys
      line = sys.stdin.buffer.readline()
      if json.loads(line)['checkpoints']:
          say = lambda reply: print(json.dumps(reply), flush=True)
          say({'engine': {'version': 'v2.0.1', 'library': 'x'}}); say({'stage': {'_0': 'checkpoint'}}); say({'at': {'_0': 'the checkpoint'}})
          \(ending)
      else:
          child = subprocess.Popen(['\(Checkout.hrp)', 'engine-child'], stdin=subprocess.PIPE)
          child.stdin.write(line); child.stdin.flush(); sys.exit(child.wait())
      """
    try Data(script.utf8).write(to: URL(fileURLWithPath: path))
    try run("/bin/chmod", ["+x", path])
    return ["HRP_EXECUTABLE": path]
  }

  @Test(
    "when only a checkpoint fails, the bytes are sound and the live database is in danger: such a backup comes last",
    arguments: [
      "say({'problem': {'name': 'the checkpoint', 'detail': 'FATAL Error: Corrupted ART index'}}); say({'done': {}})",
      "os.abort()",
    ])
  func checkpoint(ending: String) throws {
    try withStack { sample in
      let oldest = try sample.create(), older = try sample.create()
      let result = try sample.create()
      let broken = try brokenEngine(sample, ending: ending)
      let done = try hrp(sample, ["backup", "drill", "--json"], broken)
      let report = try #require(try JSONSerialization.jsonObject(with: Data(done.output.utf8)) as? [String: Any])
      #expect(done.status == 1 && report["state"] as? String == "checkpoint-failed", "\(done.output)\(done.errors)")
      let kinds = (report["findings"] as? [[String: Any]] ?? []).compactMap { $0["kind"] as? String }
      #expect(kinds == ["checkpoint"])
      let noted = try #require(try proof(sample, result.name))
      #expect(!noted.isOK && noted.isSound && noted.state == .checkpointFailed)
      #expect(try hrp(sample, ["backup", "list"]).output.contains("[sound, checkpoint failed "))
      #expect(try hrp(sample, ["doctor"]).output.contains("the live database may fail at its next one"))
      #expect(try hrp(sample, ["backup", "drill", older.name], broken).output.contains("The backup is sound"))
      // Behind one that nothing is known of, and offered when there is no other.
      #expect(try latestValid(sample) == oldest.name)
      _ = try { try SampleStack.change(oldest.path + "/hrp.duckdb") { $0[20_000] ^= 1 } }()
      #expect(try latestValid(sample) == result.name)
    }
  }
}
