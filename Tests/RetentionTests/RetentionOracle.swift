import Retention

/// The same decisions, worked out slowly and one backup at a time: which ones stay by K1 to K10, K16 and K17.
///
/// It walks through nothing: each backup is asked whether another one stands in its way.
struct RetentionOracle {
  let all: [RetentionFacts]
  let policy: RetentionPolicy
  let now: Int64

  private struct Good {
    let time: Int64
    let name: String
    let identity: RetentionFacts.DatabaseIdentity?
    let buckets: [Int]
  }

  private var good: [Good] = []

  init(all: [RetentionFacts], policy: RetentionPolicy, now: Int64) {
    self.all = all
    self.policy = policy
    self.now = now
    good = all.filter { isGood($0) }.map {
      Good(
        time: $0.timestamp ?? 0, name: $0.name, identity: $0.databaseIdentity, buckets: buckets(of: $0.timestamp ?? 0))
    }
  }

  /// The names of those that stay.
  func kept() -> Set<String> { Set(all.filter { stays($0) }.map(\.name)) }

  func isGood(_ backup: RetentionFacts) -> Bool {
    isDated(backup) && backup.condition == .verified && backup.isComplete && backup.problem == nil
  }

  private func isDated(_ backup: RetentionFacts) -> Bool {
    guard let time = backup.timestamp, let named = backup.timestampInName, time <= now else { return false }
    return Int128(time) - Int128(named) <= Int128(Berlin.day) && Int128(named) - Int128(time) <= Int128(Berlin.day)
      && all.count { $0.name == backup.name } == 1
  }

  private func stays(_ backup: RetentionFacts) -> Bool {
    guard isDated(backup), let time = backup.timestamp, good.count >= 2 else { return true }
    if backup.pin != .none || backup.problem != nil || backup.isBeingRead { return true }
    var isFailed = false
    switch backup.condition {
    case .unreadable: return true
    case .failed: isFailed = true
    default: break
    }
    if isGood(backup) {
      if newer(than: backup).count < 2 || isCopy(backup) { return true }
    } else if !good.contains(where: { $0.time > time }) {
      return true
    }
    if let days = policy.keepDays, now - time <= Int64(days) * Berlin.day { return true }
    if let age = policy.keepWithin, isWithin(age, time: time) { return true }
    return !isFailed && RetentionPeriod.allCases.contains { isKept(backup, by: $0) }
  }

  /// The good ones that come before it in the list.
  private func newer(than backup: RetentionFacts) -> [Good] {
    let time = backup.timestamp ?? 0
    return good.filter { $0.time > time || ($0.time == time && $0.name > backup.name) }
  }

  private func isCopy(_ backup: RetentionFacts) -> Bool {
    let known = good.filter { $0.identity != nil }
    let differ = known.contains { $0.identity != known.first?.identity }
    guard let identity = backup.databaseIdentity else { return !differ }
    let before = Set(newer(than: backup).compactMap(\.identity))
    // The first of all known ones, or the first with another database than all before it.
    return before.isEmpty || (before.count == 1 && !before.contains(identity))
  }

  private func isKept(_ backup: RetentionFacts, by period: RetentionPeriod) -> Bool {
    guard let count = policy.counts[period] else { return false }
    let newer = newer(than: backup)
    if period == .last { return newer.count < count }
    let place = RetentionPeriod.allCases.firstIndex(of: period) ?? 0
    let own = buckets(of: backup.timestamp ?? 0)[place]
    let isFirst = !newer.contains { $0.buckets[place] == own }
    if !isGood(backup) {
      return !good.contains { $0.buckets[place] == own } && Set(newer.map { $0.buckets[place] }).count < count
    }
    if isFirst { return Set(newer.map { $0.buckets[place] }).count < count }
    return newer.count == good.count - 1 && Set(good.map { $0.buckets[place] }).count < count
  }

  /// Numbers of the hour, day, week, month and year, in the order of the rules.
  private func buckets(of time: Int64) -> [Int] {
    let (date, hour) = Berlin.wall(time)
    var monday = date.number
    // 1970-01-05 was a Monday.
    while monday % 7 != 4 { monday -= 1 }
    return [0, date.number * 100 + hour, date.number, monday, date.year * 100 + date.month, date.year]
  }

  private func isWithin(_ age: RetentionAge, time: Int64) -> Bool {
    guard let newest = good.map(\.time).max() else { return false }
    if age.years + age.months + age.days == 0 { return newest - time < Int64(age.hours) * Berlin.hour }
    let last = Berlin.wall(newest).date
    var (year, month) = (last.year - age.years, last.month)
    for _ in 0..<age.months { (year, month) = month == 1 ? (year - 1, 12) : (year, month - 1) }
    let first = Berlin.first(ofMonth: year * 12 + month - 1)
    let next = Berlin.first(ofMonth: year * 12 + month)
    let start = (first..<next).first { Berlin.days[$0].day == last.day } ?? next
    let (date, hour) = Berlin.wall(time)
    let grace = age.hours == 0 ? 0 : age.hours + 1
    return (date.number - start + age.days) * 24 + hour + grace >= 0
  }
}
