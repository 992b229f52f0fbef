import Foundation
import TestKit
import Testing

/// What is wrong is said, and what is recommended can be relied on.
@Suite("Judging a stack on the worst day")
struct RecoverJudgementTests {
  @Test(
    "artifacts that MLflow's records name and a backup has are not gone without a word",
    arguments: [
      ("rm -r mlflow/mlruns", "mlflow/mlruns is gone"),
      ("rm -r mlflow/mlruns/1/r1/artifacts/model", "mlruns/1/r1/artifacts/model is gone"),
      ("rm mlflow/mlflow.db && sqlite3 mlflow/mlflow.db 'CREATE TABLE x(y)'", "none of MLflow's tables"),
      ("sqlite3 mlflow/mlflow.db 'DELETE FROM runs'", "MLflow holds no run, and backup_"),
    ])
  func lostArtifacts(harm: String, words: String) throws {
    try withRecoverSample { sample in
      _ = try sample.backup()
      #expect(try RecoverSample.object(sample.hrp("recover", "--json"))["scenario"] as? String == "healthy")
      try sample.shell(harm)
      let plan = try sample.hrp("recover")
      #expect(plan.output.contains("Scenario: the MLflow directory is missing or damaged"), "\(plan)")
      #expect(plan.output.contains(words), "\(plan)")
      let done = try sample.hrp("recover", "--apply")
      #expect(done.status == 0, "\(done)")
      #expect(FileManager.default.fileExists(atPath: sample.data + "/mlflow/mlruns/1/r1/artifacts/model/model.pkl"))
      #expect(try RecoverSample.object(sample.hrp("recover", "--json"))["scenario"] as? String == "healthy")
    }
  }

  @Test("runs that were deleted on purpose, and a single file, are no damage")
  func deletedOnPurpose() throws {
    try withRecoverSample { sample in
      _ = try sample.backup()
      try sample.shell(
        """
        sqlite3 mlflow/mlflow.db "UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = 'r2'"
        rm -r mlflow/mlruns/1/r2 mlflow/mlruns/1/r1/artifacts/metrics.json
        """)
      let plan = try sample.hrp("recover")
      #expect(plan.output.contains("Scenario: nothing was found that needs a restore"), "\(plan)")
      #expect(plan.output.contains("1 files of artifacts are gone"), "\(plan)")
    }
  }

  @Test("a database that a program made anew, without a table, is not called well")
  func emptied() throws {
    try withRecoverSample { sample in
      let backup = try sample.backup()
      try sample.shell("rm hrp.duckdb*")
      try sample.sql("SELECT 1")
      let plan = try RecoverSample.object(sample.hrp("recover", "--json"))
      #expect(plan["scenario"] as? String == "accidental-deletion" && plan["backup"] as? String == backup, "\(plan)")
      #expect(plan["part"] as? String == "duckdb")
    }
  }

  @Test("the plan says how old the backup is and what changes by it, and takes another one by name", .guide(83))
  func ageAndLosses() throws {
    try withRecoverSample { sample in
      let first = try sample.backup()
      _ = try sample.backup("--no-link")
      try sample.shell("sqlite3 mlflow/mlflow.db \"INSERT INTO runs VALUES ('r3', 'third', 1, 'active', '')\"")
      try sample.shell("rm -r mlflow/mlruns")
      let plan = try sample.hrp("recover")
      #expect(plan.output.contains(" s old\n") && plan.output.contains("experiment momentum: 3 now, 2 in the backup"))
      let name = String(first.split(separator: "/").last ?? "")
      let named = try RecoverSample.object(sample.hrp("recover", "--backup", name, "--json"))
      #expect(named["backup"] as? String == first && named["backup_timestamp"] as? String != nil)
      #expect((named["lost"] as? [Any])?.count == 1, "\(named)")
      #expect(try sample.hrp("recover", "--backup", "backup_19990101_000000").status == 10)
      try run("/bin/rm", ["-f", first + "/mlruns/mlruns/1/r1/artifacts/metrics.json"])
      let damaged = try sample.hrp("recover", "--backup", name)
      #expect(damaged.status == 1 && damaged.errors.contains("does not verify"), "\(damaged)")
    }
  }

