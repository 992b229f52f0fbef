import Calendars
import Testing

/// Slots that were worked out by hand, zone by zone.
@Suite("Slots by hand")
struct SlotTableTests {
  /// Expects these slots after an instant in UTC, and that `latest` and `count` see them too.
  private func expect(_ slots: [String], of rule: Rule, in name: String, after start: String) throws {
    let schedule = try Schedule(rule, in: try Zone(name))
    #expect(try Instants.slots(of: schedule, after: start, count: slots.count) == slots)
    var instant = try Instants.utc(start)
    let first = instant
    for _ in slots {
      let next = schedule.next(after: instant)
      #expect(schedule.latest(atOrBefore: next) == next)
      #expect(schedule.latest(atOrBefore: next - 1) <= instant || instant == first)
      instant = next
    }
    #expect(schedule.count(after: first, through: instant) == slots.count)
  }

  private func daily(_ time: String) throws -> Rule { .daily(try TimeOfDay(parsing: time)) }

  @Test("the standard rule is Saturday at 02:00 in New York")
  func standard() throws {
    try expect(
      ["2026-11-28 02:00:00-05:00", "2026-12-05 02:00:00-05:00"], of: .standard, in: Zone.standardName,
      after: "2026-11-21 07:00")
    try expect(["2026-11-21 02:00:00-05:00"], of: .standard, in: Zone.standardName, after: "2026-11-21 06:59")
  }

  @Test("T3: a time in New York's gap has its slot at the end of the gap")
  func springGap() throws {
    let slots = ["2027-03-13 02:30:00-05:00", "2027-03-14 03:00:00-04:00", "2027-03-15 02:30:00-04:00"]
    try expect(slots, of: try daily("02:30"), in: "America/New_York", after: "2027-03-13 00:00")
    try expect(
      ["2027-03-14 03:00:00-04:00", "2027-03-21 02:00:00-04:00"],
      of: .weekly(.sun, .standard), in: "America/New_York", after: "2027-03-10 00:00")
    try expect(
      ["2027-03-14 03:00:00-04:00", "2027-03-15 03:00:00-04:00"],
      of: try daily("03:00"), in: "America/New_York", after: "2027-03-14 00:00")
  }

  @Test("T4: a time that New York has twice has its slot the first time only")
  func autumnOverlap() throws {
    try expect(
      ["2026-11-01 01:30:00-04:00", "2026-11-02 01:30:00-05:00"],
      of: try daily("01:30"), in: "America/New_York", after: "2026-11-01 00:00")
    try expect(
      ["2026-11-01 02:00:00-05:00"], of: try daily("02:00"), in: "America/New_York", after: "2026-11-01 00:00")
  }

  @Test("T5: hourly slots come in both passes of a repeated hour, and once an hour beside a gap")
  func hourly() throws {
    try expect(
      ["2026-11-01 01:30:00-04:00", "2026-11-01 01:30:00-05:00", "2026-11-01 02:30:00-05:00"],
      of: .hourly(minute: 30), in: "America/New_York", after: "2026-11-01 05:00")
    try expect(
      ["2026-11-01 01:00:00-04:00", "2026-11-01 01:00:00-05:00", "2026-11-01 02:00:00-05:00"],
      of: .hourly(minute: 0), in: "America/New_York", after: "2026-11-01 04:59")
    try expect(
      ["2027-03-14 01:30:00-05:00", "2027-03-14 03:30:00-04:00", "2027-03-14 04:30:00-04:00"],
      of: .hourly(minute: 30), in: "America/New_York", after: "2027-03-14 06:00")
  }

