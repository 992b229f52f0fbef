import Foundation
import TestKit
import Testing

/// A research stack in a temporary folder, harmed and recovered by the built program.
struct RecoverSample {
  let folder: String
  var data: String { folder + "/data" }

  /// Two hypotheses that another table names as well, and an MLflow store with two finished runs that have artifacts.
  init(in folder: String) throws {
    self.folder = folder
    try sql(
      """
      CREATE TABLE hypotheses(hypothesis_id VARCHAR, title VARCHAR);
      INSERT INTO hypotheses VALUES ('HYP-1', 'a'), ('HYP-2', 'b');
      CREATE TABLE lineage(hypothesis_id VARCHAR, step INTEGER);
      INSERT INTO lineage VALUES ('HYP-1', 1), ('HYP-1', 2), ('HYP-2', 1);
      CREATE TABLE prices(symbol VARCHAR, close DOUBLE); INSERT INTO prices VALUES ('AAPL', 1.5), ('MSFT', 2.5);
      """)
    try shell(
      """
      mkdir -p mlflow/mlruns/1/r1/artifacts/model mlflow/mlruns/1/r2/artifacts && cd mlflow
      sqlite3 mlflow.db "CREATE TABLE experiments(experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT);
        CREATE TABLE runs(run_uuid TEXT, name TEXT, experiment_id INTEGER, lifecycle_stage TEXT, artifact_uri TEXT);
        INSERT INTO experiments VALUES (1, 'momentum', '$PWD/mlruns/1');
        INSERT INTO runs VALUES ('r1', 'first', 1, 'active', '$PWD/mlruns/1/r1/artifacts'),
          ('r2', 'second', 1, 'active', '$PWD/mlruns/1/r2/artifacts')"
      echo weights > mlruns/1/r1/artifacts/model/model.pkl && echo 1 > mlruns/1/r1/artifacts/metrics.json
      echo 2 > mlruns/1/r2/artifacts/metrics.json
      """)
  }

  func sql(_ statements: String) throws {
    try run("/bin/mkdir", ["-p", data])
    try Engine("2.0.1").run(
      "c = duckdb.connect('hrp.duckdb'); c.execute('''\(statements) '''); c.close()", in: data)
  }

  func shell(_ script: String) throws { try run("/bin/sh", ["-e", "-c", script], in: data) }

  func query(_ sql: String) throws -> String { try Engine("2.0.1").query("hrp.duckdb", sql, in: data) }

  func hrp(_ words: String..., environment: [String: String] = [:]) throws -> Finished {
    try run(
      Checkout.hrp, words + ["--data-dir", data], in: folder,
      environment: ["HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path]
        .merging(environment) { $1 })
  }

  /// A backup: its path.
  func backup(_ options: String...) throws -> String {
    let done = try run(
      Checkout.hrp, ["backup", "create", "--json", "--data-dir", data] + options, in: folder)
    return try #require(Self.object(done)["path"] as? String, "\(done)")
  }

  static func object(_ finished: Finished) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any]
    return try #require(object, "\(finished)")
  }
}

/// Runs the body with a fresh stack.
func withRecoverSample<Result>(_ body: (RecoverSample) throws -> Result) throws -> Result {
  try withTemporaryFolder { try body(RecoverSample(in: $0)) }
}
