internal import Files

/// Reads a database with the engine: runs in the child.
///
/// The WAL replays when it is opened; every column of every table is read and hashed; foreign keys hold; sequences are
/// read; a scratch copy is written to as well. Views come last: what is wrong with one says nothing of the data.
struct EngineProof {
  let session: EngineSession
  let tell: (EngineReply) -> Void

  func run(_ request: EngineRequest) throws(EngineSession.Failure) {
    let catalogue = try EngineCatalogue(session)
    var tables: [(table: EngineCatalogue.Table, fingerprint: TableFingerprint)] = []
    for table in try catalogue.tables() {
      if let fingerprint = readTable(table) { tables.append((table, fingerprint)) }
    }
    try ForeignKeyProof(session: session, tell: tell).run(catalogue)
    tell(.at("the sequences"))
    _ = try session.rows("SELECT sequence_name, coalesce(last_value::VARCHAR, '') FROM duckdb_sequences()")
    try nameExperiments(catalogue)
    if request.isScratch {
      guard try write(request, tables: tables.map(\.fingerprint)) else { return }
    }
    tell(.stage(.views))
    try ViewProof(session: session, tell: tell).run()
  }

  /// Has the engine write to a scratch copy.
  ///
  /// - Returns: whether the database can still be used.
  private func write(
    _ request: EngineRequest, tables: [TableFingerprint]
  ) throws(EngineSession.Failure) -> Bool {
    let checkpoint = CheckpointProof(session: session, request: request, tell: tell)
    if request.checkpoints {
      // What the live database's next checkpoint does, before anything of ours is in it.
      tell(.stage(.checkpoint))
      guard try checkpoint.run() else { return false }
    }
    tell(.stage(.writing))
    guard try WriteProof(session: session, tell: tell).run(tables) else { return false }
    if request.checkpoints {
      tell(.stage(.lastCheckpoint))
      guard try checkpoint.run(), try checkpoint.compare(tables) else { return false }
    }
    return true
  }

  /// Counts the rows of every table; what is in them is not read.
  func countRows() throws(EngineSession.Failure) {
    for table in try EngineCatalogue(session).tables() {
      tell(.at("table \(table.path.text)"))
      do throws(EngineSession.Failure) {
        let count = try session.rows("SELECT count(*)::VARCHAR FROM \(table.place)").first?.first
        tell(.table(TableFingerprint(path: table.path, rows: count.flatMap(Int64.init) ?? 0, hash: "")))
      } catch {
        tell(.problem(name: "table \(table.path.text)", detail: error.words))
      }
    }
  }

  /// The ids by which research tables refer to MLflow.
  private func nameExperiments(_ catalogue: EngineCatalogue) throws(EngineSession.Failure) {
    let columns = try session.rows(
      """
      SELECT schema_oid::VARCHAR, table_name FROM duckdb_columns() WHERE database_name = \(catalogue.databaseText)
      AND table_name IN ('hypothesis_experiments', 'lineage') AND column_name = 'experiment_id'
      AND table_oid IN (SELECT table_oid FROM duckdb_tables() WHERE database_name = \(catalogue.databaseText))
      ORDER BY 1, 2
      """)
    for column in columns {
      guard let path = catalogue.path(schema: column[0], name: column[1]) else { continue }
      let ids = try session.rows(
        """
        SELECT DISTINCT experiment_id::VARCHAR FROM \(catalogue.place(of: path))
        WHERE experiment_id IS NOT NULL ORDER BY 1
        """)
      tell(.experiments(table: path.shortText, ids: ids.map { $0[0] }))
    }
  }

  private func readTable(_ table: EngineCatalogue.Table) -> TableFingerprint? {
    let name = "table \(table.path.text)"
    tell(.at(name))
    do throws(EngineSession.Failure) {
      let fingerprint = try Self.fingerprint(of: table, session)
      tell(.table(fingerprint))
      return fingerprint
    } catch {
      tell(.problem(name: name, detail: error.words))
      return nil
    }
  }

  /// Reads every column of every row of a table.
  static func fingerprint(
    of table: EngineCatalogue.Table, _ session: EngineSession
  ) throws(EngineSession.Failure) -> TableFingerprint {
    let row = try session.rows(
      """
      SELECT count(*)::VARCHAR, coalesce(sum(hash(\(table.alias)))::VARCHAR, '0'),
        coalesce(bit_xor(hash(\(table.alias)))::VARCHAR, '0') FROM \(table.place) AS \(table.alias)
      """
    ).first
    guard let row, let rows = Int64(row[0]) else { throw EngineSession.Failure(words: "it gives no rows") }
    return TableFingerprint(path: table.path, rows: rows, hash: "\(row[1])-\(row[2])")
  }
}
