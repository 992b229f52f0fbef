/// A date and a time as some clock shows them, in no zone.
package struct CivilTime: Sendable, Hashable, Comparable {
  /// Seconds since 1970-01-01 00:00 on that clock.
  package let seconds: Int64

  private static let secondsPerDay: Int64 = 86_400

  /// Counts seconds from 1970-01-01 00:00.
  package init(seconds: Int64) { self.seconds = seconds }

  /// Takes a time on a date.
  package init(day: CivilDay, time: TimeOfDay) {
    seconds = day.number * Self.secondsPerDay + time.secondsIntoDay
  }

  /// The date.
  package var day: CivilDay { CivilDay(number: seconds.quotient(flooredBy: Self.secondsPerDay)) }

  /// Seconds since that date began.
  package var secondsIntoDay: Int { Int(seconds.remainder(flooredBy: Self.secondsPerDay)) }

  /// Earlier times come first.
  package static func < (left: CivilTime, right: CivilTime) -> Bool { left.seconds < right.seconds }
}
