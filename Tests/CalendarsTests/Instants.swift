import Calendars
import Testing

/// Instants and schedules for tests, from text.
enum Instants {
  static let secondNanoseconds: Int64 = 1_000_000_000

  /// The instant of `2026-11-01 05:00` in UTC.
  static func utc(_ text: String) throws -> Int64 {
    let fields = text.split { "- :".contains($0) }.compactMap { Int($0) }
    let day = try #require(CivilDay(year: fields[0], month: fields[1], day: fields[2]))
    let time = try #require(TimeOfDay(hour: fields[3], minute: fields[4]))
    return CivilTime(day: day, time: time).seconds * secondNanoseconds
  }

  static func time(_ text: String) throws -> TimeOfDay { try TimeOfDay(parsing: text) }

  /// The next slots after an instant, as the clock of the zone shows them.
  static func slots(of schedule: Schedule, after start: String, count: Int) throws -> [String] {
    var (instant, texts) = (try utc(start), [String]())
    for _ in 0..<count {
      instant = schedule.next(after: instant)
      texts.append(schedule.zone.clock(at: instant).description)
    }
    return texts
  }
}
