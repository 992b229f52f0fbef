/// The slots of a rule that names a local time each day, week or month.
///
/// A slot is the first second at which the clock shows that time or a later one (T3, T4). Later local times have later
/// seconds or, inside one gap, the same one. Everything here is in seconds since 1970 UTC.
struct DatedSlots: Slots {
  let dates: DateSequence
  let zone: Zone

  func next(afterSecond second: Int64) -> Int64 {
    var number = dates.lastNumber(atOrBefore: CivilTime(seconds: second - Zone.farthestSeconds)) + 1
    while slot(numbered: number) <= second { number += 1 }
    return slot(numbered: number)
  }

  func latest(atOrBeforeSecond second: Int64) -> Int64 { slot(numbered: latestNumber(atOrBeforeSecond: second)) }

  func count(afterSecond first: Int64, throughSecond last: Int64) -> Int {
    let times = latestNumber(atOrBeforeSecond: last) - latestNumber(atOrBeforeSecond: first)
    let spans = zone.spans(fromSecond: first, throughSecond: last)
    return Int(zip(spans, spans.dropFirst()).reduce(times) { $0 - shared(from: $1.0, to: $1.1) })
  }

  /// How many local times in a gap, or at its end, have their slot in common with an earlier one (T2).
  private func shared(from before: OffsetSpan, to after: OffsetSpan) -> Int64 {
    let gapStart = CivilTime(seconds: after.startSeconds + before.offsetSeconds - 1)
    let gapEnd = CivilTime(seconds: after.startSeconds + after.offsetSeconds)
    guard gapStart < gapEnd else { return 0 }
    return max(0, dates.lastNumber(atOrBefore: gapEnd) - dates.lastNumber(atOrBefore: gapStart) - 1)
  }

  private func latestNumber(atOrBeforeSecond second: Int64) -> Int64 {
    var number = dates.lastNumber(atOrBefore: CivilTime(seconds: second + Zone.farthestSeconds))
    while slot(numbered: number) > second { number -= 1 }
    return number
  }

  private func slot(numbered number: Int64) -> Int64 { zone.firstSecond(showing: dates.time(numbered: number)) }
}
