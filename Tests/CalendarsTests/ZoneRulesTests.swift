import Calendars
import Foundation
import TestKit
import Testing

/// T10: files of the tz database, read and compared with Foundation.
@Suite("Files of zones")
struct ZoneRulesTests {
  private static let folder = "/usr/share/zoneinfo"
  private static let newYork = "EST5EDT,M3.2.0,M11.1.0"

  private func rules(footer: String) throws -> ZoneRules {
    var file = ZoneFile()
    file.footer = footer
    return try ZoneRules(parsing: file.bytes)
  }

  private func reason(of bytes: [UInt8]) -> String? {
    #expect(throws: MalformedZoneFile.self) { try ZoneRules(parsing: bytes) }?.reason
  }

  @Test("a footer gives the offset of every year")
  func footer() throws {
    let rules = try rules(footer: Self.newYork)
    let change = try Instants.utc("2027-03-14 07:00")
    #expect(rules.offsetSeconds(at: change - 1) == -18_000)
    #expect(rules.offsetSeconds(at: change) == -14_400)
    #expect(rules.offsetSeconds(at: try Instants.utc("2026-11-01 05:59")) == -14_400)
    #expect(rules.offsetSeconds(at: try Instants.utc("2026-11-01 06:00")) == -18_000)
    #expect(rules.firstDifference(from: try Zone("America/New_York"), startingAt: change, years: 100) == nil)
  }

