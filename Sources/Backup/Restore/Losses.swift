/// What a restore takes away and brings: rows of each table and runs of each experiment, now and in the backup.
public struct Losses: Sendable {
  /// One table, or one experiment.
  public struct Row: Sendable, Equatable {
    /// In the form `table prices` or `experiment momentum`.
    public let name: String
    /// Rows or runs that are there now; nil: it is not there.
    public let now: Int64?
    /// Rows or runs in the backup; nil: it is not there.
    public let backup: Int64?
  }

  /// Those that differ, in the order of names.
  public let rows: [Row]
  /// Why something could not be told.
  public let notices: [String]
}
