internal import Files
internal import GRDB

/// The jobs of the schedule that somebody paused; they stay paused until somebody resumes them.
extension Catalogue {
  private static let prefix = "paused."

  /// Pauses a job; one that is paused stays paused since then.
  package func pause(_ job: String) throws {
    try queue.write {
      try $0.execute(
        sql: "INSERT OR IGNORE INTO setting VALUES (?, ?)",
        arguments: [Self.prefix + job, LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset])
    }
  }

  /// Lets a job run again.
  /// - Returns: whether it was paused.
  package func resume(_ job: String) throws -> Bool {
    try queue.write { database in
      try database.execute(sql: "DELETE FROM setting WHERE name = ?", arguments: [Self.prefix + job])
      return database.changesCount > 0
    }
  }

  /// The paused jobs, with the time since when: ISO 8601 with offset.
  package func pauses() throws -> [String: String] {
    try queue.read { database in
      let rows = try Row.fetchAll(
        database, sql: "SELECT name, value FROM setting WHERE substr(name, 1, 7) = ?", arguments: [Self.prefix])
      return Dictionary(
        rows.map { row in (String((row["name"] as String).dropFirst(Self.prefix.count)), row["value"] as String) }
      ) { first, _ in first }
    }
  }
}
