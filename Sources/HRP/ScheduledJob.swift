internal import Calendars
internal import Settings

/// A job of a scheduler, as a list shows it.
public struct ScheduledJob: Sendable, Equatable {
  /// Its id: "weekly_backup".
  public let id: String
  /// Its id in words: "Weekly Backup".
  public let name: String
  /// When it is due next, in the form of Python's `str(datetime)`: "2026-11-28 02:00:00-05:00".
  public let nextRun: String
  /// Its rule: "cron[day_of_week='sat', hour='2', minute='0']".
  public let trigger: String
  /// Since when it is paused, ISO 8601 with offset; nil when it is not.
  public let pausedSince: String?

  /// - Parameter now: in nanoseconds since 1970 UTC.
  init(_ job: JobSettings, now: Int64, pausedSince: String?) {
    id = job.id
    name = job.title
    nextRun = job.schedule.zone.clock(at: job.schedule.next(after: now)).description
    trigger = job.schedule.rule.triggerText
    self.pausedSince = pausedSince
  }
}
