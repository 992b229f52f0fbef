/// Reads a database with the engine, as far as a read-only connection can: runs in the child.
///
/// The log replays when it is opened; every column of every table is read and hashed; every view binds; foreign keys
/// hold; sequences are read.
struct EngineProof {
  let session: EngineSession
  let tell: (EngineReply) -> Void

  func run(isScratch: Bool) throws(EngineSession.Failure) {
    var tables: [TableFingerprint] = []
    for table in try session.rows(Self.names("duckdb_tables()", "table_name")) {
      if let fingerprint = readTable(table[0], table[1]) { tables.append(fingerprint) }
    }
    for view in try session.rows(Self.names("duckdb_views()", "view_name")) { bindView(view[0], view[1]) }
    tell(.at("the foreign keys"))
    for key in try session.rows(Self.foreignKeys) { checkForeignKey(key) }
    tell(.at("the sequences"))
    _ = try session.rows("SELECT sequence_name, coalesce(last_value::VARCHAR, '') FROM duckdb_sequences()")
    try nameExperiments()
    if isScratch { try WriteProof(session: session, tell: tell).run(tables) }
  }

  /// Counts the rows of every table; what is in them is not read.
  func countRows() throws(EngineSession.Failure) {
    for table in try session.rows(Self.names("duckdb_tables()", "table_name")) {
      let name = "\(table[0]).\(table[1])"
      tell(.at("table \(name)"))
      do throws(EngineSession.Failure) {
        let count = try session.rows("SELECT count(*)::VARCHAR FROM \(SQLText.name(table[0], table[1]))").first?.first
        tell(.table(TableFingerprint(name: name, rows: count.flatMap(Int64.init) ?? 0, hash: "")))
      } catch {
        tell(.problem(name: "table \(name)", detail: error.words))
      }
    }
  }

  /// The ids by which research tables refer to MLflow.
  private func nameExperiments() throws(EngineSession.Failure) {
    let columns = try session.rows(
      """
      SELECT schema_name, table_name FROM duckdb_columns() WHERE database_name = current_database()
      AND table_name IN ('hypothesis_experiments', 'lineage') AND column_name = 'experiment_id' ORDER BY 1, 2
      """)
    for column in columns {
      let ids = try session.rows(
        """
        SELECT DISTINCT experiment_id::VARCHAR FROM \(SQLText.name(column[0], column[1]))
        WHERE experiment_id IS NOT NULL ORDER BY 1
        """)
      tell(.experiments(table: column[1], ids: ids.map { $0[0] }))
    }
  }

  /// Schema and name of everything of a kind that is the user's.
  private static func names(_ function: String, _ column: String) -> String {
    "SELECT schema_name, \(column) FROM \(function) WHERE NOT internal AND NOT temporary "
      + "AND database_name = current_database() ORDER BY 1, 2"
  }

  private func readTable(_ schema: String, _ table: String) -> TableFingerprint? {
    let name = "\(schema).\(table)"
    tell(.at("table \(name)"))
    do throws(EngineSession.Failure) {
      let fingerprint = try Self.fingerprint(of: SQLText.name(schema, table), name: name, session)
      tell(.table(fingerprint))
      return fingerprint
    } catch {
      tell(.problem(name: "table \(name)", detail: error.words))
      return nil
    }
  }

  /// Reads every column of every row of a table.
  static func fingerprint(
    of place: String, name: String, _ session: EngineSession
  ) throws(EngineSession.Failure) -> TableFingerprint {
    let row = try session.rows(
      """
      SELECT count(*)::VARCHAR, coalesce(sum(hash("hrp row"))::VARCHAR, '0'),
        coalesce(bit_xor(hash("hrp row"))::VARCHAR, '0') FROM \(place) AS "hrp row"
      """
    ).first
    guard let row, let rows = Int64(row[0]) else { throw EngineSession.Failure(words: "it gives no rows") }
    return TableFingerprint(name: name, rows: rows, hash: "\(row[1])-\(row[2])")
  }

  private func bindView(_ schema: String, _ view: String) {
    let name = "view \(schema).\(view)"
    tell(.at(name))
    do throws(EngineSession.Failure) {
      try session.run("EXPLAIN SELECT * FROM \(SQLText.name(schema, view))")
    } catch {
      // It reads files or another database, which a proof does not do: that says nothing of the backup.
      let isOutside = ["disabled by configuration", "enable_external_access"].contains { error.words.contains($0) }
      tell(
        isOutside ? .notice("\(name) reads what is outside of the database") : .problem(name: name, detail: error.words)
      )
    }
  }

  /// Schema, table, its columns, the table that they refer to, the columns there; lists joined by a unit separator.
  private static let foreignKeys = """
    SELECT schema_name, table_name, array_to_string(constraint_column_names, chr(31)), referenced_table,
      array_to_string(referenced_column_names, chr(31))
    FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' AND database_name = current_database()
    ORDER BY 1, 2, 3
    """

  private func checkForeignKey(_ key: [String]) {
    let separator: Character = "\u{1F}"
    let (columns, referenced) = (key[2].split(separator: separator), key[4].split(separator: separator))
    let name = "foreign key of \(key[0]).\(key[1])(\(columns.joined(separator: ", ")))"
    guard !columns.isEmpty, columns.count == referenced.count else { return }
    let isThere = columns.map { "x.\(SQLText.name(String($0))) IS NOT NULL" }.joined(separator: " AND ")
    let isSame = zip(columns, referenced).map { "y.\(SQLText.name(String($1))) = x.\(SQLText.name(String($0)))" }
      .joined(separator: " AND ")
    do throws(EngineSession.Failure) {
      let count = try session.rows(
        """
        SELECT count(*)::VARCHAR FROM \(SQLText.name(key[0], key[1])) x WHERE \(isThere) AND NOT EXISTS
          (SELECT 1 FROM \(SQLText.name(key[0], key[3])) y WHERE \(isSame))
        """
      ).first?.first
      if let count, count != "0" { tell(.problem(name: name, detail: "\(count) rows refer to nothing in \(key[3])")) }
    } catch {
      tell(.problem(name: name, detail: error.words))
    }
  }
}
