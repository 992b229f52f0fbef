/// How often a schedule comes round, and when.
package enum Rule: Sendable, Hashable {
  /// It comes every hour, at this minute.
  case hourly(minute: Int)
  /// It comes every day, at this time.
  case daily(TimeOfDay)
  /// It comes every week, on this day at this time.
  case weekly(Weekday, TimeOfDay)
  /// It comes every month, on this day or on the last one that the month has.
  case monthly(day: Int, TimeOfDay)

  /// The rule when nothing else is asked for: every Saturday at 02:00.
  package static let standard = Rule.weekly(.sat, .standard)

  private static let secondsPerDay = 86_400

  /// The seconds between two slots, the longest month taken, while the clock is not set.
  ///
  /// Where a clock goes back, one interval is longer by as much: an hour in most zones, two in Antarctica/Troll.
  package var nominalSeconds: Int {
    switch self {
    case .hourly: 3600
    case .daily: Self.secondsPerDay
    case .weekly: 7 * Self.secondsPerDay
    case .monthly: 31 * Self.secondsPerDay
    }
  }

  /// The rule in the form that APScheduler gives a trigger: `cron[day_of_week='sat', hour='2', minute='0']`.
  package var triggerText: String {
    switch self {
    case .hourly(let minute): "cron[minute='\(minute)']"
    case .daily(let time): "cron[\(text(of: time))]"
    case .weekly(let day, let time): "cron[day_of_week='\(day.rawValue)', \(text(of: time))]"
    case .monthly(let day, let time): "cron[day='\(day)', \(text(of: time))]"
    }
  }

  private func text(of time: TimeOfDay) -> String { "hour='\(time.hour)', minute='\(time.minute)'" }

  /// Refuses a minute or a day that does not exist.
  func check() throws(UnusableRule) {
    switch self {
    case .hourly(let minute):
      guard (0...59).contains(minute) else { throw UnusableRule(message: "Minute must be 0-59, got \(minute)") }
    case .monthly(let day, _):
      guard (1...31).contains(day) else { throw UnusableRule(message: "Day must be 1-31, got \(day)") }
    case .daily, .weekly: break
    }
  }
}
