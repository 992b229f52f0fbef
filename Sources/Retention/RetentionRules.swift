/// What keeps backups when they are seen together (K3 to K7, K16 and K17, at the head of `RetentionPlan.swift`).
struct RetentionRules {
  /// So many good backups stay, whatever the rules say.
  private static let minimumKept = 2

  /// A backup whose date is believed.
  struct Candidate {
    let timestamp: Int64
    let local: LocalHour
    /// Whether it counts.
    let isGood: Bool
    let isDamaged: Bool
    let databaseIdentity: RetentionFacts.DatabaseIdentity?

    init(_ backup: RetentionFacts, localHour: (Int64) -> LocalHour) {
      timestamp = backup.timestamp ?? .min
      local = localHour(timestamp)
      isGood = backup.condition == .verified && backup.isComplete && backup.problem == nil
      isDamaged = backup.isDamaged
      databaseIdentity = backup.databaseIdentity
    }
  }

  private let candidates: [Candidate]
  /// The places of the good ones, newest first.
  private let good: [Int]
  /// What keeps each candidate; empty when nothing does.
  private(set) var reasons: [[KeepReason]]

  /// The number of good backups.
  var goodCount: Int { good.count }

  /// - Parameter candidates: newest first.
  init(policy: RetentionPolicy, candidates: [Candidate], run: RetentionRun) {
    self.candidates = candidates
    good = candidates.indices.filter { candidates[$0].isGood }
    reasons = Array(repeating: [], count: candidates.count)
    addMinimum()
    addWindows(of: policy, run: run)
    for period in RetentionPeriod.allCases {
      if let count = policy.counts[period] { add(period, count: count) }
    }
    guard good.count < Self.minimumKept else { return }
    for index in reasons.indices where reasons[index].isEmpty { reasons[index] = [.tooFewVerified] }
  }

  /// K3, K4 and K7.
  private mutating func addMinimum() {
    guard let newest = good.first else { return }
    let minimum = good.prefix(Self.minimumKept)
    for index in minimum { reasons[index].append(.newestVerified) }
    for index in copies() where !minimum.contains(index) { reasons[index].append(.secondCopy) }
    for index in candidates.indices where !candidates[index].isGood {
      if candidates[index].timestamp >= candidates[newest].timestamp { reasons[index].append(.nothingNewerVerified) }
    }
  }

  /// The newest two good ones whose databases are known and differ; else each that may be one of such two.
  private func copies() -> [Int] {
    guard let first = good.first(where: { candidates[$0].databaseIdentity != nil }) else { return good }
    let second = good.first { index in
      candidates[index].databaseIdentity.map { $0 != candidates[first].databaseIdentity } ?? false
    }
    if let second { return [first, second] }
    return [first] + good.filter { candidates[$0].databaseIdentity == nil }
  }

  /// K16.
  private mutating func addWindows(of policy: RetentionPolicy, run: RetentionRun) {
    let newest = good.first.map { candidates[$0].timestamp }
    let window = newest.flatMap { policy.keepWithin?.window(before: $0, localHour: run.localHour) }
    for (index, candidate) in candidates.enumerated() {
      if let days = policy.keepDays, policy.isYoung(candidate.timestamp, now: run.now) {
        reasons[index].append(.young(days))
      }
      if let age = policy.keepWithin, window?.contains(candidate) ?? false {
        reasons[index].append(.within(age))
      }
    }
  }

  /// K5, K6 and K17.
  private mutating func add(_ period: RetentionPeriod, count: Int) {
    // A backup that stands for itself has a bucket of its own.
    let buckets = candidates.indices.map { period.bucket(of: candidates[$0].local) ?? $0 }
    let filled = Set(good.map { buckets[$0] })
    var counted: Set<Int> = []
    for index in candidates.indices {
      let candidate = candidates[index]
      if candidate.isGood {
        guard counted.insert(buckets[index]).inserted else {
          // The count is not used up here, so the oldest one stays as well.
          if index == good.last { reasons[index].append(.oldest(period)) }
          continue
        }
        reasons[index].append(.lastOf(period, period.label(of: candidate.local)))
        if counted.count == count { return }
      } else if !candidate.isDamaged, !filled.contains(buckets[index]) {
        reasons[index].append(.noneVerified(period, period.label(of: candidate.local)))
      }
    }
  }
}
