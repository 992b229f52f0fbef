package import Calendars
package import Retention

/// Which backups stay, and for how long what goes can be brought back.
package struct RetentionSettings: Sendable {
  /// The days that a deleted backup stays in the trash when nothing else is asked for.
  package static let standardTrashDays: Int64 = 3

  package var policy: RetentionPolicy
  /// Whose clock says where a day, a week or a month begins.
  package var zone: Zone
  /// For how many days a deleted backup can be brought back.
  package var trashDays: Int64

  package init(policy: RetentionPolicy, zone: Zone, trashDays: Int64 = standardTrashDays) {
    self.policy = policy
    self.zone = zone
    self.trashDays = trashDays
  }

  /// What a decision at a time needs to know.
  /// - Parameter now: in nanoseconds since 1970 UTC.
  package func run(now: Int64, isUnattended: Bool = false, clockJumped: Bool = false) -> RetentionRun {
    let zone = zone
    return RetentionRun(now: now, isUnattended: isUnattended, clockJumped: clockJumped) { timestamp in
      let clock = zone.clock(at: timestamp)
      return LocalHour(year: clock.year, month: clock.month, day: clock.day, hour: clock.hour)
    }
  }
}
