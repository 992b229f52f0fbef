import Calendars
import TestKit
import Testing

/// What holds for every schedule, tried on seeded random ones.
@Suite("Slots in general")
struct SlotPropertyTests {
  /// SplitMix64: the same seed gives the same cases on every machine.
  private static let day = 86_400 * Instants.secondNanoseconds
  private static let names = [
    "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "Asia/Kathmandu",
    "Antarctica/Troll",
    "Africa/Casablanca", "Europe/Dublin", "America/Scoresbysund", "America/St_Johns", "America/Caracas",
    "Asia/Pyongyang",
    "Pacific/Chatham", "Asia/Gaza", "Europe/Kyiv", "America/Nuuk", "Asia/Colombo", "Pacific/Kiritimati", "UTC",
  ]

  private func schedule(using random: inout SeededGenerator) throws -> Schedule {
    let zone = try Zone(try #require(Self.names.randomElement(using: &random)))
    let (hour, minute) = (Int.random(in: 0...23, using: &random), Int.random(in: 0...59, using: &random))
    let time = try #require(TimeOfDay(hour: Bool.random(using: &random) ? hour % 4 : hour, minute: minute))
    let weekday = try #require(Weekday.allCases.randomElement(using: &random))
    let rules: [Rule] = [
      .hourly(minute: minute), .daily(time), .weekly(weekday, time),
      .monthly(day: Int.random(in: 1...31, using: &random), time),
    ]
    return try Schedule(try #require(rules.randomElement(using: &random)), in: zone)
  }

  /// An instant from 1970 to 2050; one in two is near a change of the clock, if one comes in the next year.
  private func instant(in zone: Zone, using random: inout SeededGenerator) -> Int64 {
    let start = Int64.random(in: 0...29_000, using: &random) * Self.day
    let change = (1...365).first { zone.offsetSeconds(at: start + $0 * Self.day) != zone.offsetSeconds(at: start) }
    let isNear = Bool.random(using: &random)
    let near = start + (isNear ? change ?? 0 : 0) * Self.day
    return near + Int64.random(in: -Self.day...Self.day, using: &random)
  }

  @Test(
    "T1, T2: next is after its instant, latest is not, and nothing lies between",
    arguments: 1...8 as ClosedRange<UInt64>)
  func neighbours(seed: UInt64) throws {
    var random = SeededGenerator(state: seed)
    for _ in 0..<500 {
      let schedule = try schedule(using: &random)
      let instant = instant(in: schedule.zone, using: &random)
      let (next, latest) = (schedule.next(after: instant), schedule.latest(atOrBefore: instant))
      let between = Int64.random(in: latest..<next, using: &random)
      #expect(latest <= instant && instant < next, "\(schedule) at \(instant)")
      #expect(schedule.latest(atOrBefore: next) == next)
      #expect(schedule.latest(atOrBefore: next - 1) == latest)
      #expect(schedule.next(after: latest) == next)
      #expect(schedule.next(after: between) == next)
      #expect(schedule.latest(atOrBefore: between) == latest)
      #expect(schedule.next(after: instant - Self.day) <= next)
      // The longest change of a clock is a day.
      let longest = Int64(schedule.rule.nominalSeconds) * Instants.secondNanoseconds + Self.day
      #expect(next - latest <= longest)
    }
  }

  @Test("T6: an hourly schedule leaves no more than an hour between its slots", arguments: names)
  func hours(name: String) throws {
    var random = SeededGenerator(state: 6)
    for _ in 0..<100 {
      let zone = try Zone(name)
      let schedule = try Schedule(.hourly(minute: Int.random(in: 0...59, using: &random)), in: zone)
      let instant = instant(in: zone, using: &random)
      let wait = schedule.next(after: instant) - schedule.latest(atOrBefore: instant)
      #expect(wait <= 3600 * Instants.secondNanoseconds)
    }
  }

  @Test("T8: count agrees with stepping", arguments: 11...14 as ClosedRange<UInt64>)
  func counts(seed: UInt64) throws {
    var random = SeededGenerator(state: seed)
    for _ in 0..<200 {
      let schedule = try schedule(using: &random)
      let start = instant(in: schedule.zone, using: &random)
      var (instant, steps) = (start, Int.random(in: 0...60, using: &random))
      for _ in 0..<steps { instant = schedule.next(after: instant) }
      #expect(schedule.count(after: start, through: instant) == steps, "\(schedule) from \(start) to \(instant)")
      if steps > 0 {
        #expect(schedule.count(after: start, through: instant - 1) == steps - 1)
        steps -= 1
      }
      #expect(schedule.count(after: instant, through: start) == 0)
    }
  }

  @Test("T8: thirty years of hourly slots are counted at once")
  func longCount() throws {
    let schedule = try Schedule(.hourly(minute: 0), in: try Zone("America/New_York"))
    let (first, last) = (try Instants.utc("2000-01-01 00:00"), try Instants.utc("2030-01-01 00:00"))
    let clock = ContinuousClock()
    let taken = clock.measure {
      // In New York the clock is set by whole hours: a slot each hour.
      #expect(schedule.count(after: first, through: last) == 10_958 * 24)
    }
    #expect(taken < .seconds(2))
    let (all, reach) = (schedule.count(after: .min, through: .max), Int(UInt64.max / 3_600_000_000_000))
    // Before 1883 New York's clock had seconds of its own, and was set once by some minutes.
    #expect(abs(all - reach) <= 2)
  }

  @Test("T8: two years are counted as they are stepped through, where the clock is set by half an hour or a day")
  func countThroughChanges() throws {
    for (name, minute, start) in [
      ("Australia/Lord_Howe", 15, "2025-01-01 00:00"), ("Asia/Pyongyang", 0, "2014-06-01 00:00"),
    ] {
      try expectSteps(of: .hourly(minute: minute), in: name, from: start, days: 730)
    }
    try expectSteps(of: .daily(try Instants.time("0:00")), in: "Pacific/Apia", from: "2011-01-01 00:00", days: 730)
  }

  private func expectSteps(of rule: Rule, in name: String, from start: String, days: Int64) throws {
    let schedule = try Schedule(rule, in: try Zone(name))
    let first = try Instants.utc(start)
    let last = first + days * Self.day
    var (steps, instant) = (0, schedule.next(after: first))
    while instant <= last { (steps, instant) = (steps + 1, schedule.next(after: instant)) }
    #expect(schedule.count(after: first, through: last) == steps)
  }

  @Test("instants at the ends of 64 bits are answered", arguments: [.min, .min + 1, .max - 1, .max] as [Int64])
  func ends(instant: Int64) throws {
    for name in Self.names {
      for rule in [Rule.hourly(minute: 59), .daily(.standard), .standard, .monthly(day: 31, .standard)] {
        let schedule = try Schedule(rule, in: try Zone(name))
        #expect(schedule.next(after: instant) >= instant)
        #expect(schedule.latest(atOrBefore: instant) <= instant)
        #expect(schedule.count(after: instant, through: instant) == 0)
      }
    }
  }
}
