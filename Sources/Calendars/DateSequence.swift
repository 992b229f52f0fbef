/// The local times that a rule names, numbered in their order: one a day, a week or a month.
struct DateSequence: Sendable {
  let step: Step
  let time: TimeOfDay

  /// What lies between two neighbours.
  enum Step: Sendable {
    case day
    case week(Weekday)
    case month(day: Int)
  }

  /// The local time that has a number.
  func time(numbered number: Int64) -> CivilTime { CivilTime(day: day(numbered: number), time: time) }

  /// The number of the last local time that is not after another one.
  func lastNumber(atOrBefore limit: CivilTime) -> Int64 {
    let day = CivilTime(seconds: limit.seconds - time.secondsIntoDay).day
    switch step {
    case .day: return day.number
    case .week(let weekday): return (day.number - firstNumber(of: weekday)).quotient(flooredBy: 7)
    case .month:
      let date = day.parts
      let number = Int64(date.year * 12 + date.month - 1)
      return self.day(numbered: number).number <= day.number ? number : number - 1
    }
  }

  private func day(numbered number: Int64) -> CivilDay {
    switch step {
    case .day: return CivilDay(number: number)
    case .week(let weekday): return CivilDay(number: number * 7 + firstNumber(of: weekday))
    case .month(let day):
      let (year, month) = (Int(number.quotient(flooredBy: 12)), Int(number.remainder(flooredBy: 12)) + 1)
      let length = CivilDay.length(ofMonth: month, year: year)
      return CivilDay(year: year, month: month, checkedDay: min(day, length))
    }
  }

  /// The number of the day with that name in the week of 1970-01-01, which was a Thursday.
  private func firstNumber(of weekday: Weekday) -> Int64 { Int64(weekday.daysAfterMonday - 3) }
}
