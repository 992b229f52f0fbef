import Retention
import Testing

/// The rules, one after the other, on good backups: K1, K5, K16 and K17.
@Suite("Rules of retention")
struct RetentionRuleTests {
  @Test("K1: one rule is enough to stay, and every rule that keeps a backup is named")
  func anyRule() throws {
    let backups = daily(40, until: "2026-11-20")
    let plan = plan(backups, policy: try RetentionPolicy(keepLast: 1, keepMonthly: 12))
    #expect(
      plan.kept == ["2026-11-20 02:00", "2026-11-19 02:00", "2026-10-31 02:00", "2026-10-12 02:00"])
    #expect(
      plan.clause("2026-11-20 02:00")
        == "it is one of the newest two verified; last: it is one of the last verified; monthly: the last of 2026-11")
    #expect(plan.clause("2026-10-31 02:00") == "monthly: the last of 2026-10")
    #expect(plan.clause("2026-10-30 02:00") == "no rule keeps it")
    #expect(plan.decisions.map(\.name) == backups.map(\.name))
    #expect(
      plan.decisions.last?.line.hasSuffix(" stays: monthly: the oldest, as there are fewer than are to be kept") == true
    )
  }

  @Test("last: so many of the newest stay, also when they share a moment")
  func last() throws {
    let backups = ["a", "b", "c", "d"].map { backup("2026-11-20 10:00", name: $0, inode: UInt64($0.utf8.first ?? 0)) }
    #expect(plan(backups, policy: try RetentionPolicy(keepLast: 3)).kept == ["d", "c", "b"])
  }

  @Test("K5: daily keeps the last of each day, and a day without a backup does not count")
  func dailyRule() throws {
    let backups = [
      "2026-11-20 10:00", "2026-11-20 08:00", "2026-11-15 22:00", "2026-11-15 21:00", "2026-11-01 09:00",
      "2026-10-31 09:00",
    ].map { backup($0) }
    let plan = plan(backups, policy: try RetentionPolicy(keepDaily: 3))
    // The second newest is the minimum (K3).
    #expect(plan.kept == ["2026-11-20 10:00", "2026-11-20 08:00", "2026-11-15 22:00", "2026-11-01 09:00"])
    #expect(plan.clause("2026-11-01 09:00") == "daily: the last of 2026-11-01")
  }

  @Test("weekly: weeks begin on Monday and go on over the turn of the year")
  func weekly() throws {
    // 2026-12-31 is a Thursday, 2027-01-03 a Sunday.
    let backups = [
      "2027-01-05 02:00", "2027-01-04 02:00", "2027-01-03 02:00", "2027-01-01 02:00", "2026-12-31 02:00",
      "2026-12-28 02:00", "2026-12-27 02:00", "2026-12-20 02:00",
    ].map { backup($0) }
    let plan = plan(backups, policy: try RetentionPolicy(keepWeekly: 3), now: "2027-01-05 18:00")
    #expect(plan.kept == ["2027-01-05 02:00", "2027-01-04 02:00", "2027-01-03 02:00", "2026-12-27 02:00"])
    #expect(plan.clause("2027-01-03 02:00") == "weekly: the last of 2026-W53")
    #expect(plan.clause("2027-01-05 02:00")?.contains("weekly: the last of 2027-W01") == true)
  }

  @Test("hourly, monthly and yearly name what they keep")
  func others() throws {
    let backups = [
      "2026-11-20 10:40", "2026-11-20 10:20", "2026-11-20 09:59", "2025-12-31 23:00", "2025-01-01 00:00",
      "2024-06-01 00:00",
    ].map { backup($0) }
    let plan = plan(backups, policy: try RetentionPolicy(keepHourly: 2, keepMonthly: 2, keepYearly: 2))
    #expect(plan.deleted == ["2025-01-01 00:00", "2024-06-01 00:00"])
    #expect(plan.clause("2026-11-20 09:59") == "hourly: the last of 2026-11-20 09:00")
    #expect(plan.clause("2025-12-31 23:00") == "monthly: the last of 2025-12; yearly: the last of 2025")
  }

  @Test("the hour that comes twice when clocks go back is one hour; the day with 25 hours is one day")
  func clocksGoBack() throws {
    let first = Berlin.at("2026-10-25 02:30")
    let facts = { (name: String, time: Int64) in
      RetentionFacts(
        name: name, timestamp: time, timestampInName: time, databaseIdentity: .init(device: 1, inode: UInt64(time)))
    }
    let backups = [
      backup("2026-11-20 10:00"), backup("2026-11-20 09:00"), facts("winter", first + Berlin.hour),
      facts("summer", first), backup("2026-10-25 00:10"), backup("2026-10-24 23:50"),
    ]
    #expect(Berlin.localHour(first) == Berlin.localHour(first + Berlin.hour))
    #expect(plan(backups, policy: try RetentionPolicy(keepHourly: 3)).kept.last == "winter")
    let daily = plan(backups, policy: try RetentionPolicy(keepDaily: 3))
    #expect(daily.deleted == ["summer", "2026-10-25 00:10"])
  }

  @Test("the hour that does not come when clocks go forward is missed by nothing")
  func clocksGoForward() throws {
    let backups = [
      "2026-03-29 04:00", "2026-03-29 03:00", "2026-03-29 01:59", "2026-03-29 00:00", "2026-03-28 23:59",
    ].map { backup($0) }
    #expect(Berlin.at("2026-03-29 03:00") - Berlin.at("2026-03-29 01:00") == Berlin.hour)
    let hourly = plan(backups, policy: try RetentionPolicy(keepHourly: 3), now: "2026-03-30 10:00")
    #expect(hourly.kept == ["2026-03-29 04:00", "2026-03-29 03:00", "2026-03-29 01:59"])
    let daily = plan(backups, policy: try RetentionPolicy(keepDaily: 1), now: "2026-03-30 10:00")
    #expect(daily.kept == ["2026-03-29 04:00", "2026-03-29 03:00"])
  }

  @Test("K16: days are 24 hours before now each, and the limit itself is within")
  func keepDays() throws {
    // Clocks go back in between: 30 days are one hour less on the wall.
    let backups = [
      "2026-11-20 02:00", "2026-11-19 02:00", "2026-10-21 19:01", "2026-10-21 19:00", "2026-10-21 18:59",
    ].map { backup($0) }
    let plan = plan(backups, policy: try RetentionPolicy())
    #expect(plan.deleted == ["2026-10-21 18:59"])
    #expect(plan.clause("2026-10-21 19:00") == "days: it is younger than 30 days")
  }

  @Test("K16: hours alone are exact, and seen from the newest good backup")
  func withinHours() throws {
    let backups = [
      backup("2026-11-10 12:30", condition: .notVerified), backup("2026-11-10 12:00"), backup("2026-11-10 11:30"),
      backup("2026-11-10 10:01"), backup("2026-11-10 10:00"), backup("2026-11-10 09:59"),
    ]
    let plan = plan(backups, policy: try RetentionPolicy(keepWithin: RetentionAge("2h")))
    #expect(plan.deleted == ["2026-11-10 10:00", "2026-11-10 09:59"])
    #expect(plan.clause("2026-11-10 10:01") == "within: it is within 2h of the newest verified")
  }

  @Test(
    "K16: days, months and years begin with a whole day",
    arguments: [
      ("2026-11-20 09:00", "7d", "2026-11-13 00:00", "2026-11-12 23:59"),
      ("2026-11-20 09:00", "2m", "2026-09-20 00:00", "2026-09-19 23:59"),
      ("2026-11-20 09:00", "1y5m7d2h", "2025-06-12 21:00", "2025-06-12 20:59"),
      ("2026-03-31 09:00", "1m", "2026-03-01 00:00", "2026-02-28 23:59"),
      ("2026-03-28 09:00", "1m", "2026-02-28 00:00", "2026-02-27 23:59"),
      ("2024-03-29 09:00", "1m", "2024-02-29 00:00", "2024-02-28 23:59"),
      ("2024-02-29 09:00", "1y", "2023-03-01 00:00", "2023-02-28 23:59"),
      ("2026-01-15 09:00", "1m1d", "2025-12-14 00:00", "2025-12-13 23:59"),
      ("2026-01-31 09:00", "14m", "2024-12-01 00:00", "2024-11-30 23:59"),
      ("2026-03-29 09:00", "1d3h", "2026-03-27 20:00", "2026-03-27 19:59"),
    ])
  func withinDays(newest: String, age: String, inside: String, outside: String) throws {
    let before = newest.dropLast(5) + "08:59"
    let backups = [newest, String(before), inside, outside].map { backup($0) }
    let plan = plan(backups, policy: try RetentionPolicy(keepWithin: RetentionAge(age)))
    #expect(plan.deleted == [outside])
  }

  @Test("K17: while a count is not used up, the oldest stays as well")
  func oldest() throws {
    let backups = [
      "2026-11-20 21:00", "2026-11-20 20:00", "2026-11-19 20:00", "2026-11-19 15:00", "2026-11-19 09:00",
    ].map { backup($0) }
    let three = plan(backups, policy: try RetentionPolicy(keepDaily: 3), now: "2026-11-20 22:00")
    #expect(three.deleted == ["2026-11-19 15:00"])
    #expect(three.clause("2026-11-19 09:00") == "daily: the oldest, as there are fewer than are to be kept")
    let two = plan(backups, policy: try RetentionPolicy(keepDaily: 2), now: "2026-11-20 22:00")
    #expect(two.deleted == ["2026-11-19 15:00", "2026-11-19 09:00"])
  }
}