  @Test(
    "a footer may name days and times in all the ways of RFC 9636",
    arguments: [
      // Jn counts no leap day, n does; both name the 1st of March 2028 here, and the 29th of February.
      ("AAA0BBB,J60/0,J300", "2028-02-29 23:59", 0), ("AAA0BBB,J60/0,J300", "2028-03-01 00:00", 3600),
      ("AAA0BBB,59/0,J300", "2028-02-28 23:59", 0), ("AAA0BBB,59/0,J300", "2028-02-29 00:00", 3600),
      // Greenland: the turn is two hours before Sunday begins.
      ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29 00:59", -7200),
      ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29 01:00", -3600),
      // Gaza: 50 hours after Thursday began is Saturday, 02:00.
      ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-27 23:59", 7200),
      ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28 00:00", 10_800),
      // Dublin: winter is the part that is set back.
      ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-12-31 12:00", 0), ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01 12:00", 3600),
      // South of the equator summer lasts over the new year.
      ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2027-01-01 00:00", 39_600),
      ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2027-07-01 00:00", 37_800),
      // Summer lasts all year.
      ("EST5EDT,0/0,J365/25", "2027-01-01 05:00", -14_400), ("EST5EDT,0/0,J365/25", "2027-12-31 23:59", -14_400),
      ("<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", "2026-07-01 00:00", 7200), ("<-1234>12:34:56", "2026-07-01 00:00", -45_296),
      ("", "2026-07-01 00:00", 0),
    ])
  func footers(text: String, instant: String, offset: Int) throws {
    #expect(try rules(footer: text).offsetSeconds(at: try Instants.utc(instant)) == offset)
  }

  @Test(
    "a footer that is no rule is refused",
    arguments: [
      "E5", "EST", "EST5EDT", "EST5EDT,M3.2.0", "EST25", "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
      "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J300", "EST5EDT,J366,J300", "EST5EDT,366,1", "EST5EDT,1/168,2", "<EST5",
      "EST5EDT,M3.2.0,M11.1.0,", "EST5EDT,M3.2.0,M11.1.0 ", "EST99999999999999999999", "EST5:60", "EST--5", "\0",
      String(repeating: "A", count: 300),
    ])
  func badFooters(text: String) { #expect(throws: MalformedZoneFile.self) { try rules(footer: text) } }

  @Test("the listed changes come first, the footer after them, and version 1 has 32 bits")
  func transitions() throws {
    var file = ZoneFile(transitions: [(-1000, 1), (1000, 2)], offsets: [60, 120, 180], footer: "AAA-1")
    for (version, last) in [(Character("\0"), 180), ("2", 3600), ("3", 3600), ("4", 3600)] {
      file.version = version
      let rules = try ZoneRules(parsing: file.bytes)
      let offsets = [-1001, -1000, 999, 1000].map { rules.offsetSeconds(at: $0 * Instants.secondNanoseconds) }
      #expect(offsets == [60, 120, 120, last])
      #expect(rules.offsetSeconds(at: .min) == 60)
      #expect(rules.offsetSeconds(at: .max) == last)
    }
  }

  @Test("what does not fit is refused")
  func misfits() {
    #expect(reason(of: []) == "it is too short")
    #expect(reason(of: Array("TZit".utf8)) == "it is no TZif")
    #expect(reason(of: ZoneFile(version: "9").bytes) == "its version is unknown")
    #expect(reason(of: ZoneFile(offsets: []).bytes) == "it has no offsets")
    #expect(reason(of: ZoneFile(offsets: [100_000]).bytes) == "an offset is out of its range")
    #expect(reason(of: ZoneFile(offsets: [.min]).bytes) == "an offset is out of its range")
    #expect(reason(of: ZoneFile(transitions: [(0, 1)]).bytes) == "a change has no offset")
    #expect(reason(of: ZoneFile(transitions: [(5, 0), (5, 0)]).bytes) == "its changes are not in order")
    #expect(reason(of: ZoneFile(leapSeconds: 1).bytes) == "it counts leap seconds")
    #expect(reason(of: ZoneFile(leapSeconds: 2000).bytes) == "it counts too many parts")
    #expect(reason(of: [UInt8](repeating: 0, count: 2 << 20)) == "it is too large")
    #expect(reason(of: ZoneFile().bytes.dropLast()) == "its footer does not begin or end")
  }

  @Test("no bytes make it crash: each beginning of a file, and files with wrong bytes")
  func strangers() {
    let whole = ZoneFile(transitions: [(-1000, 1), (1000, 0)], offsets: [60, 120], footer: Self.newYork).bytes
    for count in 0..<whole.count { #expect(reason(of: Array(whole.prefix(count))) != nil) }
    var random = SeededGenerator(state: 10)
    var refused = 0
    for _ in 0..<20_000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      do throws(MalformedZoneFile) {
        let rules = try ZoneRules(parsing: bytes)
        for instant in [Int64.min, 0, .max] { #expect(abs(rules.offsetSeconds(at: instant)) < 100_000) }
      } catch { refused += 1 }
    }
    #expect(refused > 1000)
  }

  @Test("a comparison tells no difference, the first one, and that there is no file")
  func comparison() throws {
    let zone = try Zone("America/New_York")
    let start = try Instants.utc("2026-07-01 00:00")
    func compare(_ file: [UInt8]?, years: Int = 20) throws -> ZoneComparison {
      try ZoneComparison(of: zone, withFile: file, startingAt: start, years: years)
    }
    #expect(try compare(nil) == .noFile)
    #expect(try compare(ZoneFile(footer: Self.newYork).bytes) == .same)
    #expect(try compare(ZoneFile(footer: "UTC0").bytes) == .differs(from: start))
    // A winter without summers: they differ in each summer, and nowhere else.
    let winter = try Instants.utc("2026-12-01 00:00")
    let never = try ZoneComparison(of: zone, withFile: ZoneFile(footer: "EST5").bytes, startingAt: winter, years: 1)
    #expect(never == .differs(from: try Instants.utc("2027-03-14 07:00")))
    // Summer time without an end: the clocks differ from the day on which Foundation sets its own back.
    let change = try Instants.utc("2026-11-01 06:00")
    #expect(try compare(ZoneFile(footer: "EDT4").bytes) == .differs(from: change))
    #expect(try compare(ZoneFile(footer: "EDT4").bytes, years: 0) == .same)
    // One more listed change than Foundation knows.
    let listed = ZoneFile(
      transitions: [(change / Instants.secondNanoseconds - 86_400, 1)], offsets: [-14_400, -18_000])
    #expect(try compare(listed.bytes) == .differs(from: change - 86_400 * Instants.secondNanoseconds))
    #expect(throws: MalformedZoneFile.self) { try compare([1, 2, 3]) }
    for instant in [Int64.min, .max] {
      let end = try ZoneComparison(of: zone, withFile: ZoneFile().bytes, startingAt: instant, years: .max)
      #expect(end != .noFile)
    }
  }

  @Test(
    "every file of the system's own folder is read, and its leap-second twin is refused",
    .enabled(if: FileManager.default.fileExists(atPath: folder + "/America/New_York"), "no tz database"))
  func systemFiles() throws {
    var read = 0
    for name in TimeZone.knownTimeZoneIdentifiers {
      guard let bytes = FileManager.default.contents(atPath: "\(Self.folder)/\(name)") else { continue }
      _ = try ZoneRules(parsing: [UInt8](bytes))
      read += 1
    }
    #expect(read > 300)
    if let bytes = FileManager.default.contents(atPath: Self.folder + "/right/UTC") {
      #expect(reason(of: [UInt8](bytes)) == "it counts leap seconds")
    }
  }

  @Test("every name that Foundation lists is a zone")
  func listed() throws {
    for name in TimeZone.knownTimeZoneIdentifiers { #expect(try Zone(name).name == name) }
  }
}