  @Test("T7: a month without the day has its slot on its last day, in leap years too")
  func monthEnds() throws {
    let time = TimeOfDay.standard
    try expect(
      [
        "2028-01-31 02:00:00+00:00", "2028-02-29 02:00:00+00:00", "2028-03-31 02:00:00+00:00",
        "2028-04-30 02:00:00+00:00",
      ], of: .monthly(day: 31, time), in: "UTC", after: "2028-01-01 00:00")
    try expect(
      ["2026-02-28 02:00:00+00:00", "2026-03-29 02:00:00+00:00"], of: .monthly(day: 29, time), in: "UTC",
      after: "2026-02-01 00:00")
    try expect(
      ["2100-02-28 02:00:00+00:00", "2100-03-30 02:00:00+00:00"], of: .monthly(day: 30, time), in: "UTC",
      after: "2100-02-01 00:00")
    try expect(
      ["2026-12-15 02:00:00+00:00", "2027-01-15 02:00:00+00:00"], of: .monthly(day: 15, time), in: "UTC",
      after: "2026-11-15 02:00")
  }

  @Test("leap days and the ends of years are days like others")
  func ordinaryDays() throws {
    try expect(
      ["2028-02-28 02:00:00+00:00", "2028-02-29 02:00:00+00:00", "2028-03-01 02:00:00+00:00"],
      of: .daily(.standard), in: "UTC", after: "2028-02-28 01:00")
    try expect(
      ["2026-12-31 23:59:00+00:00", "2027-01-01 23:59:00+00:00"], of: try daily("23:59"), in: "UTC",
      after: "2026-12-31 23:58")
    try expect(
      ["2026-12-26 00:00:00-05:00", "2027-01-02 00:00:00-05:00"], of: .weekly(.sat, try Instants.time("0:00")),
      in: "America/New_York", after: "2026-12-25 00:00")
  }

  @Test("T6: Lord Howe sets its clock by half an hour, and no hour is without a slot")
  func lordHowe() throws {
    let zone = "Australia/Lord_Howe"
    let (spring, autumn) = ("2026-10-03 14:30", "2027-04-03 13:30")
    try expect(
      ["2026-10-04 01:15:00+10:30", "2026-10-04 02:30:00+11:00", "2026-10-04 03:15:00+11:00"],
      of: .hourly(minute: 15), in: zone, after: spring)
    try expect(
      ["2026-10-04 01:45:00+10:30", "2026-10-04 02:45:00+11:00", "2026-10-04 03:45:00+11:00"],
      of: .hourly(minute: 45), in: zone, after: spring)
    try expect(
      ["2026-10-04 02:30:00+11:00", "2026-10-04 03:00:00+11:00"], of: .hourly(minute: 0), in: zone, after: spring)
    try expect(
      [
        "2027-04-04 01:15:00+11:00", "2027-04-04 01:30:00+10:30", "2027-04-04 02:15:00+10:30",
      ], of: .hourly(minute: 15), in: zone, after: autumn)
    try expect(
      [
        "2027-04-04 00:45:00+11:00", "2027-04-04 01:45:00+11:00", "2027-04-04 01:45:00+10:30",
        "2027-04-04 02:45:00+10:30",
      ], of: .hourly(minute: 45), in: zone, after: autumn)
    try expect(
      ["2026-10-04 02:30:00+11:00", "2026-10-05 02:15:00+11:00"], of: try daily("2:15"), in: zone, after: spring)
  }

  @Test("T2: a zone that skips a whole day has one slot for it, and none twice")
  func skippedDays() throws {
    let (zone, start) = ("Pacific/Apia", "2011-12-29 11:00")
    try expect(
      ["2011-12-29 02:00:00-10:00", "2011-12-31 00:00:00+14:00", "2011-12-31 02:00:00+14:00"],
      of: .daily(.standard), in: zone, after: start)
    try expect(
      ["2011-12-31 00:00:00+14:00", "2012-01-01 00:00:00+14:00"], of: try daily("0:00"), in: zone, after: start)
    try expect(
      ["2011-12-31 00:00:00+14:00", "2012-01-06 12:00:00+14:00"], of: .weekly(.fri, try Instants.time("12:00")),
      in: zone, after: start)
    try expect(
      ["2011-12-31 00:00:00+14:00", "2012-01-30 02:00:00+14:00"], of: .monthly(day: 30, .standard), in: zone,
      after: start)
    try expect(
      ["2011-12-29 23:30:00-10:00", "2011-12-31 00:30:00+14:00"], of: .hourly(minute: 30), in: zone,
      after: "2011-12-30 09:00")
    try expect(
      ["1993-08-20 12:00:00-12:00", "1993-08-22 00:00:00+12:00", "1993-08-22 12:00:00+12:00"],
      of: try daily("12:00"), in: "Pacific/Kwajalein", after: "1993-08-20 23:00")
  }

