internal import GRDB
package import SystemPackage

/// What a tracking database says is there: ids that others may refer to, and models that are ready to use.
package struct TrackingRecords: Sendable {
  /// Something whose artifacts must be there: what, and where its record says that they are.
  package struct Artifacts: Sendable {
    /// As words: "model prices, version 3".
    package let name: String
    package let location: String

    package init(name: String, location: String) {
      self.name = name
      self.location = location
    }
  }

  /// Ids of experiments and runs.
  package private(set) var ids: Set<String> = []
  /// Models and model versions that are ready; those being made are nobody's loss.
  package private(set) var ready: [Artifacts] = []
  /// Runs that are not deleted; a run may have no artifacts at all.
  package private(set) var runs: [Artifacts] = []
  /// Whether it has the tables of a tracking database.
  package private(set) var hasTables = false

  /// Reads a database that nobody writes to.
  ///
  /// Tables and columns are those of MLflow 2 and 3 (`mlflow/store/tracking/dbmodels/models.py`,
  /// `mlflow/store/model_registry/dbmodels/models.py`); what a version does not have is passed over.
  /// - Throws: `SQLiteError`.
  package init(_ database: FilePath) throws(SQLiteError) {
    self = try SQLiteFile.reading(database) { database in
      var records = TrackingRecords()
      for (table, column) in [("experiments", "experiment_id"), ("runs", "run_uuid")]
      where try Self.has(table, columns: [column], in: database) {
        let rows = try Row.fetchCursor(database, sql: "SELECT CAST(\(column) AS TEXT) FROM \(table)")
        while let row = try rows.next() { if let id: String = row[0] { records.ids.insert(id) } }
      }
      records.hasTables = try database.tableExists("experiments") && database.tableExists("runs")
      if try Self.has("runs", columns: ["run_uuid", "artifact_uri"], in: database) {
        let isHere =
          try Self.has("runs", columns: ["lifecycle_stage"], in: database) ? "lifecycle_stage IS NOT 'deleted'" : "true"
        try records.take(
          "SELECT 'run ' || run_uuid, artifact_uri FROM runs WHERE \(isHere)", in: database, into: \.runs)
      }
      if try Self.has("logged_models", columns: ["model_id", "artifact_location", "status"], in: database) {
        // 2 is READY (`LoggedModelStatus`).
        try records.take(
          "SELECT 'model ' || model_id, artifact_location FROM logged_models WHERE status = 2", in: database,
          into: \.ready)
      }
      if try Self.has("model_versions", columns: ["name", "version", "storage_location", "status"], in: database) {
        try records.take(
          "SELECT 'model ' || name || ', version ' || version, storage_location FROM model_versions "
            + "WHERE status = 'READY'", in: database, into: \.ready)
      }
      return records
    }
  }

  /// Experiments, runs and models that have this id or name; "deleted run" is one that MLflow has in its trash.
  /// - Throws: `SQLiteError`.
  package static func find(
    _ text: String, in database: FilePath
  ) throws(SQLiteError) -> [(kind: String, count: Int)] {
    let columns = [
      ("experiment", "experiments", ["experiment_id", "name"]), ("run", "runs", ["run_uuid", "name"]),
      ("model", "registered_models", ["name"]), ("model", "logged_models", ["model_id", "name"]),
    ]
    return try SQLiteFile.reading(database) { database in
      try columns.flatMap { kind, table, names -> [(kind: String, count: Int)] in
        guard try has(table, columns: names, in: database) else { return [] }
        let condition = names.map { "CAST(\($0) AS TEXT) = :text" }.joined(separator: " OR ")
        let count = { (filter: String) in
          try Int.fetchOne(
            database, sql: "SELECT count(*) FROM \(table) WHERE (\(condition))\(filter)", arguments: ["text": text])
            ?? 0
        }
        // What MLflow has deleted stays in its tables until it is collected.
        let hasStage = try has(table, columns: ["lifecycle_stage"], in: database)
        let here = try count(hasStage ? " AND lifecycle_stage IS NOT 'deleted'" : "")
        let deleted = hasStage ? try count(" AND lifecycle_stage IS 'deleted'") : 0
        return [(kind, here), ("deleted \(kind)", deleted)].filter { $0.1 > 0 }
      }
    }
  }

  /// How many runs there are, by the name of their experiment.
  /// - Throws: `SQLiteError`.
  package static func runsByExperiment(_ database: FilePath) throws(SQLiteError) -> [String: Int64] {
    try SQLiteFile.reading(database) { database in
      guard try has("experiments", columns: ["experiment_id", "name"], in: database),
        try has("runs", columns: ["run_uuid", "experiment_id"], in: database)
      else { return [:] }
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT e.name, count(r.run_uuid) FROM experiments e LEFT JOIN runs r ON r.experiment_id = e.experiment_id
          GROUP BY e.experiment_id
          """)
      return Dictionary(
        rows.map { (String.fromDatabaseValue($0[0]) ?? "", Int64.fromDatabaseValue($0[1]) ?? 0) }
      ) { $0 + $1 }
    }
  }

  private init() {}

  private static func has(_ table: String, columns: [String], in database: Database) throws -> Bool {
    guard try database.tableExists(table) else { return false }
    let names = Set(try database.columns(in: table).map(\.name))
    return columns.allSatisfy(names.contains)
  }

  private mutating func take(
    _ sql: String, in database: Database, into list: WritableKeyPath<Self, [Artifacts]>
  ) throws {
    let rows = try Row.fetchCursor(database, sql: sql)
    while let row = try rows.next() {
      if let name: String = row[0], let location: String = row[1], !location.isEmpty {
        self[keyPath: list].append(Artifacts(name: name, location: location))
      }
    }
  }
}
