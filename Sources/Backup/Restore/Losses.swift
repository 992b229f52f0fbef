/// What a restore takes away and brings: rows of each table and runs of each experiment, now and in the backup.
public struct Losses: Sendable {
  /// One table, or one experiment.
  public struct Row: Sendable, Equatable {
    /// In the form `table prices` or `experiment momentum`.
    public let name: String
    /// Rows or runs that are there now; nil when the table or experiment is not there.
    public let now: Int64?
    /// Rows or runs in the backup; nil when the backup does not have the table or experiment.
    public let backup: Int64?

    /// The line that people read.
    public var line: String {
      let words = { (count: Int64?) in count.map { "\($0)" } ?? "none" }
      return "\(name): \(words(now)) now, \(words(backup)) in the backup"
    }
  }

  /// Those that differ, in the order of names.
  public internal(set) var rows: [Row]
  /// Why something could not be told.
  public package(set) var notices: [String]
  /// The state of the database before it was replaced; nil when there was no database.
  public internal(set) var health: HealthReport?

  mutating func add(_ kind: String, now: [String: Int64], backup: [String: Int64]) {
    for name in Set(now.keys).union(backup.keys).sorted() where now[name] != backup[name] {
      rows.append(Row(name: "\(kind) \(name)", now: now[name], backup: backup[name]))
    }
  }
}

extension Losses.Row: Encodable {
  private enum Key: CodingKey { case name, now, backup }

  /// With `null` where there is none.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: Key.self)
    try fields.encode(name, forKey: .name)
    try fields.encode(now, forKey: .now)
    try fields.encode(backup, forKey: .backup)
  }
}
