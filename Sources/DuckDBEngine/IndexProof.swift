internal import Files

/// Looks sampled keys up by the indexes of one column, and by a scan: both must find the same rows.
///
/// Runs in the child. Deleting by row id looks nothing up, so an index that lost its keys shows only here. Indexes of
/// several columns, or of expressions, are not used for lookups by the engine.
struct IndexProof {
  /// Keys of each index.
  private static let keys = 20
  private static let indexScanSettings = ["index_scan_percentage", "index_scan_max_count"]

  let session: EngineSession
  let tell: (EngineReply) -> Void

  /// Table's number, column, type of each column that has an index of its own.
  private static func columns(_ database: String) -> String {
    """
    WITH keyed AS (
      SELECT table_oid, translate(expressions, '[]''"', '') AS name FROM duckdb_indexes()
      WHERE database_name = \(database)
      UNION SELECT table_oid, constraint_column_names[1] FROM duckdb_constraints()
      WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND len(constraint_column_names) = 1
        AND database_name = \(database))
    SELECT c.table_oid::VARCHAR, c.column_name, c.data_type FROM duckdb_columns() c JOIN keyed k
      ON c.table_oid = k.table_oid AND c.column_name = k.name
    WHERE c.database_name = \(database) ORDER BY 1, 2
    """
  }

  func run(
    _ tables: [(table: EngineCatalogue.Table, before: TableFingerprint)], catalogue: EngineCatalogue
  ) throws(EngineSession.Failure) {
    let numbered = Dictionary(tables.map { ($0.table.number, $0) }) { left, _ in left }
    for column in try session.rows(Self.columns(catalogue.databaseText)) {
      guard let (table, before) = numbered[column[0]], before.rows > 0, table.hasRowNumbers else { continue }
      let name = "index of \(table.path.text)(\(column[1]))"
      tell(.at("the \(name)"))
      do throws(EngineSession.Failure) {
        try look(table.place, name: column[1], type: column[2], rows: before.rows, index: name)
      } catch {
        tell(.problem(name: name, detail: error.words))
      }
    }
  }

  private func look(
    _ place: String, name: String, type: String, rows: Int64, index: String
  ) throws(EngineSession.Failure) {
    let column = SQLText.name(name)
    let step = max(1, rows / Int64(Self.keys))
    let ids = (0..<Int64(Self.keys)).map { "\($0 * step)" }.joined(separator: ", ")
    let keys = try session.rows(
      "SELECT DISTINCT \(column)::VARCHAR FROM \(place) WHERE rowid IN (\(ids)) AND \(column) IS NOT NULL"
    ).map { "CAST(\(SQLText.literal($0[0])) AS \(type))" }
    guard !keys.isEmpty else { return }
    let counts = { (key: String) throws(EngineSession.Failure) -> String in
      try session.rows("SELECT count(*)::VARCHAR FROM \(place) WHERE \(column) = \(key)").first?.first ?? ""
    }
    var found: [String] = []
    for key in keys { found.append(try counts(key)) }
    for setting in Self.indexScanSettings { try session.run("SET \(setting) = 0") }
    var scanned: [String] = []
    do throws(EngineSession.Failure) {
      for key in keys { scanned.append(try counts(key)) }
    } catch {
      for setting in Self.indexScanSettings { try session.run("RESET \(setting)") }
      throw error
    }
    for setting in Self.indexScanSettings { try session.run("RESET \(setting)") }
    let wrong = zip(keys, zip(found, scanned)).first { $1.0 != $1.1 }
    guard let (_, (byIndex, byScan)) = wrong else { return }
    tell(.problem(name: index, detail: "it finds \(byIndex) rows of a key of which there are \(byScan)"))
  }
}
