internal import Files

/// What a restore of a backup would bring back, and what it would lose.
package struct RestoreEffect: Sendable {
  /// A table, as the drill of this backup read it, beside the newest drill of any backup.
  package struct Table: Sendable {
    package let name: String
    package let rows: Int64
    /// Rows that a restore adds to what the newest drill read, or takes from it; nil when that cannot be told.
    package let difference: Int64?
  }

  /// The state that comes back, in nanoseconds since 1970 UTC; nil when nothing tells.
  package let timestamp: Int64?
  /// Whatever was written in so many nanoseconds before now is lost; nil when that cannot be told.
  package let lostNanoseconds: Int64?
  /// Empty when the backup was never drilled.
  package let tables: [Table]
  /// Tables that the newest drill read and this backup does not have.
  package let missing: [String]
  /// The backup that it is compared with; nil when there is none.
  package let comparedWith: String?

  /// - Parameter newest: the backup whose drill is the newest.
  /// - Parameter now: in nanoseconds since 1970 UTC.
  package init(of backup: BackupView, beside newest: BackupView?, now: Int64) {
    timestamp = backup.timestamp
    lostNanoseconds = backup.timestamp.map { max(0, now - $0) }
    let known = newest.map { Dictionary($0.tables.map { ($0.name, $0.rows) }) { first, _ in first } }
    tables = backup.tables.map { table in
      Table(name: table.name, rows: table.rows, difference: known.map { table.rows - ($0[table.name] ?? 0) })
    }
    let own = Set(backup.tables.map(\.name))
    missing = backup.tables.isEmpty ? [] : newest?.tables.map(\.name).filter { !own.contains($0) } ?? []
    comparedWith = backup.tables.isEmpty ? nil : newest?.name
  }
}
