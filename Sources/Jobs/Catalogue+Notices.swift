internal import GRDB

/// What became of notices, and the state that people were told of last.
extension Catalogue {
  /// C3.
  private static let maximumNotices = 1000
  private static let alarm = "alarm"

  static let noticeTable = """
    CREATE TABLE IF NOT EXISTS notice(
      id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL,
      delivered INTEGER NOT NULL, words TEXT NOT NULL);
    """

  /// Notes what became of a notice.
  package func write(_ notice: NoticeRecord) throws {
    try queue.write { database in
      try database.execute(
        sql: "INSERT INTO notice(channel, kind, at, delivered, words) VALUES (?, ?, ?, ?, ?)",
        arguments: [notice.channel, notice.kind, notice.at, notice.isDelivered, notice.words])
      try database.execute(
        sql: "DELETE FROM notice WHERE id <= ?", arguments: [database.lastInsertedRowID - Int64(Self.maximumNotices)])
    }
  }

  /// The newest notices that were not delivered, one for each way and kind.
  ///
  /// A later one of the same kind that was delivered, or a test, answers it.
  package func lostNotices() throws -> [NoticeRecord] {
    try queue.read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT * FROM notice AS lost WHERE NOT delivered AND NOT EXISTS (
            SELECT 1 FROM notice AS later WHERE later.channel = lost.channel AND later.id > lost.id
              AND (later.kind = lost.kind OR later.kind = 'test' AND later.delivered))
          ORDER BY channel, id
          """
      ).map { row in
        NoticeRecord(
          channel: row["channel"], kind: row["kind"], at: row["at"], isDelivered: row["delivered"], words: row["words"])
      }
    }
  }

  /// The state that people were told of last, as it was written; nil when they were told of none.
  package func alarmState() throws -> String? { try setting(Self.alarm) }

  /// Notes the state that people are told of.
  package func writeAlarmState(_ text: String) throws { try write(text, toSetting: Self.alarm) }
}
