/// A date of the Gregorian calendar, in no zone.
package struct CivilDay: Sendable, Hashable {
  /// Days since 1970-01-01.
  package let number: Int64

  /// The year is 1 to 9999.
  private static let years = 1...9999

  /// Counts days from 1970-01-01.
  package init(number: Int64) { self.number = number }

  /// Takes a date that exists, of the years 1 to 9999.
  package init?(year: Int, month: Int, day: Int) {
    guard Self.years.contains(year), (1...12).contains(month) else { return nil }
    guard day >= 1, day <= Self.length(ofMonth: month, year: year) else { return nil }
    self.init(year: year, month: month, checkedDay: day)
  }

  /// Takes a date that exists, of any year; the caller knows that it does.
  ///
  /// The year begins in March here, so the leap day is its last one.
  package init(year: Int, month: Int, checkedDay day: Int) {
    let marchYear = Int64(month <= 2 ? year - 1 : year)
    let era = marchYear.quotient(flooredBy: 400)
    let yearOfEra = marchYear - era * 400
    let dayOfYear = Int64((153 * ((month + 9) % 12) + 2) / 5 + day - 1)
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    number = era * 146_097 + dayOfEra - 719_468
  }

  /// The number of days that a month has.
  package static func length(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 2: isLeap(year: year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  static func isLeap(year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  /// The date as year, month and day.
  package var parts: (year: Int, month: Int, day: Int) {
    let shifted = number + 719_468
    let era = shifted.quotient(flooredBy: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    let month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
    let year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    return (year, month, day)
  }

  /// How many days lie between Monday and this day.
  package var daysAfterMonday: Int { Int((number + 3).remainder(flooredBy: 7)) }
}
