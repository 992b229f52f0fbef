/// One operation that was done, or is being done.
public struct Job: Sendable, Equatable {
  /// Grows with every job.
  public let id: Int64
  /// The operation: "backup create".
  public let operation: String
  /// How far it is.
  public let status: Status
  /// ISO 8601 with offset.
  public let beganAt: String
  /// When it ended, ISO 8601 with offset; nil when it still runs, or when its process ended without a note.
  public let endedAt: String?
  /// The code of its error; nil when it did not fail.
  public let code: String?
  /// What it did, or why it failed.
  public let message: String

  /// How far an operation is.
  public enum Status: String, Sendable, Codable {
    case running, completed, failed
    /// Its process is gone.
    case interrupted
  }
}