  @Test("Kathmandu is 5:45 ahead, and in 1986 it set its clock by a quarter of an hour")
  func kathmandu() throws {
    let zone = "Asia/Kathmandu"
    try expect(["2026-11-28 02:00:00+05:45"], of: .daily(.standard), in: zone, after: "2026-11-27 20:14")
    try expect(
      ["1986-01-01 00:15:00+05:45", "1986-01-02 00:00:00+05:45"], of: try daily("0:00"), in: zone,
      after: "1985-12-31 00:00")
    try expect(
      ["1985-12-31 23:00:00+05:30", "1986-01-01 00:15:00+05:45", "1986-01-01 01:00:00+05:45"],
      of: .hourly(minute: 0), in: zone, after: "1985-12-31 17:00")
  }

  @Test("Morocco sets its clock back for Ramadan")
  func morocco() throws {
    let zone = "Africa/Casablanca"
    try expect(
      ["2025-02-23 02:30:00+01:00", "2025-02-24 02:30:00+00:00"], of: try daily("2:30"), in: zone,
      after: "2025-02-23 00:00")
    try expect(
      ["2025-04-06 03:00:00+01:00", "2025-04-07 02:30:00+01:00"], of: try daily("2:30"), in: zone,
      after: "2025-04-06 00:00")
  }

  @Test("Dublin's summer time is its standard time")
  func dublin() throws {
    let zone = "Europe/Dublin"
    try expect(
      ["2026-03-29 02:00:00+01:00", "2026-03-30 01:30:00+01:00"], of: try daily("1:30"), in: zone,
      after: "2026-03-29 00:00")
    try expect(
      ["2026-10-25 01:30:00+01:00", "2026-10-26 01:30:00+00:00"], of: try daily("1:30"), in: zone,
      after: "2026-10-25 00:00")
  }

  @Test("Scoresbysund changed its zone in 2024 as summer began, so its clock was not set")
  func scoresbysund() throws {
    let zone = "America/Scoresbysund"
    try expect(["2023-03-26 01:00:00+00:00"], of: try daily("0:30"), in: zone, after: "2023-03-26 00:00")
    try expect(
      ["2024-03-30 00:30:00-01:00", "2024-03-31 00:30:00-01:00", "2024-04-01 00:30:00-01:00"],
      of: try daily("0:30"), in: zone, after: "2024-03-30 00:00")
    try expect(
      ["2024-10-26 23:30:00-01:00", "2024-10-27 23:30:00-02:00"], of: try daily("23:30"), in: zone,
      after: "2024-10-26 12:00")
  }

  @Test("Troll sets its clock by two hours")
  func troll() throws {
    let zone = "Antarctica/Troll"
    try expect(
      ["2026-03-29 03:00:00+02:00", "2026-03-30 02:00:00+02:00"], of: .daily(.standard), in: zone,
      after: "2026-03-29 00:00")
    try expect(
      [
        "2026-10-25 01:00:00+02:00", "2026-10-25 02:00:00+02:00", "2026-10-25 01:00:00+00:00",
        "2026-10-25 02:00:00+00:00", "2026-10-25 03:00:00+00:00",
      ], of: .hourly(minute: 0), in: zone, after: "2026-10-24 22:30")
  }
}
