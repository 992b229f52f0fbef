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
  package var dayNumber: Int { Self.dayNumber(year: year, month: month) + day - 1 }

  /// The day on which its week begins, in days since 1970-01-01: a Monday.
  package var mondayNumber: Int { dayNumber - Self.remainder(of: dayNumber + 3, by: 7) }

  /// The week by ISO 8601: it belongs to the year that has its Thursday.
  ///
  /// Example: 2027-01-01 is a Friday, so it lies in week 53 of 2026.
  package var isoWeek: (year: Int, week: Int) {
    let thursday = mondayNumber + 3
    // The Thursday is at most three days away, so it lies in this year or in one beside it.
    var owner = year
    if thursday < Self.dayNumber(year: year, month: 1) { owner -= 1 }
    if thursday >= Self.dayNumber(year: year + 1, month: 1) { owner += 1 }
    return (owner, (thursday - Self.dayNumber(year: owner, month: 1)) / 7 + 1)
  }

  /// The first day of a month, in days since 1970-01-01.
  ///
  /// The months of a year begin in March here, so that the leap day is the last day of a year. Month 13 is the January
  /// of the year after.
  static func dayNumber(year: Int, month: Int) -> Int {
    let monthsSinceMarch = remainder(of: month - 3, by: 12)
    let marchYear = month < 3 ? year - 1 : year
    let era = quotient(of: marchYear, by: 400)
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * monthsSinceMarch + 2) / 5
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The quotient that is rounded down, also below zero.
  static func quotient(of value: Int, by divisor: Int) -> Int { (value - remainder(of: value, by: divisor)) / divisor }

  /// The remainder that is never below zero.
  static func remainder(of value: Int, by divisor: Int) -> Int { ((value % divisor) + divisor) % divisor }

  private static func padded(_ value: Int, width: Int = 2) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
