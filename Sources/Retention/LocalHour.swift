internal import Calendars

/// An hour as a clock on the wall and a calendar show it.
package struct LocalHour: Sendable, Hashable {
  /// The year, such as 2026.
  package var year: Int
  /// The month, from 1 to 12.
  package var month: Int
  /// The day of the month, from 1.
  package var day: Int
  /// The hour, from 0 to 23.
  package var hour: Int

  /// Names an hour.
  package init(year: Int, month: Int, day: Int, hour: Int) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
  }

  /// The hour in its form for people: `2026-11-20 14:00`.
  package var text: String { "\(dayText) \(Self.padded(hour)):00" }

  /// The day in its form for people: `2026-11-20`.
  package var dayText: String { "\(monthText)-\(Self.padded(day))" }

  /// The month in its form for people: `2026-11`.
  package var monthText: String { "\(Self.padded(year, width: 4))-\(Self.padded(month))" }

  /// The ISO week in its form for people: `2026-W47`.
  package var weekText: String { "\(Self.padded(isoWeek.year, width: 4))-W\(Self.padded(isoWeek.week))" }

  /// The days since 1970-01-01.
  package var dayNumber: Int { Int(date.number) }

  /// The day on which its week begins, in days since 1970-01-01: a Monday.
  package var mondayNumber: Int { dayNumber - date.daysAfterMonday }

  /// The week by ISO 8601: it belongs to the year that has its Thursday.
  ///
  /// Example: 2027-01-01 is a Friday, so it lies in week 53 of 2026.
  package var isoWeek: (year: Int, week: Int) {
    let thursday = mondayNumber + 3
    let owner = CivilDay(number: Int64(thursday)).parts.year
    return (owner, (thursday - Int(CivilDay(year: owner, month: 1, checkedDay: 1).number)) / 7 + 1)
  }

  private var date: CivilDay { CivilDay(year: year, month: month, checkedDay: day) }

  private static func padded(_ value: Int, width: Int = 2) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
