/// What the footer of a TZif file says of the years after its last change: a POSIX TZ string.
struct YearlyRules: Sendable, Equatable {
  /// Seconds east of UTC in the ordinary part of the year.
  let standardSeconds: Int64
  /// The part of the year that has another offset, if there is one.
  let summer: Summer?

  struct Summer: Sendable, Equatable {
    let offsetSeconds: Int64
    let start: Turn
    let end: Turn
  }

  /// A day of each year, and a time on the clock that is valid until then.
  struct Turn: Sendable, Equatable {
    let day: Day
    /// Seconds since that day began; it may lie days before or after it.
    let seconds: Int64
  }

  enum Day: Sendable, Equatable {
    /// Its number, 1 to 365, in a year whose leap day is not counted: `J60` is always the 1st of March.
    case withoutLeapDay(Int)
    /// Its number, 0 to 365, with the leap day.
    case withLeapDay(Int)
    /// A weekday of a month, 0 for Sunday; the fifth is the last.
    case weekday(Int, week: Int, month: Int)

    func number(year: Int) -> Int64 {
      let newYear = CivilDay(year: year, month: 1, checkedDay: 1).number
      switch self {
      case .withoutLeapDay(let number):
        let isAfterLeapDay = number >= 60 && CivilDay.isLeap(year: year)
        return newYear + Int64(isAfterLeapDay ? number : number - 1)
      case .withLeapDay(let number): return newYear + Int64(number)
      case .weekday(let weekday, let week, let month):
        let first = CivilDay(year: year, month: month, checkedDay: 1)
        let ahead = (weekday + 6 - first.daysAfterMonday) % 7
        let day = ahead + (week - 1) * 7
        return first.number + Int64(day < CivilDay.length(ofMonth: month, year: year) ? day : day - 7)
      }
    }
  }

  /// A second at which an offset begins.
  struct Change: Sendable, Equatable {
    let second: Int64
    let offsetSeconds: Int64
  }

  /// The offset at a second since 1970 UTC.
  func offsetSeconds(atSecond second: Int64) -> Int64 {
    let year = CivilTime(seconds: second + standardSeconds).day.parts.year
    return changes(years: (year - 1)...(year + 1)).last { $0.second <= second }?.offsetSeconds ?? standardSeconds
  }

  /// The changes of some years in their order.
  ///
  /// Where summer ends as the next one begins it lasts all year, so the end comes first.
  func changes(years: ClosedRange<Int>) -> [Change] {
    guard let summer else { return [] }
    let ends = years.map { year in
      Change(
        second: summer.end.day.number(year: year) * 86_400 + summer.end.seconds - summer.offsetSeconds,
        offsetSeconds: standardSeconds)
    }
    let starts = years.map { year in
      Change(
        second: summer.start.day.number(year: year) * 86_400 + summer.start.seconds - standardSeconds,
        offsetSeconds: summer.offsetSeconds)
    }
    // Swift's sort keeps the order of what is equal.
    return (ends + starts).sorted { $0.second < $1.second }
  }
}
