internal import GRDB

/// Where the ops server's walk over the blocks of the database is, and what became of operations.
extension Catalogue {
  private static let scrub = "scrub"

  /// Where the walk was, as it was written; nil when it has not begun.
  package func scrubPosition() throws -> String? { try setting(Self.scrub) }

  /// Notes where the walk is.
  package func writeScrubPosition(_ text: String) throws { try write(text, toSetting: Self.scrub) }

  /// How many jobs of each operation failed, of those that are remembered.
  package func failures() throws -> [String: Int] {
    try queue.read { database in
      let rows = try Row.fetchAll(
        database, sql: "SELECT operation, count(*) AS number FROM job WHERE status = 'failed' GROUP BY operation")
      return Dictionary(rows.map { row in (row["operation"] as String, row["number"] as Int) }) { first, _ in first }
    }
  }
}
