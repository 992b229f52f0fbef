import Foundation
import TestKit
import Testing

/// Scenario 2: what was deleted is found by comparing backups with the stack itself.
@Suite("Recovering what was deleted")
struct RecoverDeletionTests {
  @Test("a backup made after the deletion does not help, though another table in it still names the id")
  func namedElsewhere() throws {
    try withRecoverSample { sample in
      let first = try sample.backup()
      try sample.sql("DELETE FROM hypotheses WHERE hypothesis_id = 'HYP-1'")
      let second = try sample.backup()
      let found = try sample.hrp("backup", "find", "HYP-1")
      #expect(found.output.contains("lineage.hypothesis_id: 2"), "\(found)")
      let plan = try RecoverSample.object(sample.hrp("recover", "--missing", "HYP-1", "--json"))
      #expect(plan["backup"] as? String == first && first != second, "\(plan)")
      #expect(plan["part"] as? String == "duckdb")
      let missing = plan["missing"] as? [[String: Any]] ?? []
      #expect(missing.map { $0["place"] as? String } == ["hypotheses.hypothesis_id"])
      let done = try sample.hrp("recover", "--missing", "HYP-1", "--apply")
      #expect(done.status == 0 && done.output.contains("✓ Back: HYP-1 in hypotheses.hypothesis_id"), "\(done)")
      #expect(try sample.query("SELECT count(*) FROM hypotheses") == "2")
    }
  }

  @Test("what the stack has is not missing: nothing is restored")
  func notMissing() throws {
    try withRecoverSample { sample in
      _ = try sample.backup()
      try sample.sql("INSERT INTO lineage VALUES ('HYP-1', 3)")
      let done = try sample.hrp("recover", "--missing", "HYP-1", "--apply", "--json")
      let plan = try RecoverSample.object(done)
      #expect(done.status == 0 && plan["scenario"] as? String == "healthy" && plan["applied"] as? Bool == false)
      #expect(try sample.query("SELECT count(*) FROM lineage") == "4")
    }
  }

  @Test("rows that are fewer than they were are missing where nothing is gone as a whole")
  func fewerRows() throws {
    try withRecoverSample { sample in
      let first = try sample.backup()
      try sample.sql("DELETE FROM lineage WHERE step = 2")
      _ = try sample.backup()
      let plan = try RecoverSample.object(sample.hrp("recover", "--missing", "HYP-1", "--json"))
      #expect(plan["backup"] as? String == first, "\(plan)")
    }
  }

  @Test("a dropped table and a dropped column are found by name and come back", arguments: [true, false])
  func namesOfTables(isTable: Bool) throws {
    try withRecoverSample { sample in
      let first = try sample.backup()
      try sample.sql(isTable ? "DROP TABLE prices" : "ALTER TABLE prices DROP COLUMN close")
      _ = try sample.backup()
      let (text, place) = isTable ? ("prices", "table prices") : ("close", "column prices.close")
      let found = try sample.hrp("backup", "find", text)
      #expect(found.status == 0 && found.output.contains("\(place): 2"), "\(found)")
      let done = try sample.hrp("recover", "--missing", text, "--apply")
      #expect(done.status == 0 && done.output.contains("✓ Back: \(text) in \(place)"), "\(done)")
      #expect(done.output.contains("Backup: \(first)\n  of 20"), "\(done)")
      #expect(try sample.query("SELECT count(close) FROM prices") == "2")
    }
  }

  @Test("the newest backup that has it is damaged: it is named, and the one before it is taken")
  func damaged() throws {
    try withRecoverSample { sample in
      let first = try sample.backup()
      let second = try sample.backup("--no-link")
      try sample.sql("DELETE FROM hypotheses WHERE hypothesis_id = 'HYP-1'")
      // Damage that a look for the id does not meet, and a verification does.
      try run("/bin/sh", ["-c", "chmod u+w manifest.jsonl && echo x >> manifest.jsonl"], in: second)
      let done = try sample.hrp("recover", "--missing", "HYP-1", "--json")
      #expect(try RecoverSample.object(done)["backup"] as? String == first, "\(done)")
      let name = second.split(separator: "/").last ?? ""
      #expect(done.errors.contains("\(name) does not verify"), "\(done)")
    }
  }

  @Test("a run that MLflow deleted is said to be in its trash")
  func trash() throws {
    try withRecoverSample { sample in
      _ = try sample.backup()
      try sample.shell("sqlite3 mlflow/mlflow.db \"UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = 'r2'\"")
      let done = try sample.hrp("recover", "--missing", "r2")
      #expect(done.output.contains("mlflow runs restore --run-id r2"), "\(done)")
      #expect(done.output.contains("the database stays as it is"), "\(done)")
    }
  }

  @Test("a deleted file of MLflow is missing, and its part comes back", .timeLimit(.minutes(2)))
  func file() throws {
    try withRecoverSample { sample in
      _ = try sample.backup()
      try sample.shell("rm mlflow/mlruns/1/r2/artifacts/metrics.json")
      let done = try sample.hrp("recover", "--missing", "r2/artifacts/metrics.json", "--apply")
      #expect(done.status == 0 && done.output.contains("✓ Back:"), "\(done)")
      #expect(FileManager.default.fileExists(atPath: sample.data + "/mlflow/mlruns/1/r2/artifacts/metrics.json"))
    }
  }

  @Test("no view blinds find and recover: over a dropped table, over a file that is gone, going round for ever")
  func views() throws {
    try withRecoverSample { sample in
      try sample.sql(
        """
        COPY (SELECT 'HYP-9' AS hypothesis_id) TO 'gone.csv'; CREATE VIEW a AS SELECT * FROM 'gone.csv';
        CREATE TABLE dropped(hypothesis_id VARCHAR); CREATE VIEW b AS SELECT * FROM dropped; DROP TABLE dropped;
        CREATE VIEW c AS WITH RECURSIVE r(hypothesis_id) AS (SELECT 'x' UNION ALL SELECT hypothesis_id FROM r)
          SELECT * FROM r;
        """)
      try sample.shell("rm gone.csv")
      let backup = try sample.backup()
      let found = try sample.hrp("backup", "find", "HYP-1")
      #expect(found.status == 0 && found.output.contains("hypotheses.hypothesis_id: 1"), "\(found)")
      #expect(!found.errors.contains("not looked into"), "\(found)")
      #expect(try sample.hrp("backup", "find", "HYP-0").status == 10)
      try sample.sql("DELETE FROM hypotheses WHERE hypothesis_id = 'HYP-1'")
      let plan = try RecoverSample.object(sample.hrp("recover", "--missing", "HYP-1", "--json"))
      #expect(plan["backup"] as? String == backup, "\(plan)")
    }
  }
}
