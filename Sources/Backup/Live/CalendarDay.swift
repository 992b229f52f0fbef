internal import Files

/// A day of the calendar, without a time and without a zone.
public struct CalendarDay: Sendable, Hashable, Comparable, LosslessStringConvertible {
  /// Years of our era, 1 to 9999.
  public let year: Int
  /// Months of the year, 1 to 12.
  public let month: Int
  /// Days of the month, 1 to 31.
  public let day: Int

  /// Returns nil when there is no such day.
  public init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard day <= days[month - 1] else { return nil }
    self.year = year
    self.month = month
    self.day = day
  }

  /// A day in the form `2026-01-24`; nil for every other form.
  public init?(_ description: String) {
    let parts = description.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.count) == [4, 2, 2], parts.joined().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// In the form `2026-01-24`.
  public var description: String {
    let padded = [(year, 4), (month, 2), (day, 2)].map { value, width in
      String(repeating: "0", count: max(0, width - "\(value)".count)) + "\(value)"
    }
    return padded.joined(separator: "-")
  }

  /// Today in this machine's time zone.
  public static var today: CalendarDay { of(SystemTime()) }

  /// The first day of 2020, from which on the guide looks at prices.
  public static let guideStart = CalendarDay(unchecked: 2020, 1, day: 1)

  static func of(_ time: any TimeSource) -> CalendarDay {
    let now = LocalTime(nanoseconds: time.nowNanoseconds)
    return CalendarDay(unchecked: now.year, now.month, day: now.day)
  }

  private init(unchecked year: Int, _ month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// Whether the left day is earlier.
  public static func < (left: CalendarDay, right: CalendarDay) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }
}
