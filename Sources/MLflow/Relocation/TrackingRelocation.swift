private import Files
internal import GRDB
package import SystemPackage

/// Rewrites the locations in a tracking database that nobody uses yet.
package enum TrackingRelocation {
  /// Locations by table and column (`mlflow/store/tracking/dbmodels/models.py` and `model_registry`, 2.x and 3.x).
  private static let columns = [
    ("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"), ("model_versions", "source"),
    ("workspaces", "default_artifact_root"), ("workspaces", "trace_archival_location"),
  ]
  /// What users wrote: never rewritten, its hits are told.
  private static let userColumns = [
    ("params", "value"), ("tags", "value"), ("datasets", "dataset_source"), ("experiment_tags", "value"),
    ("logged_model_params", "param_value"), ("logged_model_tags", "tag_value"),
  ]

  /// No location is longer: a path has 4,096 bytes, each of which a URI may write as three.
  private static let maximumLocationLength = 16_384
  /// Longer texts are data, in which nobody looks for a place.
  private static let maximumValueLength = 1 << 20

  /// What was done to one database.
  package struct Result: Sendable {
    /// How many values were rewritten, by "table.column".
    package var rewritten: [(place: String, count: Int)] = []
    /// How many locations name what did not come with the backup, and are as they were.
    package var left = 0
    /// How many of the users' own values mention the old place.
    package var mentioned = 0
  }

  /// Rewrites in one transaction.
  /// - Throws: `SQLiteError`; then nothing was rewritten.
  package static func run(_ relocation: Relocation, on path: FilePath) throws(SQLiteError) -> Result {
    try SQLiteFile.writing(path) { database in
      let rewrite = DatabaseFunction("hrp_rewrite", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0]).flatMap { relocation.rewrite($0) }
      }
      let mentions = DatabaseFunction("hrp_mentions", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0]).map { relocation.isMentioned(in: $0) } ?? false
      }
      database.add(function: rewrite)
      let leaves = DatabaseFunction("hrp_leaves", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0]).map { relocation.leaves($0) } ?? false
      }
      database.add(function: mentions)
      database.add(function: leaves)
      var result = Result()
      for (table, column) in columns where try has(table, column: column, in: database) {
        result.left +=
          try Int.fetchOne(
            database,
            sql: """
              SELECT count(*) FROM \(table)
              WHERE CASE WHEN length(\(column)) <= \(maximumLocationLength) THEN hrp_leaves(\(column)) END
              """) ?? 0
        try update(table, column: column, filter: "", result: &result, in: database)
      }
      if try has("trace_tags", column: "value", in: database) {
        try update(
          "trace_tags", column: "value",
          filter: " AND key IN ('mlflow.artifactLocation', 'mlflow.trace.archiveLocation')", result: &result,
          in: database)
      }
      for (table, column) in userColumns where try has(table, column: column, in: database) {
        result.mentioned +=
          try Int.fetchOne(
            database,
            sql: """
              SELECT count(*) FROM \(table)
              WHERE CASE WHEN length(\(column)) <= \(maximumValueLength) THEN hrp_mentions(\(column)) END
              """) ?? 0
      }
      return result
    }
  }

  private static func update(
    _ table: String, column: String, filter: String, result: inout Result, in database: Database
  ) throws {
    try database.execute(
      sql: """
        UPDATE \(table) SET \(column) = hrp_rewrite(\(column))
        WHERE CASE WHEN length(\(column)) <= \(maximumLocationLength) THEN hrp_rewrite(\(column)) END IS NOT NULL
          \(filter)
        """)
    if database.changesCount > 0 { result.rewritten.append(("\(table).\(column)", database.changesCount)) }
  }

  private static func has(_ table: String, column: String, in database: Database) throws -> Bool {
    try database.tableExists(table) && database.columns(in: table).contains { $0.name == column }
  }
}
