/// What only a connection that writes can show, on a scratch copy: indexes are used and hold.
///
/// Runs in the child. A scan reads no block of an index. Here a key that is there must be refused, and sampled rows
/// must be found for deletion and go in again, after which the table must read as before.
final class WriteProof {
  /// Rows of each table that are deleted and inserted again: so many stretches of so many neighbours, spread evenly.
  ///
  /// Neighbours share blocks of the index, so a table of any size costs the same memory.
  private static let stretches: Int64 = 10
  private static let stretchRows: Int64 = 100

  private let session: EngineSession
  private let tell: (EngineReply) -> Void
  /// The engine has given up this database: what it says from here on is that.
  private var isDead = false

  init(session: EngineSession, tell: @escaping (EngineReply) -> Void) {
    self.session = session
    self.tell = tell
  }

  func run(_ tables: [TableFingerprint]) throws(EngineSession.Failure) {
    let referenced = Set(
      try session.rows(
        """
        SELECT DISTINCT schema_name || '.' || referenced_table FROM duckdb_constraints()
        WHERE constraint_type = 'FOREIGN KEY' AND database_name = current_database()
        """
      ).map { $0[0] })
    let indexed = try session.rows(
      """
      SELECT DISTINCT schema_name, table_name, bool_or(is_key)::INTEGER::VARCHAR FROM (
        SELECT schema_name, table_name, true AS is_key FROM duckdb_constraints()
        WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND database_name = current_database()
        UNION ALL SELECT schema_name, table_name, is_unique FROM duckdb_indexes()
        WHERE database_name = current_database())
      GROUP BY ALL ORDER BY 1, 2
      """)
    try IndexProof(session: session, tell: tell).run(tables)
    for table in indexed where !isDead {
      let name = "\(table[0]).\(table[1])"
      guard let before = tables.first(where: { $0.name == name }), before.rows > 0 else { continue }
      let place = SQLText.name(table[0], table[1])
      tell(.at("the indexes of \(name)"))
      let takesRows = table[2] == "1" ? refuseDuplicate(name, place) : true
      // Rows that others refer to may not go, and that is right.
      if takesRows, !referenced.contains(name) { putBack(before, place) }
    }
  }

  /// - Returns: whether the table takes whole rows at all.
  private func refuseDuplicate(_ name: String, _ place: String) -> Bool {
    do throws(EngineSession.Failure) {
      try session.run("INSERT INTO \(place) SELECT * FROM \(place) LIMIT 1")
      tell(.problem(name: "index of \(name)", detail: "it took a key that is there already"))
      return true
    } catch {
      if error.words.contains("onstraint") { return true }
      note(name, error)
      return false
    }
  }

  private func putBack(_ before: TableFingerprint, _ place: String) {
    do throws(EngineSession.Failure) {
      try session.run(
        """
        CREATE OR REPLACE TEMP TABLE "hrp sample" AS SELECT rowid AS "hrp row", * FROM \(place)
        WHERE \(Self.sample(of: before.rows))
        """)
      let sampled = try session.rows("SELECT count(*)::VARCHAR FROM \"hrp sample\"").first?.first ?? "0"
      try session.run("DELETE FROM \(place) WHERE rowid IN (SELECT \"hrp row\" FROM \"hrp sample\")")
      try session.run("INSERT INTO \(place) SELECT * EXCLUDE (\"hrp row\") FROM \"hrp sample\"")
      let after = try EngineProof.fingerprint(of: place, name: before.name, session)
      if after != before {
        tell(
          .problem(
            name: "table \(before.name)",
            detail: "it reads otherwise after \(sampled) of its rows were deleted and inserted again"))
      }
    } catch {
      note(before.name, error)
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
  private func note(_ name: String, _ error: EngineSession.Failure) {
    isDead = error.words.contains("FATAL Error")
    let isGenerated = ["generated column", "values were supplied"].contains { error.words.contains($0) }
    tell(
      isGenerated
        ? .notice("the indexes of \(name) were not tried: it has generated columns")
        : .problem(name: "index of \(name)", detail: error.words))
  }
}