  @Test("a backup whose drill failed is not recommended, and is not said to be there to be named")
  func failedDrill() throws {
    try withRecoverSample { sample in
      let first = try sample.backup()
      #expect(try sample.hrp("backup", "drill", first).status == 0)
      let second = try sample.backup("--no-link")
      #expect(try sample.hrp("backup", "drill", second).status == 0)
      let name = String(second.split(separator: "/").last ?? "")
      try run(
        "/bin/sh", ["-c", "sed -i 's/\"ok\" *: *true/\"ok\":false/' .hrp-proofs/\(name).json"],
        in: sample.data + "/backups")
      try Data(repeating: 7, count: 40_000).write(to: URL(fileURLWithPath: sample.data + "/hrp.duckdb"))
      let done = try sample.hrp("recover", "--json")
      #expect(try RecoverSample.object(done)["backup"] as? String == first, "\(done)")
      #expect(done.errors.contains("\(name) is passed over: its drill failed"), "\(done)")
      #expect(!done.output.contains("takes it as it is"), "\(done)")
    }
  }

  @Test("one bad byte in MLflow does not make the database unrecoverable, and the other way round")
  func otherPart() throws {
    try withRecoverSample { sample in
      let backup = try sample.backup()
      try run(
        "/bin/sh", ["-c", "chmod u+w model.pkl && printf X | dd of=model.pkl bs=1 conv=notrunc status=none"],
        in: backup + "/mlruns/mlruns/1/r1/artifacts/model")
      let whole = try sample.hrp("backup", "restore", backup, "--target-dir", sample.folder + "/new")
      #expect(whole.status == 1 && whole.errors.contains("--only duckdb"), "\(whole)")
      let only = try sample.hrp(
        "backup", "restore", backup, "--only", "duckdb", "--target-dir", sample.folder + "/new")
      #expect(only.status == 0 && only.errors.contains("damaged in what is not restored"), "\(only)")
      try Data(repeating: 7, count: 40_000).write(to: URL(fileURLWithPath: sample.data + "/hrp.duckdb"))
      let done = try sample.hrp("recover", "--apply")
      #expect(done.status == 0 && done.errors.contains("what is not restored from it is damaged"), "\(done)")
      #expect(try sample.query("SELECT count(*) FROM hypotheses") == "2")
    }
  }

  @Test("a drill that failed because of MLflow's files says nothing against the database")
  func failedDrillOfTheOtherPart() throws {
    try withRecoverSample { sample in
      let backup = try sample.backup()
      try run(
        "/bin/sh", ["-c", "chmod u+w model.pkl && printf X | dd of=model.pkl bs=1 conv=notrunc status=none"],
        in: backup + "/mlruns/mlruns/1/r1/artifacts/model")
      #expect(try sample.hrp("backup", "drill", backup).status == 1)
      try Data(repeating: 7, count: 40_000).write(to: URL(fileURLWithPath: sample.data + "/hrp.duckdb"))
      let done = try sample.hrp("recover", "--apply")
      #expect(done.status == 0, "\(done)")
      #expect(try sample.query("SELECT count(*) FROM hypotheses") == "2")
    }
  }

  @Test("where no backup is right as a whole, a right database is recommended")
  func onlyTheDatabase() throws {
    try withRecoverSample { sample in
      let backup = try sample.backup()
      try run("/bin/rm", ["-f", backup + "/mlruns/mlruns/1/r1/artifacts/model/model.pkl"])
      try run("/bin/sh", ["-c", "mv data/backups . && mv data gone"], in: sample.folder)
      let done = try run(
        Checkout.hrp,
        ["recover", "--apply", "--data-dir", sample.data, "--backup-dir", sample.folder + "/backups"],
        environment: ["HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path])
      #expect(done.status == 0 && done.output.contains("no backup is right as a whole"), "\(done)")
      #expect(try sample.query("SELECT count(*) FROM hypotheses") == "2")
    }
  }
}
