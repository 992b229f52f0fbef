import Foundation
import TestKit
import Testing

/// A backup that lacks a part of MLflow, which was gone when it was made.
@Suite("Incomplete backups")
struct IncompleteBackupTests {
  /// A complete backup and a newer one without `mlflow/mlruns`, which is there again.
  private func withLackingBackup(_ body: (RecoverSample, _ complete: String, _ lacking: String) throws -> Void) throws {
    try withRecoverSample { sample in
      let complete = try sample.backup()
      try sample.shell("mv mlflow/mlruns ../aside")
      let made = try sample.hrp("backup", "create", "--json")
      #expect(made.status == 3)
      let lacking = try #require(RecoverSample.object(made)["path"] as? String)
      try sample.shell("mv ../aside mlflow/mlruns")
      try body(sample, complete, lacking)
    }
  }

  private func hasModel(_ directory: String) -> Bool {
    FileManager.default.fileExists(atPath: directory + "/mlflow/mlruns/1/r1/artifacts/model/model.pkl")
  }

  @Test("it replaces nothing by itself: the refusal says what it lacks, and names the newest complete one")
  func refusal() throws {
    try withLackingBackup { sample, complete, _ in
      for words in [
        ["backup", "restore", "latest"], ["backup", "restore", "1", "--dry-run"], ["backup", "--restore", "1"],
      ] {
        let done = try run(Checkout.hrp, words + ["--data-dir", sample.data], in: sample.folder)
        #expect(done.status == 1 && done.errors.contains("/mlflow/mlruns was missing"), "\(words): \(done)")
        #expect(
          done.errors.contains(
            "The newest complete one is \(complete). To restore this one all the same: "),
          "\(words): \(done)")
        #expect(hasModel(sample.data))
      }
    }
  }

  @Test("it is restored to a new place with a warning, in place with --incomplete, and its database by itself")
  func asked() throws {
    try withLackingBackup { sample, _, lacking in
      let new = try sample.hrp("backup", "restore", lacking, "--target-dir", sample.folder + "/new")
      #expect(new.status == 0 && new.errors.contains("warning: this backup is incomplete"), "\(new)")
      let database = try sample.hrp("backup", "restore", lacking, "--only", "duckdb")
      #expect(database.status == 0 && hasModel(sample.data), "\(database)")
      let all = try sample.hrp("backup", "restore", lacking, "--incomplete")
      #expect(all.status == 0 && all.errors.contains("warning: this backup is incomplete"), "\(all)")
      #expect(!hasModel(sample.data))
      #expect(try sample.hrp("backup", "undo").status == 0)
      #expect(hasModel(sample.data))
    }
  }

  @Test("latest-valid passes it over, and says what the older one costs; for the database alone it is as good as any")
  func latestValid() throws {
    try withLackingBackup { sample, complete, lacking in
      let done = try sample.hrp("backup", "restore", "latest-valid", "--json")
      #expect(try RecoverSample.object(done)["path"] as? String == complete, "\(done)")
      #expect(done.errors.contains("newer and was not chosen: it lacks mlruns"), "\(done)")
      let database = try sample.hrp("backup", "restore", "latest-valid", "--only", "duckdb", "--json")
      #expect(try RecoverSample.object(database)["path"] as? String == lacking, "\(database)")
    }
  }

  @Test(
    "when a part of MLflow is gone, or all of it, recover restores a backup that has it", arguments: ["/mlruns", ""])
  func recover(part: String) throws {
    try withLackingBackup { sample, complete, _ in
      try sample.shell("rm -r mlflow\(part)")
      let plan = try sample.hrp("recover", "--json")
      let object = try RecoverSample.object(plan)
      #expect(object["scenario"] as? String == "damaged-mlflow", "\(plan)")
      #expect(object["backup"] as? String == complete && object["part"] as? String == "mlflow", "\(plan)")
      #expect(try sample.hrp("recover", "--apply").status == 0)
      #expect(hasModel(sample.data))
    }
  }

  @Test(
    "where newer backups have the database alone, recover takes the newest database, and MLflow from an older one next")
  func databaseAlone() throws {
    try withRecoverSample { sample in
      _ = try sample.backup()
      try sample.shell("rm -r mlflow")
      try sample.sql("INSERT INTO hypotheses VALUES ('HYP-9', 'new')")
      let lacking = try sample.hrp("backup", "create", "--json")
      #expect(lacking.status == 3)
      try sample.shell("rm hrp.duckdb*")
      let first = try sample.hrp("recover", "--apply", "--json")
      let object = try RecoverSample.object(first)
      #expect(object["part"] as? String == "duckdb", "\(first)")
      #expect(try object["backup"] as? String == RecoverSample.object(lacking)["path"] as? String, "\(first)")
      #expect(try sample.query("SELECT count(*) FROM hypotheses") == "3")
      let second = try sample.hrp("recover", "--apply")
      #expect(second.status == 0 && hasModel(sample.data), "\(second)")
      #expect(try sample.query("SELECT count(*) FROM hypotheses") == "3")
    }
  }

  @Test("a folder without runs that is gone is found, and no more once a complete backup was made without it")
  func removedForGood() throws {
    try withRecoverSample { sample in
      try sample.shell("mkdir mlflow/mlartifacts && echo 1 > mlflow/mlartifacts/notes")
      _ = try sample.backup()
      try sample.shell("rm -r mlflow/mlartifacts")
      let plan = try sample.hrp("recover")
      #expect(plan.output.contains("/mlflow/mlartifacts is gone, and backup_"), "\(plan)")
      let doctor = try sample.hrp("doctor").output
      #expect(doctor.contains("/mlflow/mlartifacts is gone, and backup_"), "\(doctor)")
      #expect(try sample.hrp("backup", "create", "-q").status == 3)
      #expect(try sample.hrp("recover").output.contains("/mlflow/mlartifacts is gone, and backup_"))
      #expect(try sample.hrp("backup", "create", "-q").status == 0)
      #expect(try RecoverSample.object(sample.hrp("recover", "--json"))["scenario"] as? String == "healthy")
    }
  }

  @Test("status says that MLflow has lost something, and that recover helps", arguments: ["/mlruns", ""])
  func lostPart(part: String) throws {
    try withRecoverSample { sample in
      _ = try sample.backup()
      try sample.shell("rm -r mlflow\(part)")
      let status = try sample.hrp("status")
      let words = part.isEmpty ? "there is no MLflow directory, and backup_" : "/mlflow/mlruns is gone, and backup_"
      #expect(
        status.status == 15 && status.output.contains(words) && status.output.contains("→ hrp recover"), "\(status)")
    }
  }

  @Test("status and doctor say that the newest backup is incomplete, and what it lacks")
  func told() throws {
    try withLackingBackup { sample, _, lacking in
      let name = try #require(lacking.split(separator: "/").last)
      let status = try sample.hrp("status").output
      #expect(status.contains("! The newest backup, \(name), is incomplete: "), "\(status)")
      let doctor = try sample.hrp("doctor").output
      #expect(doctor.contains("it is incomplete: \(sample.data)/mlflow/mlruns was missing"), "\(doctor)")
    }
  }
}
