/// The offsets of a zone over time, as a file of the tz database gives them.
package struct ZoneRules: Sendable, Equatable {
  /// Strictly increasing, in seconds since 1970 UTC.
  let transitionSeconds: [Int64]
  /// What begins at each of them, in seconds east of UTC.
  let offsetsSeconds: [Int64]
  /// What was before the first of them, in seconds east of UTC.
  let firstOffsetSeconds: Int64
  /// What comes after the last of them, if the file tells.
  let yearly: YearlyRules?

  /// A comparison looks no farther ahead than this.
  package static let mostYears = 100

  init(
    transitionSeconds: [Int64], offsetsSeconds: [Int64], firstOffsetSeconds: Int64, yearly: YearlyRules?
  ) {
    self.transitionSeconds = transitionSeconds
    self.offsetsSeconds = offsetsSeconds
    self.firstOffsetSeconds = firstOffsetSeconds
    self.yearly = yearly
  }

  /// Reads the bytes of a TZif file; no bytes make it crash.
  package init(parsing bytes: [UInt8]) throws(MalformedZoneFile) {
    var reader = try ZoneFileReader(bytes)
    self = try reader.rules()
  }

  /// Seconds east of UTC at an instant, in nanoseconds since 1970 UTC.
  package func offsetSeconds(at instant: Int64) -> Int { Int(offset(atSecond: Instant.wholeSeconds(of: instant))) }

  /// The first instant at which a zone has another offset than these rules, in nanoseconds since 1970 UTC.
  ///
  /// It looks from an instant so many years ahead, 100 at most; nil means that they agree.
  package func firstDifference(from zone: Zone, startingAt instant: Int64, years: Int) -> Int64? {
    let first = Instant.wholeSeconds(of: instant)
    let last = first + Int64(min(max(years, 0), Self.mostYears)) * 31_557_600
    let spans = zone.spans(fromSecond: first, throughSecond: last)
    // Both are constant between their changes, so they differ first where one of them changes, or at the start.
    let seconds = spans.map(\.startSeconds) + changes(afterSecond: first, throughSecond: last)
    let difference = seconds.sorted().first { zone.offset(atSecond: $0) != offset(atSecond: $0) }
    return difference.map(Instant.nanoseconds(ofSecond:))
  }

  func offset(atSecond second: Int64) -> Int64 {
    let passed = transitionsPassed(atSecond: second)
    if passed == transitionSeconds.count, let yearly { return yearly.offsetSeconds(atSecond: second) }
    return passed == 0 ? firstOffsetSeconds : offsetsSeconds[passed - 1]
  }

  private func changes(afterSecond first: Int64, throughSecond last: Int64) -> [Int64] {
    let listed = transitionSeconds[transitionsPassed(atSecond: first)..<transitionsPassed(atSecond: last)]
    let (firstYear, lastYear) = (CivilTime(seconds: first).day.parts.year, CivilTime(seconds: last).day.parts.year)
    let ruled = yearly?.changes(years: (firstYear - 1)...(lastYear + 1)).map(\.second) ?? []
    return listed + ruled.filter { first < $0 && $0 <= last }
  }

  /// How many transitions are not after a second.
  private func transitionsPassed(atSecond second: Int64) -> Int {
    var (low, high) = (0, transitionSeconds.count)
    while low < high {
      let middle = (low + high) / 2
      if transitionSeconds[middle] <= second { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
