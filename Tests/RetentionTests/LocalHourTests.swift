import Foundation
import Retention
import Testing

@Suite("Local hours")
struct LocalHourTests {
  @Test("days, months and ISO weeks are those of Foundation, on every day from 1890 to 2130")
  func days() throws {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
    var count = 0
    for number in -29_220..<58_440 {
      let date = Date(timeIntervalSince1970: Double(number) * 86_400)
      let parts = calendar.dateComponents([.year, .month, .day, .weekOfYear, .yearForWeekOfYear], from: date)
      let hour = LocalHour(
        year: try #require(parts.year), month: try #require(parts.month), day: try #require(parts.day), hour: 0)
      let week = hour.isoWeek
      if hour.dayNumber == number, week.year == parts.yearForWeekOfYear, week.week == parts.weekOfYear { count += 1 }
    }
    #expect(count == 87_660)
  }

  @Test("an hour, a day, a month and a week have a form for people")
  func texts() {
    let hour = LocalHour(year: 2027, month: 1, day: 3, hour: 4)
    #expect(hour.text == "2027-01-03 04:00")
    #expect(hour.dayText == "2027-01-03")
    #expect(hour.monthText == "2027-01")
    #expect(hour.weekText == "2026-W53")
  }
}
