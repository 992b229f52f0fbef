import Foundation
import Retention
import Testing

/// Tables of what stays of three years of daily backups; restic wrote them (`restic.py golden`), not this code.
@Suite("Tables of what stays")
struct GoldenRetentionTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden")

  private static let policies: [String: Result<RetentionPolicy, any Error>] = [
    "7-4-12": Result { try RetentionPolicy(preset: "7/4/12") },
    "7-4-12-3": Result { try RetentionPolicy(preset: "7/4/12/3") },
    "last-5": Result { try RetentionPolicy(keepLast: 5) },
    "hourly-24-daily-7": Result { try RetentionPolicy(keepHourly: 24, keepDaily: 7) },
    "within-2m-yearly-3": Result { try RetentionPolicy(keepYearly: 3, keepWithin: RetentionAge("2m")) },
    "weekly-60": Result { try RetentionPolicy(keepWeekly: 60) },
    "monthly-40": Result { try RetentionPolicy(keepMonthly: 40) },
    "keep-days-30": Result { try RetentionPolicy() },
  ]

  /// What we keep beyond restic 0.14: our window begins with the whole day (K16), and while a count is not used up the
  /// oldest stays (K17), as in later versions of restic.
  private static let more = [
    "within-2m-yearly-3": "2026-09-20 Sun W38  within", "monthly-40": "2023-11-21 Tue W47  monthly",
  ]

  /// A line for each day that stays, without those that no rule keeps.
  private func table(_ plan: RetentionPlan) -> [String] {
    let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    return plan.decisions.compactMap { decision in
      guard let timestamp = decision.timestamp, case .keep(let reasons) = decision.outcome else { return nil }
      let rules = reasons.compactMap(\.rule)
      guard !rules.isEmpty else { return nil }
      let day = Berlin.localHour(timestamp)
      return "\(day.dayText) \(weekdays[day.dayNumber - day.mondayNumber]) \(day.weekText.dropFirst(5))  "
        + rules.sorted { $0.place < $1.place }.map(\.word).joined(separator: ", ")
    }
  }

  @Test("three years of daily backups leave what restic leaves", arguments: policies.keys.sorted())
  func golden(name: String) throws {
    let text = try String(contentsOf: Self.folder.appendingPathComponent(name + ".txt"), encoding: .utf8)
    let expected = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    let plan = plan(
      daily(1096, until: "2026-11-20").shuffled(), policy: try #require(Self.policies[name]).get(),
      now: "2026-11-20 09:00")
    var table = table(plan)
    if let more = Self.more[name] { table.remove(at: try #require(table.firstIndex(of: more))) }
    #expect(table == expected)
    #expect(plan.deletions.count + plan.kept.count == 1096)
  }

  @Test("each table has a policy, and each policy a table")
  func files() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(Set(names) == Set(Self.policies.keys.map { $0 + ".txt" }))
  }
}

extension KeepReason {
  /// The rule that a person asked for, as restic calls it, and its place among the rules; nil for what protects.
  fileprivate var rule: (word: String, place: Int)? {
    switch self {
    case .lastOf(let period, _), .oldest(let period):
      (period.rawValue, RetentionPeriod.allCases.firstIndex(of: period) ?? 0)
    case .within: ("within", 10)
    case .young: ("days", 11)
    default: nil
    }
  }
}
