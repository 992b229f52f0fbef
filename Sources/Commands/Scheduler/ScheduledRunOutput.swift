internal import Calendars
internal import Files
internal import Jobs
internal import Scheduling
internal import Settings
internal import Store

/// What `hrp scheduler run --once --json` says of one job.
struct ScheduledRunOutput: Encodable {
  private let job: String
  private let due: String
  private let reason: String
  private let state: String
  private let code: Nullable<String>
  private let message: String

  init(_ result: SchedulerRun.JobResult) {
    job = result.job.id
    due = LocalTime(nanoseconds: result.slot.due).iso8601WithOffset
    reason = result.reason.rawValue
    state = result.outcome.state == .running ? "interrupted" : result.outcome.state.rawValue
    code = Nullable(result.outcome.code)
    message = result.outcome.message
  }
}

/// What `hrp scheduler history --json` says of one run.
struct SlotRecordOutput: Encodable {
  private let job: String
  private let due: String
  private let state: String
  private let beganAt: String
  private let endedAt: Nullable<String>
  private let code: Nullable<String>
  private let message: String
  private let killedBefore: Int

  /// - Parameter isInterrupted: whether its process died before it could say how it ended.
  init(_ record: SlotRecord, isInterrupted: Bool) {
    job = record.job
    due = LocalTime(nanoseconds: record.due).iso8601WithOffset
    state = isInterrupted ? "interrupted" : record.state.rawValue
    beganAt = LocalTime(nanoseconds: record.beganAt).iso8601WithOffset
    endedAt = Nullable(record.endedAt.map { LocalTime(nanoseconds: $0).iso8601WithOffset })
    code = Nullable(record.code)
    message = record.message
    killedBefore = record.deaths
  }
}
