import Files
import Foundation
import MLflow
import SystemPackage
import TestKit
import Testing

/// B10: databases that a stranger made.
@Suite("SQLite databases of strangers")
struct GuardTests {
  private static let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

  private func withDatabase(_ sql: String, _ body: (FilePath) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let tables = """
        CREATE TABLE experiments(experiment_id, name, artifact_location);
        CREATE TABLE runs(run_uuid, experiment_id, artifact_uri); CREATE TABLE tags(key, value, run_uuid);
        INSERT INTO experiments VALUES (0, 'x', '/old/0'); INSERT INTO runs VALUES ('r', 0, '/old/0/r');
        """
      let done = try run("/usr/bin/sqlite3", ["mlflow.db", tables + sql], in: folder)
      #expect(done.status == 0, "\(done.errors)")
      return try body(FilePath(folder + "/mlflow.db"))
    }
  }

  private var relocation: Relocation { Relocation([(old: "/old", new: "/new")]) }

  @Test("a trigger does not run when locations are rewritten, and is still there after it")
  func trigger() throws {
    let trigger =
      "CREATE TRIGGER t AFTER UPDATE ON runs BEGIN SELECT * FROM (\(Self.endless)); DELETE FROM experiments; END"
    try withDatabase(trigger) { path in
      let done = try TrackingRelocation.run(relocation, on: path)
      #expect(done.rewritten.map(\.count) == [1, 1])
      let sql = "SELECT count(*) FROM experiments; SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"
      #expect(try run("/usr/bin/sqlite3", [path.string, sql]).output == "1\n1\n")
    }
  }

  @Test("a view in the place of a table is not read", arguments: ["runs", "experiments", "tags"])
  func view(table: String) throws {
    let view = "ALTER TABLE \(table) RENAME TO t; CREATE VIEW \(table) AS SELECT t.*, n.* FROM t, (\(Self.endless)) n"
    try withDatabase(view) { path in
      _ = try? TrackingRelocation.run(relocation, on: path)
      _ = try? TrackingRecords.runsByExperiment(path)
      _ = try? TrackingRecords(path)
    }
  }

  @Test("an expression of the schema that works on and on is stopped")
  func slowColumn() throws {
    let slow = """
      DROP TABLE runs; PRAGMA ignore_check_constraints = 1; CREATE TABLE runs(run_uuid, experiment_id, artifact_uri
        CHECK (length(hex(zeroblob(20000000 + length(artifact_uri)))) > 0));
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        INSERT INTO runs SELECT i, 0, '/old/' || i FROM n
      """
    try withDatabase(slow) { path in
      #expect { try TrackingRelocation.run(relocation, on: path) } throws: {
        ($0 as? SQLiteError)?.message.contains("works on") == true
      }
    }
  }

  @Test("a value that is longer than any of MLflow's is refused, not read into memory")
  func longValue() throws {
    try withDatabase("INSERT INTO runs VALUES ('x', 0, '/old/' || hex(zeroblob(40000000)))") { path in
      #expect { try TrackingRelocation.run(relocation, on: path) } throws: { ($0 as? SQLiteError)?.resultCode == 18 }
    }
  }
}
