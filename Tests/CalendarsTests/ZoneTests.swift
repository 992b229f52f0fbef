import Calendars
import Testing

/// Names of zones, and what their clocks show.
@Suite("Zones")
struct ZoneTests {
  @Test(
    "T9: a name of the tz database is taken",
    arguments: [
      "America/New_York", "US/Eastern", "UTC", "Etc/UTC", "GMT", "GMT+0", "GMT-0", "GMT0", "UCT", "Zulu", "Universal",
      "Greenwich", "Etc/GMT+5", "Etc/GMT-14", "Asia/Kolkata", "Asia/Calcutta", "Europe/Kyiv", "Europe/Kiev", "EST5EDT",
      "W-SU", "NZ-CHAT", "America/Argentina/ComodRivadavia", "Antarctica/DumontDUrville", "Japan",
    ])
  func known(name: String) throws { #expect(try Zone(name).name == name) }

  @Test(
    "T9: what Foundation would guess at is refused, and so is what no one knows",
    arguments: [
      "", " ", "../etc/passwd", "/usr/share/zoneinfo/America/New_York", "utc+foo", "utc", "PST", "CST", "IST", "JST",
      "ACT", "BST", "CEST", "GMT+5", "GMT+0500", "GMT+00:00", "UTC+5", "UTC-05:00", "EST5EDT4", "localtime",
      "posixrules",
      "Factory", "Etc/Unknown", "america/new_york", "AMERICA/NEW_YORK", "America/New_York ", " America/New_York",
      "America/New_York\0", "America/New York", "America", "America/", "/", "Mars/Phobos", "SystemV/EST5EDT",
      "posix/America/New_York", "right/UTC", "America/../UTC", "Eastern Standard Time", "Ámerica/New_York",
      "America/New_York/America/New_York", String(repeating: "a/", count: 100_000),
    ])
  func unknown(name: String) {
    let error = #expect(throws: UnknownZone.self) { try Zone(name) }
    #expect(error?.name == name)
  }

  @Test("a sign after Etc/GMT counts westwards")
  func etc() throws {
    #expect(try Zone("Etc/GMT+5").offsetSeconds(at: 0) == -18_000)
    for name in ["UTC", "GMT+0", "GMT-0", "GMT0", "Zulu", "Universal"] {
      #expect(try Zone(name).offsetSeconds(at: try Instants.utc("2026-07-01 00:00")) == 0)
    }
  }

  @Test("a clock shows an instant as Python's str(datetime) does")
  func clocks() throws {
    let zone = try Zone("America/New_York")
    let clock = zone.clock(at: try Instants.utc("2026-11-28 07:00") + 999_999_999)
    #expect(clock.description == "2026-11-28 02:00:00-05:00")
    #expect([clock.year, clock.month, clock.day, clock.hour, clock.minute, clock.second] == [2026, 11, 28, 2, 0, 0])
    #expect(clock.offsetSeconds == -18_000)
    #expect(zone.clock(at: -1).description == "1969-12-31 18:59:59-05:00")
    #expect(try Zone("Asia/Kathmandu").clock(at: 0).description == "1970-01-01 05:30:00+05:30")
    #expect(zone.clock(at: try Instants.utc("1800-01-01 12:00")).description == "1800-01-01 07:03:58-04:56:02")
  }

  @Test("a local time has no instant in a gap, two in an overlap, else one")
  func instants() throws {
    let zone = try Zone("America/New_York")
    let gap = try local("2027-03-14 02:30")
    #expect(zone.instants(showing: gap) == [])
    #expect(zone.firstInstant(showing: gap) == (try Instants.utc("2027-03-14 07:00")))
    let twice = [try Instants.utc("2026-11-01 05:30"), try Instants.utc("2026-11-01 06:30")]
    #expect(zone.instants(showing: try local("2026-11-01 01:30")) == twice)
    #expect(zone.firstInstant(showing: try local("2026-11-01 01:30")) == twice[0])
    #expect(zone.instants(showing: try local("2026-11-01 02:00")) == [try Instants.utc("2026-11-01 07:00")])
    #expect(zone.instants(showing: try local("2027-03-14 03:00")) == [try Instants.utc("2027-03-14 07:00")])
    #expect(try Zone("Pacific/Apia").instants(showing: try local("2011-12-30 12:00")) == [])
  }

  private func local(_ text: String) throws -> CivilTime {
    CivilTime(seconds: try Instants.utc(text) / Instants.secondNanoseconds)
  }
}
