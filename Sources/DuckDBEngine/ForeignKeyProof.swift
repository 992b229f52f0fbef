internal import Files

/// Looks whether every row that refers to another finds it: runs in the child.
struct ForeignKeyProof {
  let session: EngineSession
  let tell: (EngineReply) -> Void

  func run(_ catalogue: EngineCatalogue) throws(EngineSession.Failure) {
    tell(.at("the foreign keys"))
    // The schema's number, table, its columns, the table that they refer to, the columns there; lists joined by a unit
    // separator. Both tables are in one schema: the engine takes no other foreign key.
    let keys = try session.rows(
      """
      SELECT schema_oid::VARCHAR, table_name, array_to_string(constraint_column_names, chr(31)), referenced_table,
        array_to_string(referenced_column_names, chr(31))
      FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' AND database_name = \(catalogue.databaseText)
      ORDER BY 1, 2, 3
      """)
    for key in keys { check(key, catalogue: catalogue) }
  }

  private func check(_ key: [String], catalogue: EngineCatalogue) {
    let separator: Character = "\u{1F}"
    let (columns, referenced) = (key[2].split(separator: separator), key[4].split(separator: separator))
    guard let table = catalogue.path(schema: key[0], name: key[1]),
      let other = catalogue.path(schema: key[0], name: key[3]), !columns.isEmpty, columns.count == referenced.count
    else { return }
    let name = "foreign key of \(table.text)(\(columns.joined(separator: ", ")))"
    let isThere = columns.map { "x.\(SQLText.name(String($0))) IS NOT NULL" }.joined(separator: " AND ")
    let isSame = zip(columns, referenced).map { "y.\(SQLText.name(String($1))) = x.\(SQLText.name(String($0)))" }
      .joined(separator: " AND ")
    do throws(EngineSession.Failure) {
      let count = try session.rows(
        """
        SELECT count(*)::VARCHAR FROM \(catalogue.place(of: table)) x WHERE \(isThere) AND NOT EXISTS
          (SELECT 1 FROM \(catalogue.place(of: other)) y WHERE \(isSame))
        """
      ).first?.first
      if let count, count != "0" {
        tell(.problem(name: name, detail: "\(count) rows refer to nothing in \(other.text)"))
      }
    } catch {
      tell(.problem(name: name, detail: error.words))
    }
  }
}
