internal import Calendars

/// A length of time in restic's grammar, such as `1y5m7d2h`: years, months, days and hours.
package struct RetentionAge: Sendable, Equatable {
  /// The largest number that a unit may have.
  package static let maximum = 100_000

  /// The number of years.
  package let years: Int
  /// The number of months.
  package let months: Int
  /// The number of days.
  package let days: Int
  /// The number of hours.
  package let hours: Int

  /// Reads an age.
  ///
  /// The units may come in any order. Unlike restic, an age has no unit twice, no sign, and is longer than nothing.
  /// - Throws: `RetentionPolicyError` `.age`.
  package init(_ text: String) throws(RetentionPolicyError) {
    var counts: [UInt8: Int] = [:]
    var digits = ""
    for byte in text.utf8 {
      if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
        digits.unicodeScalars.append(Unicode.Scalar(byte))
        continue
      }
      guard "ymdh".utf8.contains(byte), let count = Int(digits), count <= Self.maximum, counts[byte] == nil else {
        throw .age(text)
      }
      counts[byte] = count
      digits = ""
    }
    guard digits.isEmpty, counts.values.contains(where: { $0 > 0 }) else { throw .age(text) }
    years = counts[UInt8(ascii: "y")] ?? 0
    months = counts[UInt8(ascii: "m")] ?? 0
    days = counts[UInt8(ascii: "d")] ?? 0
    hours = counts[UInt8(ascii: "h")] ?? 0
  }

  /// The age in the form in which it is read.
  package var text: String {
    [(years, "y"), (months, "m"), (days, "d"), (hours, "h")].filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
  }

  /// The time from which on backups are within the age, seen from the newest one.
  func window(before newest: Int64, localHour: (Int64) -> LocalHour) -> Window {
    guard years > 0 || months > 0 || days > 0 else {
      let (start, isTooFar) = newest.subtractingReportingOverflow(Int64(hours) * 3_600_000_000_000)
      return .after(isTooFar ? .min : start)
    }
    let local = localHour(newest)
    let months = local.year * 12 + local.month - 1 - years * 12 - self.months
    let (year, month) = (
      Int(Int64(months).quotient(flooredBy: 12)), Int(Int64(months).remainder(flooredBy: 12)) + 1
    )
    let first = Int(CivilDay(year: year, month: month, checkedDay: 1).number)
    let length = CivilDay.length(ofMonth: month, year: year)
    // A month before the 31st of March is the 1st of March: February has no such day.
    let day = first + min(local.day - 1, length) - days
    // The night in which clocks change has an hour more or less.
    return .fromLocalHour(day * 24 - (hours > 0 ? hours + 1 : 0))
  }

  /// The time that an age reaches over.
  enum Window: Equatable {
    /// Everything later than a timestamp.
    case after(Int64)
    /// Everything from a local hour on, counted from 1970-01-01 00:00 on the wall.
    case fromLocalHour(Int)

    /// Whether a backup of this time is within it.
    func contains(_ candidate: RetentionRules.Candidate) -> Bool {
      switch self {
      case .after(let start): candidate.timestamp > start
      case .fromLocalHour(let start): candidate.local.dayNumber * 24 + candidate.local.hour >= start
      }
    }
  }
}
