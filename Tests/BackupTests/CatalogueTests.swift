import Backup
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

/// C1 to C3: an index and a history that nothing depends on.
@Suite("The catalogue")
struct CatalogueTests {
  private func open(_ sample: SampleStack) throws -> Catalogue {
    try Catalogue(
      in: sample.stack.dataDirectory, backups: sample.stack.backupDirectory, files: Kernel(), time: SystemTime())
  }

  private func hrp(_ sample: SampleStack, _ arguments: [String]) throws -> Finished {
    try run(Checkout.hrp, ["backup"] + arguments + ["--data-dir", sample.data], in: sample.folder)
  }

  @Test("every operation is a job: done, or failed with its code", .guide(105))
  func jobs() throws {
    try withStack { sample in
      let database = try Data(contentsOf: URL(fileURLWithPath: sample.data + "/hrp.duckdb"))
      #expect(try hrp(sample, ["create"]).status == 0)
      #expect(try hrp(sample, ["verify", "latest"]).status == 0)
      #expect(try hrp(sample, ["restore", "latest", "--include", "mlruns/x"]).status != 0)
      let jobs = try open(sample).jobs(limit: 10)
      let failed = try #require(jobs.first)
      #expect(failed.operation == "backup restore" && failed.status == .failed)
      #expect(failed.code == "restore.include-not-found")
      #expect(
        jobs.map { "\($0.operation) \($0.status)" }.suffix(2) == ["backup verify completed", "backup create completed"])
      #expect(jobs.allSatisfy { $0.endedAt != nil && $0.beganAt <= $0.endedAt ?? "" })
      #expect(try Data(contentsOf: URL(fileURLWithPath: sample.data + "/hrp.duckdb")) == database)
    }
  }

  @Test("C2: a damaged one is set aside, made anew from the backups, and says that history is gone")
  func damaged() throws {
    try withStack { sample in
      #expect(try hrp(sample, ["create"]).status == 0)
      let path = sample.data + "/hrp-catalogue.db"
      for bytes in [
        Data(repeating: 9, count: 40_000), Data("SQLite format 3\0".utf8) + Data(repeating: 1, count: 9000),
      ] {
        try bytes.write(to: URL(fileURLWithPath: path))
        let done = try hrp(sample, ["verify", "latest"])
        #expect(done.status == 0 && done.errors.contains("the history of jobs begins anew"), "\(done)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path + ".damaged")) == bytes)
        let catalogue = try open(sample)
        #expect(catalogue.loss == nil)
        #expect(try catalogue.known(in: sample.stack.backupDirectory).paths.first?.hasPrefix(sample.backups) == true)
        #expect(try catalogue.jobs(limit: 9).map(\.operation) == ["backup verify"])
      }
    }
  }

  @Test("C2: a lost one too; where there are no backups yet, nothing was lost")
  func lost() throws {
    try withStack { sample in
      #expect(try open(sample).loss == nil)
      _ = try sample.create()
      try FileManager.default.removeItem(atPath: sample.data + "/hrp-catalogue.db")
      #expect(try open(sample).loss?.contains("begins now") == true)
      #expect(try open(sample).loss == nil)
    }
  }

  @Test("C1: what cannot be written stops no backup, and the list does not look at it")
  func unwritable() throws {
    try withStack { sample in
      try run("/bin/mkdir", [sample.data + "/hrp-catalogue.db"])
      #expect(try hrp(sample, ["create"]).status == 0)
      #expect(try hrp(sample, ["list"]).output.contains("1. backup_"))
    }
  }

  @Test("a job whose process is gone was interrupted")
  func interrupted() throws {
    try withStack { sample in
      _ = try hrp(sample, ["create"])
      try run(
        "/usr/bin/sqlite3",
        [sample.data + "/hrp-catalogue.db", "UPDATE job SET status = 'running', pid = 4194305, ended_at = NULL"])
      #expect(try open(sample).jobs(limit: 1).map(\.status) == [.interrupted])
    }
  }

  @Test("the doctor remembers a backup directory that is not mounted")
  func unmounted() throws {
    try withStack { sample in
      #expect(try hrp(sample, ["create"]).status == 0)
      try run("/bin/mv", [sample.backups, sample.folder + "/away"])
      let done = try run(Checkout.hrp, ["doctor", "--data-dir", sample.data], in: sample.folder)
      #expect(done.status == 1 && done.output.contains("its newest backup was \(sample.backups)/backup_"))
    }
  }
}
