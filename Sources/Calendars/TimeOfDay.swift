/// An hour and a minute, as a clock on the wall shows them.
package struct TimeOfDay: Sendable, Hashable {
  /// The hour is 0 to 23.
  package let hour: Int
  /// The minute is 0 to 59.
  package let minute: Int

  /// The time of a backup when nothing else is asked for: 02:00.
  package static let standard = TimeOfDay(checkedHour: 2, checkedMinute: 0)

  /// Takes an hour and a minute that exist.
  package init?(hour: Int, minute: Int) {
    guard (0...23).contains(hour), (0...59).contains(minute) else { return nil }
    self.init(checkedHour: hour, checkedMinute: minute)
  }

  private init(checkedHour: Int, checkedMinute: Int) {
    hour = checkedHour
    minute = checkedMinute
  }

  /// Reads a time such as `2:00` or `02:00`, in ASCII digits.
  package init(parsing text: String) throws(UnusableTime) {
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw UnusableTime(message: "backup_time must be in HH:MM format, got '\(text)'")
    }
    guard let hour = Number(parts[0]), let minute = Number(parts[1]) else {
      throw UnusableTime(message: "backup_time contains non-numeric values: '\(text)'")
    }
    guard let wholeHour = hour.value(through: 23) else {
      throw UnusableTime(message: "Hour must be 0-23, got \(hour.text) in '\(text)'")
    }
    guard let wholeMinute = minute.value(through: 59) else {
      throw UnusableTime(message: "Minute must be 0-59, got \(minute.text) in '\(text)'")
    }
    self.init(checkedHour: wholeHour, checkedMinute: wholeMinute)
  }

  /// Seconds since the day began, on a clock that is not set meanwhile.
  var secondsIntoDay: Int64 { Int64(hour * 3600 + minute * 60) }

  /// A whole number of any length, as text.
  private struct Number {
    /// It has no leading zeros.
    let text: String

    /// Only ASCII digits count, with a minus sign before them if the number is below zero.
    init?(_ bytes: Substring.UTF8View) {
      let isNegative = bytes.first == UInt8(ascii: "-")
      let digits = bytes.dropFirst(isNegative ? 1 : 0)
      guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
        return nil
      }
      let significant = digits.drop { $0 == UInt8(ascii: "0") }
      if isNegative, significant.isEmpty { return nil }
      text = (isNegative ? "-" : "") + (significant.isEmpty ? "0" : String(Substring(significant)))
    }

    func value(through limit: Int) -> Int? {
      guard let value = Int(text), (0...limit).contains(value) else { return nil }
      return value
    }
  }
}
