internal import GRDB

/// The copies in second places, which may be out of reach now.
extension Catalogue {
  /// C3.
  private static let maximumCopies = 10_000

  static let copyTable = """
    CREATE TABLE IF NOT EXISTS copy(
      backup TEXT NOT NULL, place TEXT NOT NULL, place_id TEXT NOT NULL, copied_at TEXT NOT NULL,
      other_device INTEGER NOT NULL, PRIMARY KEY(place_id, backup));
    """

  /// Notes a copy, in place of an earlier note of it.
  package func write(_ copy: CopyRecord) throws {
    try queue.write { database in
      try database.execute(
        sql: "INSERT OR REPLACE INTO copy VALUES (?, ?, ?, ?, ?)",
        arguments: [copy.backup, copy.place, copy.placeID, copy.copiedAt, copy.isOnOtherDevice])
      try database.execute(
        sql: "DELETE FROM copy WHERE rowid <= (SELECT max(rowid) FROM copy) - ?", arguments: [Self.maximumCopies])
    }
  }

  /// The copies that were made, the newest first.
  /// - Parameter backup: of this one only; nil for all.
  package func copies(of backup: String? = nil) throws -> [CopyRecord] {
    try queue.read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM copy WHERE backup = ? OR ? IS NULL ORDER BY rowid DESC",
        arguments: [backup, backup]
      ).map { row in
        CopyRecord(
          backup: row["backup"], place: row["place"], placeID: row["place_id"], copiedAt: row["copied_at"],
          isOnOtherDevice: row["other_device"])
      }
    }
  }
}
