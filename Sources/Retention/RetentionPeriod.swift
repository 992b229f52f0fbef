/// What a count of backups counts: single backups, or the hours, days … that have one.
package enum RetentionPeriod: String, Sendable, CaseIterable {
  /// Each backup counts.
  case last
  /// An hour counts.
  case hourly
  /// A day counts.
  case daily
  /// A week counts, which begins on Monday.
  case weekly
  /// A month counts.
  case monthly
  /// A year counts.
  case yearly

  /// A number that backups of the same hour, day … share; nil when each backup stands for itself.
  func bucket(of local: LocalHour) -> Int? {
    switch self {
    case .last: nil
    case .hourly: local.dayNumber * 24 + local.hour
    case .daily: local.dayNumber
    case .weekly: local.mondayNumber
    case .monthly: local.year * 12 + local.month
    case .yearly: local.year
    }
  }

  /// The hour, day … in its form for people.
  func label(of local: LocalHour) -> String {
    switch self {
    case .last, .hourly: local.text
    case .daily: local.dayText
    case .weekly: local.weekText
    case .monthly: local.monthText
    case .yearly: String(local.year)
    }
  }
}
