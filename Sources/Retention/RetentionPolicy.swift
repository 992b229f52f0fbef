/// Which backups somebody wants to keep; a backup stays when any of these rules keeps it.
package struct RetentionPolicy: Sendable, Equatable {
  /// The days that backups are kept when nothing else is asked for.
  package static let defaultKeepDays = 30
  /// The largest count, and the largest number of days.
  package static let maximum = 100_000
  static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000

  /// How many verified backups each rule keeps; a rule that is not here keeps none.
  package let counts: [RetentionPeriod: Int]
  /// Everything this close to the newest verified backup stays.
  package let keepWithin: RetentionAge?
  /// Everything younger than this many times 24 hours stays.
  package let keepDays: Int?

  /// The policy when nothing is asked for: thirty days.
  package static let standard = RetentionPolicy(counts: [:], keepWithin: nil, keepDays: defaultKeepDays)

  private init(counts: [RetentionPeriod: Int], keepWithin: RetentionAge?, keepDays: Int?) {
    self.counts = counts
    self.keepWithin = keepWithin
    self.keepDays = keepDays
  }

  /// Makes a policy; when nothing is given it keeps thirty days.
  /// - Throws: `RetentionPolicyError` `.count`.
  package init(
    keepLast: Int? = nil, keepHourly: Int? = nil, keepDaily: Int? = nil, keepWeekly: Int? = nil,
    keepMonthly: Int? = nil, keepYearly: Int? = nil, keepWithin: RetentionAge? = nil, keepDays: Int? = nil
  ) throws(RetentionPolicyError) {
    var counts: [RetentionPeriod: Int] = [:]
    for (period, count) in [
      (RetentionPeriod.last, keepLast), (.hourly, keepHourly), (.daily, keepDaily), (.weekly, keepWeekly),
      (.monthly, keepMonthly), (.yearly, keepYearly),
    ] {
      guard let count else { continue }
      guard (1...Self.maximum).contains(count) else { throw .count(period.rawValue, count) }
      counts[period] = count
    }
    if let keepDays, !(1...Self.maximum).contains(keepDays) { throw .count("days", keepDays) }
    self.counts = counts
    self.keepWithin = keepWithin
    self.keepDays = keepDays ?? (counts.isEmpty && keepWithin == nil ? Self.defaultKeepDays : nil)
  }

  /// Reads a preset: `7/4/12` keeps seven daily, four weekly and twelve monthly backups, `7/4/12/3` also three yearly.
  /// - Throws: `RetentionPolicyError` `.preset`.
  package init(preset text: String) throws(RetentionPolicyError) {
    var counts: [Int] = []
    for part in text.split(separator: "/", omittingEmptySubsequences: false) {
      let isNumber = part.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
      guard isNumber, let count = Int(part), (1...Self.maximum).contains(count) else { throw .preset(text) }
      counts.append(count)
    }
    guard counts.count == 3 || counts.count == 4 else { throw .preset(text) }
    try self.init(
      keepDaily: counts[0], keepWeekly: counts[1], keepMonthly: counts[2],
      keepYearly: counts.count == 4 ? counts[3] : nil)
  }

  /// The policy in words for people, such as `daily 7, weekly 4, within 2m`.
  package var words: String {
    var words = RetentionPeriod.allCases.compactMap { period in counts[period].map { "\(period.rawValue) \($0)" } }
    if let keepWithin { words.append("within \(keepWithin.text)") }
    if let keepDays { words.append("days \(keepDays)") }
    return words.joined(separator: ", ")
  }

  /// Whether a backup is younger than `keepDays`; at the limit itself it still is.
  func isYoung(_ timestamp: Int64, now: Int64) -> Bool {
    guard let keepDays else { return false }
    let (limit, isTooFar) = now.subtractingReportingOverflow(Int64(keepDays) * Self.dayNanoseconds)
    return isTooFar || timestamp >= limit
  }
}
