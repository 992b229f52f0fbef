import Foundation
import Retention
import Testing

/// K2 to K17 over random histories and policies.
@Suite("Retention of random histories")
struct RetentionPropertyTests {
  private static let count = ProcessInfo.processInfo.environment["HRP_RETENTION_HISTORIES"].flatMap { Int($0) } ?? 5000

  /// What was seen.
  private struct Figures {
    var histories = 0
    var backups = 0
    var deleted = 0
    var withDeletions = 0
    var refused = 0
    var newcomers = 0
    var worsened = 0
    var problems: [String] = []

    static func + (left: Figures, right: Figures) -> Figures {
      Figures(
        histories: left.histories + right.histories, backups: left.backups + right.backups,
        deleted: left.deleted + right.deleted, withDeletions: left.withDeletions + right.withDeletions,
        refused: left.refused + right.refused, newcomers: left.newcomers + right.newcomers,
        worsened: left.worsened + right.worsened, problems: left.problems + right.problems)
    }
  }

  @Test("K2 to K17 hold, and a second way of deciding says the same")
  func properties() async throws {
    let clock = ContinuousClock()
    let begun = clock.now
    let chunks = max(1, Self.count / 500)
    var figures = Figures()
    try await withThrowingTaskGroup(of: Figures.self) { group in
      for chunk in 0..<chunks {
        group.addTask {
          var figures = Figures()
          for seed in stride(from: chunk, to: Self.count, by: chunks) { try Self.check(UInt64(seed), into: &figures) }
          return figures
        }
      }
      for try await part in group { figures = figures + part }
    }
    print(
      """
      retention: \(figures.histories) histories with \(figures.backups) backups, \(figures.deleted) of them deleted in \
      \(figures.withDeletions) histories; \(figures.refused) runs refused, \(figures.newcomers) bad newcomers, \
      \(figures.worsened) made worse; \(figures.problems.count) problems; \(clock.now - begun)
      """)
    #expect(figures.histories == Self.count)
    #expect(figures.problems.isEmpty, "\(figures.problems.prefix(5).joined(separator: "\n"))")
    // A history in which nothing can go proves little.
    #expect(figures.withDeletions * 2 > figures.histories)
    #expect(figures.refused * 20 > figures.histories)
  }

  private static func check(_ seed: UInt64, into figures: inout Figures) throws {
    var history = try RandomHistory(seed: seed)
    let plan = { (backups: [RetentionFacts], now: Int64, isUnattended: Bool) in
      RetentionPlan(
        of: backups, policy: history.policy,
        run: RetentionRun(now: now, isUnattended: isUnattended, localHour: Berlin.localHour))
    }
    let first = plan(history.backups, history.now, false)
    let deleted = Set(first.deleted)
    figures.histories += 1
    figures.backups += history.backups.count
    figures.deleted += deleted.count
    if !deleted.isEmpty { figures.withDeletions += 1 }
    var wrong: [String] = []
    let expect = { (isRight: Bool, rule: String) in if !isRight { wrong.append(rule) } }

    let oracle = RetentionOracle(all: history.backups, policy: history.policy, now: history.now)
    expect(Set(first.kept) == oracle.kept(), "oracle")
    wrong += standing(first, of: history, oracle: oracle)
    expect(plan(history.shuffled(), history.now, false) == first || hasTwins(history), "K12 order")
    let left = history.backups.filter { !deleted.contains($0.name) }
    expect(plan(left, history.now, false).deleted.isEmpty, "K13 once more")
    let gone = history.some(of: first.deleted)
    let halfway = plan(history.backups.filter { !gone.contains($0.name) }, history.now, false)
    expect(Set(halfway.deleted) == deleted.subtracting(gone), "K13 halfway")
    let later = plan(history.backups, history.laterTime(), false)
    expect(deleted.isSubset(of: later.deleted), "K14 later")
    let newcomer = history.badNewcomer()
    let joined = plan(history.backups + [newcomer], history.now, false)
    expect(Set(joined.deleted).subtracting([newcomer.name]) == deleted, "K15 newcomer")
    figures.newcomers += 1
    if let (backups, name) = history.worse() {
      let worse = plan(backups, history.now, false)
      expect(Set(worse.deleted).subtracting([name]).isSubset(of: deleted), "K15 worse")
      figures.worsened += 1
    }
    let alone = plan(history.backups, history.now, true)
    let isTooMuch = deleted.count * 2 > oracle.all.count { oracle.isGood($0) }
    expect(alone.deleted == (isTooMuch ? [] : first.deleted), "K11 alone")
    expect((alone.refusal != nil) == (isTooMuch && !deleted.isEmpty), "K11 refusal")
    if alone.refusal != nil { figures.refused += 1 }
    figures.problems += wrong.map { "seed \(seed): \($0); \(history.policy.words)" }
  }

  /// Two with one name are in no certain order among themselves.
  private static func hasTwins(_ history: RandomHistory) -> Bool {
    Set(history.backups.map(\.name)).count < history.backups.count
  }

  /// What can be said of one plan without a second one.
  private static func standing(_ plan: RetentionPlan, of history: RandomHistory, oracle: RetentionOracle) -> [String] {
    var wrong: [String] = []
    let deleted = Set(plan.deleted)
    if plan.decisions.count != history.backups.count { wrong.append("not each has a decision") }
    for case .keep(let reasons) in plan.decisions.map(\.outcome) where reasons.isEmpty { wrong.append("K1 no reason") }
    for backup in history.backups where deleted.contains(backup.name) {
      if backup.pin != .none || backup.problem != nil || backup.isBeingRead { wrong.append("K2 or K10") }
      if case .unreadable = backup.condition { wrong.append("K2 condition") }
      guard let time = backup.timestamp, let named = backup.timestampInName, time <= history.now,
        abs(time - named) <= Berlin.day
      else {
        wrong.append("K8")
        continue
      }
      if !history.backups.contains(where: { oracle.isGood($0) && ($0.timestamp ?? 0) >= time }) { wrong.append("K7") }
    }
    let good = history.backups.filter { oracle.isGood($0) }
    let goodLeft = good.filter { !deleted.contains($0.name) }
    if !deleted.isEmpty, goodLeft.count < 2 { wrong.append("K3") }
    let identities = Set(good.map(\.databaseIdentity))
    // Where two databases were known to differ, two that are known to differ are left.
    if identities.subtracting([nil]).count > 1, Set(goodLeft.map(\.databaseIdentity)).subtracting([nil]).count < 2 {
      wrong.append("K4")
    }
    return wrong
  }
}
