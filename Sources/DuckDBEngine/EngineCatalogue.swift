internal import Files

/// What the database of a session holds, by the engine's own numbers: names alone do not tell two apart.
///
/// Runs in the child. Everything is asked for with the built-in functions first: a macro of the user's may have the
/// name of one.
struct EngineCatalogue {
  struct Table {
    /// The engine's number.
    let number: String
    let path: TablePath
    /// The name in SQL, from the database on.
    let place: String
    /// A name that no column of it has.
    let alias: String
    /// Whether `rowid` means the engine's own number of a row, and no column of the user's.
    let hasRowNumbers: Bool
  }

  private let session: EngineSession
  /// The database, as a name in SQL.
  let database: String
  /// The same, as a text in SQL.
  let databaseText: String
  /// The parts of each schema, by its number.
  private let schemas: [String: [String]]

  /// Reads the schemas, and puts the engine's own functions before the user's.
  init(_ session: EngineSession) throws(EngineSession.Failure) {
    self.session = session
    try session.run("SET search_path = 'system.main'")
    let name = try session.rows("SELECT database_name FROM duckdb_databases() WHERE NOT internal").first?.first
    guard let name else { throw EngineSession.Failure(words: "the engine reports no database") }
    database = SQLText.name(name)
    databaseText = SQLText.literal(name)
    try session.run("SET search_path = \(SQLText.literal("system.main,\(database).main"))")
    schemas = try Self.schemas(session, database: databaseText)
  }

  /// Since 2.0 a schema may be within another.
  private static func schemas(
    _ session: EngineSession, database: String
  ) throws(EngineSession.Failure) -> [String: [String]] {
    let isNested = try session.rows(
      "SELECT 'yes' FROM (DESCRIBE SELECT * FROM duckdb_schemas()) WHERE column_name = 'parent_schema_oid'")
    let parent = isNested.isEmpty ? "''" : "coalesce(parent_schema_oid::VARCHAR, '')"
    let rows = try session.rows(
      "SELECT oid::VARCHAR, schema_name, \(parent) FROM duckdb_schemas() WHERE database_name = \(database)")
    let known = Dictionary(rows.map { ($0[0], (name: $0[1], parent: $0[2])) }) { left, _ in left }
    return known.mapValues { schema in
      var parts = [schema.name]
      var parent = schema.parent
      // In a damaged catalog of DuckDB, the parents may form a circle.
      while let outer = known[parent], parts.count <= known.count {
        parts.insert(outer.name, at: 0)
        parent = outer.parent
      }
      return parts
    }
  }

  /// The tables, in the order of their parts.
  func tables() throws(EngineSession.Failure) -> [Table] {
    let reserved = try session.rows(
      """
      SELECT DISTINCT table_oid::VARCHAR, lower(column_name) FROM duckdb_columns() WHERE database_name = \(databaseText)
      AND (lower(column_name) = 'rowid' OR lower(column_name) LIKE 'hrp row%')
      """)
    let columns = Dictionary(grouping: reserved) { $0[0] }.mapValues { Set($0.map { $0[1] }) }
    var tables: [Table] = []
    for row in try named("duckdb_tables()", column: "table_name", number: "table_oid") {
      var alias = "hrp row"
      while columns[row.number]?.contains(alias) == true { alias += "_" }
      tables.append(
        Table(
          number: row.number, path: row.path, place: place(of: row.path), alias: SQLText.name(alias),
          hasRowNumbers: columns[row.number]?.contains("rowid") != true))
    }
    return tables
  }

  /// The views, in the order of their parts.
  func views() throws(EngineSession.Failure) -> [TablePath] {
    try named("duckdb_views()", column: "view_name", number: "view_oid").map(\.path)
  }

  /// The name in SQL, from the database on: a schema may be called like the database.
  func place(of path: TablePath) -> String {
    ([database] + path.parts.map { SQLText.name($0) }).joined(separator: ".")
  }

  /// What is in a schema, by the schema's number; nil when there is no such schema.
  func path(schema: String, name: String) -> TablePath? { schemas[schema].map { TablePath($0 + [name]) } }

  private func named(
    _ function: String, column: String, number: String
  ) throws(EngineSession.Failure) -> [(number: String, path: TablePath)] {
    let rows = try session.rows(
      "SELECT \(number)::VARCHAR, schema_oid::VARCHAR, \(column) FROM \(function) "
        + "WHERE NOT internal AND NOT temporary AND database_name = \(databaseText)")
    var named: [(number: String, path: TablePath)] = []
    for row in rows {
      guard let path = path(schema: row[1], name: row[2]) else {
        throw EngineSession.Failure(words: "\(row[2]) is in a schema that is not there")
      }
      named.append((row[0], path))
    }
    return named.sorted { $0.path < $1.path }
  }
}
