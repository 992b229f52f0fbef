/// What is written down of the run of a slot.
package struct SlotRecord: Sendable, Equatable {
  /// How far a run is.
  package enum State: String, Sendable {
    case running, completed
    /// The backup was made, and some files could not be read.
    case partial
    case failed
  }

  /// The id of the job.
  package var job: String
  /// When it was due, in nanoseconds since 1970 UTC.
  package var due: Int64
  package var state: State
  /// How many of its processes died before they could say how it ended.
  package var deaths: Int
  /// When its last run began, in nanoseconds since 1970 UTC.
  package var beganAt: Int64
  /// When it ended, in nanoseconds since 1970 UTC; nil while it is running.
  package var endedAt: Int64?
  /// The code of its error; nil when it did not fail.
  package var code: String?
  /// What it did, or why it failed.
  package var message: String

  package init(
    job: String, due: Int64, state: State, deaths: Int = 0, beganAt: Int64, endedAt: Int64? = nil, code: String? = nil,
    message: String = ""
  ) {
    self.job = job
    self.due = due
    self.state = state
    self.deaths = deaths
    self.beganAt = beganAt
    self.endedAt = endedAt
    self.code = code
    self.message = message
  }
}
