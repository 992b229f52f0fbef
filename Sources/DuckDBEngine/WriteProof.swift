internal import Files

/// Checks on a scratch copy what only a writing connection can show: that the indexes are complete and work.
///
/// Runs in the child. A scan reads no block of an index. Here a key that is there must be refused, and sampled rows
/// must be found for deletion and go in again, after which the table must read as before.
final class WriteProof {
  /// How many stretches of neighbouring rows are deleted from each table and inserted again; they are spread evenly.
  ///
  /// Neighbours share blocks of the index, so a table of any size costs the same memory.
  private static let stretches: Int64 = 10
  private static let stretchRows: Int64 = 100

  private let session: EngineSession
  private let tell: (EngineReply) -> Void
  /// Whether the engine has given up this database: then every further error only repeats that.
  private var isDead = false

  init(session: EngineSession, tell: @escaping (EngineReply) -> Void) {
    self.session = session
    self.tell = tell
  }

  /// - Returns: whether the database can still be used.
  func run(_ fingerprints: [TableFingerprint]) throws(EngineSession.Failure) -> Bool {
    let catalogue = try EngineCatalogue(session)
    let before = Dictionary(fingerprints.map { ($0.path, $0) }) { left, _ in left }
    let tables = try catalogue.tables().compactMap { table in before[table.path].map { (table: table, before: $0) } }
    let triggered = try removeTriggers(catalogue)
    let referenced = Set(
      try session.rows(
        """
        SELECT DISTINCT schema_oid::VARCHAR, referenced_table FROM duckdb_constraints()
        WHERE constraint_type = 'FOREIGN KEY' AND database_name = \(catalogue.databaseText)
        """
      ).compactMap { catalogue.path(schema: $0[0], name: $0[1]) })
    let indexed = Dictionary(
      try session.rows(
        """
        SELECT table_oid::VARCHAR, bool_or(is_key)::INTEGER::VARCHAR FROM (
          SELECT table_oid, true AS is_key FROM duckdb_constraints()
          WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND database_name = \(catalogue.databaseText)
          UNION ALL SELECT table_oid, is_unique FROM duckdb_indexes()
          WHERE database_name = \(catalogue.databaseText))
        GROUP BY table_oid
        """
      ).map { ($0[0], $0[1] == "1") }
    ) { $0 || $1 }
    try IndexProof(session: session, tell: tell).run(tables, catalogue: catalogue)
    for (table, before) in tables where !isDead && before.rows > 0 {
      guard let isKey = indexed[table.number] else { continue }
      tell(.at("the indexes of \(table.path.text)"))
      guard table.hasRowNumbers, !triggered.contains(table.path) else {
        tell(.notice("the indexes of \(table.path.text) were not tried by writing"))
        continue
      }
      let takesRows = isKey ? refuseDuplicate(table) : true
      // Rows that other tables refer to cannot be deleted, and that is right.
      if takesRows, !referenced.contains(table.path) { putBack(before, table: table) }
    }
    return !isDead
  }

  /// Removes the user's triggers (DuckDB 2.0) from the scratch copy, so that they do not fire here.
  ///
  /// - Returns: the tables whose triggers cannot be removed.
  private func removeTriggers(_ catalogue: EngineCatalogue) throws(EngineSession.Failure) -> Set<TablePath> {
    let isKnown = try session.rows(
      "SELECT function_name FROM duckdb_functions() WHERE function_name = 'duckdb_triggers' LIMIT 1")
    guard !isKnown.isEmpty else { return [] }
    let triggers = try session.rows(
      "SELECT trigger_name, schema_oid::VARCHAR, table_name FROM duckdb_triggers() "
        + "WHERE database_name = \(catalogue.databaseText)")
    var left: Set<TablePath> = []
    for trigger in triggers {
      guard let path = catalogue.path(schema: trigger[1], name: trigger[2]) else { continue }
      do throws(EngineSession.Failure) {
        try session.run("DROP TRIGGER \(SQLText.name(trigger[0])) ON \(catalogue.place(of: path))")
      } catch {
        left.insert(path)
      }
    }
    return left
  }

  /// - Returns: whether the table takes whole rows at all.
  private func refuseDuplicate(_ table: EngineCatalogue.Table) -> Bool {
    do throws(EngineSession.Failure) {
      try session.run("INSERT INTO \(table.place) SELECT * FROM \(table.place) LIMIT 1")
      tell(.problem(name: "index of \(table.path.text)", detail: "it took a key that is there already"))
      return true
    } catch {
      if error.words.contains("onstraint") { return true }
      note(table.path.text, error: error)
      return false
    }
  }

  private func putBack(_ before: TableFingerprint, table: EngineCatalogue.Table) {
    do throws(EngineSession.Failure) {
      try session.run(
        """
        CREATE OR REPLACE TEMP TABLE "hrp sample" AS SELECT rowid AS \(table.alias), * FROM \(table.place)
        WHERE \(Self.sample(of: before.rows))
        """)
      let sampled = try session.rows("SELECT count(*)::VARCHAR FROM \"hrp sample\"").first?.first ?? "0"
      try session.run("DELETE FROM \(table.place) WHERE rowid IN (SELECT \(table.alias) FROM \"hrp sample\")")
      try session.run("INSERT INTO \(table.place) SELECT * EXCLUDE (\(table.alias)) FROM \"hrp sample\"")
      let after = try EngineProof.fingerprint(of: table, session)
      if after != before {
        tell(
          .problem(
            name: "table \(before.name)",
            detail: "it reads otherwise after \(sampled) of its rows were deleted and inserted again"))
      }
    } catch {
      note(before.name, error: error)
    }
  }

  /// Which rows are sampled, by their row ids.
  private static func sample(of rows: Int64) -> String {
    guard rows > stretches * stretchRows else { return "true" }
    return (0..<stretches).map { index in
      let start = (rows - stretchRows) / (stretches - 1) * index
      return "rowid BETWEEN \(start) AND \(start + stretchRows - 1)"
    }.joined(separator: " OR ")
  }

  /// A table with generated columns takes no whole rows: that says nothing of its indexes.
  private func note(_ name: String, error: EngineSession.Failure) {
    isDead = error.words.contains("FATAL Error")
    let isGenerated = ["generated column", "values were supplied"].contains { error.words.contains($0) }
    tell(
      isGenerated
        ? .notice("the indexes of \(name) were not tried: it has generated columns")
        : .problem(name: "index of \(name)", detail: error.words))
  }
}
