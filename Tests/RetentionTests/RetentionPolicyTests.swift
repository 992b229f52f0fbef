import Retention
import Testing

@Suite("Retention policies")
struct RetentionPolicyTests {
  @Test("a policy says what it keeps, and keeps thirty days when nothing is given")
  func words() throws {
    #expect(try RetentionPolicy().words == "days 30")
    #expect(try RetentionPolicy(keepDaily: 7, keepWeekly: 4).words == "daily 7, weekly 4")
    #expect(try RetentionPolicy(keepWithin: RetentionAge("2h30d1m")).words == "within 1m30d2h")
    let all = try RetentionPolicy(
      keepLast: 1, keepHourly: 2, keepDaily: 3, keepWeekly: 4, keepMonthly: 5, keepYearly: 6,
      keepWithin: RetentionAge("1y"), keepDays: 7)
    #expect(all.words == "last 1, hourly 2, daily 3, weekly 4, monthly 5, yearly 6, within 1y, days 7")
  }

  @Test("a count below one or above the limit is refused with a sentence")
  func counts() {
    #expect(throws: RetentionPolicyError.count("daily", 0)) { try RetentionPolicy(keepDaily: 0) }
    #expect(throws: RetentionPolicyError.count("last", -1)) { try RetentionPolicy(keepLast: -1) }
    #expect(throws: RetentionPolicyError.count("hourly", 0)) { try RetentionPolicy(keepHourly: 0) }
    #expect(throws: RetentionPolicyError.count("weekly", 0)) { try RetentionPolicy(keepWeekly: 0) }
    #expect(throws: RetentionPolicyError.count("monthly", 0)) { try RetentionPolicy(keepMonthly: 0) }
    #expect(throws: RetentionPolicyError.count("yearly", 100_001)) { try RetentionPolicy(keepYearly: 100_001) }
    #expect(throws: RetentionPolicyError.count("days", .min)) { try RetentionPolicy(keepDays: .min) }
    #expect(throws: Never.self) { try RetentionPolicy(keepLast: 100_000, keepDays: 100_000) }
    let error = RetentionPolicyError.count("daily", 0)
    #expect(error.sentence == "The number for \"daily\" must be from 1 to 100000, not 0.")
  }

  @Test("a preset names days, weeks, months and perhaps years")
  func presets() throws {
    #expect(try RetentionPolicy(preset: "7/4/12").words == "daily 7, weekly 4, monthly 12")
    #expect(try RetentionPolicy(preset: "7/4/12/3").words == "daily 7, weekly 4, monthly 12, yearly 3")
    let bad = [
      "", "7", "7/4", "7/4/12/3/1", "7/0/12", "7//12", "/4/12", "7/4/", "-7/4/12", "+7/4/12", " 7/4/12", "7/4/x",
      "7/4/100001", "7/4/99999999999999999999", "٧/4/12",
    ]
    for text in bad {
      #expect(throws: RetentionPolicyError.preset(text)) { try RetentionPolicy(preset: text) }
    }
    #expect(RetentionPolicyError.preset("7").sentence.hasPrefix("The preset \"7\" is not valid: write numbers"))
  }

  @Test(
    "an age is read in restic's grammar",
    arguments: [
      ("1y5m7d2h", [1, 5, 7, 2]), ("2h", [0, 0, 0, 2]), ("2h1y", [1, 0, 0, 2]), ("007d", [0, 0, 7, 0]),
      ("0y3d", [0, 0, 3, 0]), ("100000y", [100_000, 0, 0, 0]),
    ])
  func ages(text: String, numbers: [Int]) throws {
    let age = try RetentionAge(text)
    #expect([age.years, age.months, age.days, age.hours] == numbers)
    #expect(try RetentionAge(age.text) == age)
  }

  @Test("what is no age is refused with a sentence")
  func badAges() {
    let bad = [
      "", "7", "d", "7d7", "1d2d", "0d", "0y0h", "-1d", "+1d", " 1d", "1d ", "1.5d", "1w", "1D", "1 d", "100001d",
      "99999999999999999999d", "٧d", "1dd", "1d\n",
    ]
    for text in bad { #expect(throws: RetentionPolicyError.age(text)) { try RetentionAge(text) } }
    #expect(
      RetentionPolicyError.age("7").sentence
        == "The age \"7\" is not valid: write whole numbers with y, m, d and h, each unit once, such as 1y5m7d2h.")
  }

  @Test("the largest ages and the farthest dates are no trap")
  func extremes() throws {
    let policies = [
      try RetentionPolicy(keepWithin: RetentionAge("100000y100000m100000d100000h")),
      try RetentionPolicy(keepWithin: RetentionAge("100000h")), try RetentionPolicy(keepDays: 100_000),
      try RetentionPolicy(keepLast: 1),
    ]
    let times: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
    let backups = times.flatMap { time in
      times.map { named in
        RetentionFacts(name: "\(time) \(named)", timestamp: time, timestampInName: named)
      }
    }
    for (policy, now) in policies.flatMap({ policy in times.map { (policy, $0) } }) {
      let run = RetentionRun(now: now) { timestamp in
        LocalHour(year: timestamp < 0 ? 1677 : 2262, month: 4, day: 11, hour: 23)
      }
      #expect(RetentionPlan(of: backups, policy: policy, run: run).decisions.count == backups.count)
    }
  }
}
