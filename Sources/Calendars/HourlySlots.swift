/// The slots of an hourly rule.
///
/// A slot is every second at which the clock begins to show the minute (T5). Where the clock is set by part of an hour,
/// and more than an hour would go by without a slot, the second at which it is set is one as well (T6). Everything here
/// is in seconds since 1970 UTC.
struct HourlySlots: Slots {
  let minute: Int
  let zone: Zone

  private static let secondsPerHour: Int64 = 3600
  /// In any stretch of this length lies a slot, and the change that may have made it.
  private static let windowSeconds: Int64 = 7200

  func next(afterSecond second: Int64) -> Int64 {
    let spans = zone.spans(fromSecond: second, throughSecond: second + Self.windowSeconds)
    for (before, span) in zip([nil] + spans, spans) {
      if let before, isAdded(from: before, to: span) { return span.startSeconds }
      let shown = firstShown(atOrAfter: max(span.startSeconds, second + 1), offsetSeconds: span.offsetSeconds)
      if shown < span.endSeconds { return shown }
    }
    // Not reached: T6 puts a slot into every hour.
    return second + Self.secondsPerHour
  }

  func latest(atOrBeforeSecond second: Int64) -> Int64 {
    let spans = zone.spans(fromSecond: second - Self.windowSeconds, throughSecond: second)
    for (before, span) in zip([nil] + spans, spans).reversed() {
      let shown = lastShown(atOrBefore: span.endSeconds - 1, offsetSeconds: span.offsetSeconds)
      if shown >= span.startSeconds { return shown }
      if let before, isAdded(from: before, to: span) { return span.startSeconds }
    }
    // Not reached: T6 puts a slot into every hour.
    return second - Self.secondsPerHour
  }

  func count(afterSecond first: Int64, throughSecond last: Int64) -> Int {
    let spans = zone.spans(fromSecond: first, throughSecond: last)
    let shown = spans.reduce(Int64(0)) { sum, span in
      let start = max(span.startSeconds, first + 1)
      let (before, end) = (hours(through: start - 1, in: span), hours(through: span.endSeconds - 1, in: span))
      return sum + end - before
    }
    let added = zip(spans, spans.dropFirst()).count { isAdded(from: $0, to: $1) }
    return Int(shown) + added
  }

  /// How often the minute was shown since 1970, had the clock always had the offset of a span.
  private func hours(through second: Int64, in span: OffsetSpan) -> Int64 {
    (second + span.offsetSeconds - Int64(minute) * 60).quotient(flooredBy: Self.secondsPerHour)
  }

  private func isAdded(from before: OffsetSpan, to after: OffsetSpan) -> Bool {
    let change = after.startSeconds
    let earlier = lastShown(atOrBefore: change - 1, offsetSeconds: before.offsetSeconds)
    return firstShown(atOrAfter: change, offsetSeconds: after.offsetSeconds) - earlier > Self.secondsPerHour
  }

  private func lastShown(atOrBefore second: Int64, offsetSeconds: Int64) -> Int64 {
    second - (second + offsetSeconds - Int64(minute) * 60).remainder(flooredBy: Self.secondsPerHour)
  }

  private func firstShown(atOrAfter second: Int64, offsetSeconds: Int64) -> Int64 {
    lastShown(atOrBefore: second + Self.secondsPerHour - 1, offsetSeconds: offsetSeconds)
  }
}
