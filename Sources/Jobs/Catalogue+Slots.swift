internal import GRDB

/// The slots of the scheduler: what was run, and how it ended.
extension Catalogue {
  /// C3.
  private static let maximumSlots = 10_000

  static let slotTable = """
    CREATE TABLE IF NOT EXISTS slot(
      job TEXT NOT NULL, due INTEGER NOT NULL, state TEXT NOT NULL, deaths INTEGER NOT NULL, began_at INTEGER NOT NULL,
      ended_at INTEGER, code TEXT, message TEXT NOT NULL, PRIMARY KEY(job, due));
    """

  /// Writes a record in place of the one before; it is durable when this returns.
  package func write(_ record: SlotRecord) throws {
    try queue.write { database in
      try database.execute(
        sql: "INSERT OR REPLACE INTO slot VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          record.job, record.due, record.state.rawValue, record.deaths, record.beganAt, record.endedAt, record.code,
          record.message,
        ])
      try database.execute(
        sql: "DELETE FROM slot WHERE due < (SELECT min(due) FROM (SELECT due FROM slot ORDER BY due DESC LIMIT ?))",
        arguments: [Self.maximumSlots])
    }
  }

  /// The records of a job, or of all jobs, the newest run first.
  package func slots(of job: String? = nil, limit: Int) throws -> [SlotRecord] {
    try queue.read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM slot WHERE job = ? OR ? IS NULL ORDER BY began_at DESC, due DESC LIMIT ?",
        arguments: [job, job, limit]
      ).map { row in
        SlotRecord(
          job: row["job"], due: row["due"],
          // A state that only a newer program knows is one that was run.
          state: SlotRecord.State(rawValue: row["state"]) ?? .completed, deaths: row["deaths"],
          beganAt: row["began_at"], endedAt: row["ended_at"], code: row["code"], message: row["message"])
      }
    }
  }
}
