import Backup
import DuckDBEngine
import Files
import Foundation
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

/// What reads a backup reads one that is no folder as well (`MemoryBackup`); `Verification.verify` of the tests does so
/// in every suite, `SampleStack.restore` in every suite that restores to a new place.
@Suite("A backup that is no folder")
struct StoredBackupTests {
  @Test("DuckDB reads the database that it is asked to put on a disk")
  func materialized() throws {
    try withStack { sample in
      let memory = try MemoryBackup(of: FilePath(sample.create().path))
      let database = try memory.materialize(BackupLayout.database)
      let report = try EngineRun(executable: FilePath(Checkout.hrp), files: Kernel()).run(
        EngineRequest(database: database.string, scratch: sample.folder))
      #expect(report.problems.isEmpty && !report.tables.isEmpty, "\(report)")
    }
  }

  @Test("one part of it is restored, and a dry run counts the same")
  func part() throws {
    try withStack { sample in
      let memory = try MemoryBackup(of: FilePath(sample.create().path))
      var request = RestoreRun.Request(part: .mlflow)
      let run = { (request: RestoreRun.Request) in
        try RestoreRun(
          memory, to: RestoreTarget(FilePath(sample.folder + "/new"), files: Kernel()), request: request,
          files: Kernel(), time: SystemTime(), events: EventStream()
        ).run()
      }
      request.isDryRun = true
      let planned = try run(request)
      request.isDryRun = false
      let done = try run(request)
      #expect(done.restored == ["mlruns/"] && planned.filesCount == done.filesCount)
      #expect(!FileManager.default.fileExists(atPath: sample.folder + "/new/hrp.duckdb"))
    }
  }

  @Test("damage of it stops a restore before anything is visible")
  func damage() throws {
    try withStack { sample in
      let backup = try sample.create().path
      try SampleStack.change(backup + "/mlruns/mlruns/0/r1/artifacts/model.pkl") { $0[0] ^= 1 }
      let memory = try MemoryBackup(of: FilePath(backup))
      #expect(throws: RestoreRun.Damaged.self) {
        try RestoreRun(
          memory, to: RestoreTarget(FilePath(sample.folder + "/new"), files: Kernel()), files: Kernel(),
          time: SystemTime(), events: EventStream()
        ).run()
      }
      #expect(!FileManager.default.fileExists(atPath: sample.folder + "/new"))
    }
  }

  @Test("what it holds is counted as in a folder")
  func contents() throws {
    try withStack { sample in
      let path = FilePath(try sample.create().path)
      let (folder, memory) = try (DirectoryBackup(path, files: Kernel()), MemoryBackup(of: path))
      let parts = { (backup: any StoredBackup) in
        try BackupContents(backup).parts.map { "\($0.name) \($0.files) \($0.bytes)" }
      }
      #expect(try parts(folder) == parts(memory))
    }
  }
}
