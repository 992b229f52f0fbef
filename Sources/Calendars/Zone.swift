internal import Foundation

/// A time zone of the tz database, as Foundation knows it.
package struct Zone: Sendable, Hashable {
  /// Its name in the tz database, such as `America/New_York`.
  package let name: String
  private let zone: TimeZone

  /// The zone of a schedule when nothing else is asked for.
  package static let standardName = "America/New_York"

  /// The zone of a schedule when nothing else is asked for; Foundation brings its rules along.
  package static let standard: Zone = {
    do {
      return try Zone(standardName)
    } catch {
      preconditionFailure("Foundation has no \(standardName).")
    }
  }()

  /// No zone is further from UTC than this.
  static let farthestSeconds: Int64 = 86_400
  /// No zone changes its offset twice in this time, so looking this often finds every change.
  ///
  /// The shortest time between two changes is almost a week: America/Cambridge_Bay, in the autumn of 2000.
  private static let lookSeconds: Int64 = 43_200

  /// Finds a zone by its name; a name that is unknown is an error and never UTC.
  package init(_ name: String) throws(UnknownZone) {
    guard ZoneNames.mayBeNamed(name), let zone = TimeZone(identifier: name) else { throw UnknownZone(name: name) }
    guard ZoneNames.isZone(foundAs: zone.identifier, named: name) else { throw UnknownZone(name: name) }
    self.name = name
    self.zone = zone
  }

  /// The version of the tz database that Foundation brings along, such as `2025b`.
  package static var databaseVersion: String { TimeZone.timeZoneDataVersion }

  /// Seconds east of UTC at an instant, in nanoseconds since 1970 UTC.
  package func offsetSeconds(at instant: Int64) -> Int { Int(offset(atSecond: Instant.wholeSeconds(of: instant))) }

  /// What a clock of this zone shows at an instant, in nanoseconds since 1970 UTC.
  package func clock(at instant: Int64) -> WallClock {
    let second = Instant.wholeSeconds(of: instant)
    let offset = offset(atSecond: second)
    return WallClock(time: CivilTime(seconds: second + offset), offsetSeconds: Int(offset))
  }

  /// The instants at which a clock of this zone shows a time: none in a gap, two in an overlap, else one.
  ///
  /// They are in nanoseconds since 1970 UTC, the earlier one first.
  package func instants(showing time: CivilTime) -> [Int64] {
    spans(around: time).compactMap { span in
      let second = time.seconds - span.offsetSeconds
      let isShown = span.startSeconds <= second && second < span.endSeconds
      return isShown ? Instant.nanoseconds(ofSecond: second) : nil
    }
  }

  /// The first instant at which a clock of this zone shows a time or a later one, in nanoseconds since 1970 UTC.
  ///
  /// That is the end of the gap if the time is in one, and the first of two if there are two.
  package func firstInstant(showing time: CivilTime) -> Int64 {
    Instant.nanoseconds(ofSecond: firstSecond(showing: time))
  }

  /// The same instant, in seconds since 1970 UTC.
  func firstSecond(showing time: CivilTime) -> Int64 {
    let spans = spans(around: time)
    for span in spans {
      let second = max(span.startSeconds, time.seconds - span.offsetSeconds)
      if second < span.endSeconds { return second }
    }
    // Farther from UTC than any zone is, a clock has shown every time.
    return time.seconds + Self.farthestSeconds
  }

  /// Seconds east of UTC, at an instant in seconds since 1970 UTC.
  func offset(atSecond second: Int64) -> Int64 {
    Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second))))
  }

  /// The offsets from one second to another, both included, in their order; neighbours differ.
  func spans(fromSecond first: Int64, throughSecond last: Int64) -> [OffsetSpan] {
    var spans: [OffsetSpan] = []
    var (start, reached, offset) = (first, first, offset(atSecond: first))
    while reached < last {
      let ahead = min(reached + Self.lookSeconds, last)
      guard self.offset(atSecond: ahead) != offset else {
        reached = ahead
        continue
      }
      let change = firstSecond(after: reached, through: ahead, without: offset)
      spans.append(OffsetSpan(startSeconds: start, endSeconds: change, offsetSeconds: offset))
      (start, reached, offset) = (change, change, self.offset(atSecond: change))
    }
    spans.append(OffsetSpan(startSeconds: start, endSeconds: max(last, first) + 1, offsetSeconds: offset))
    return spans
  }

  /// All instants at which a clock of this zone may show a time lie in these spans.
  private func spans(around time: CivilTime) -> [OffsetSpan] {
    spans(
      fromSecond: time.seconds - Self.farthestSeconds, throughSecond: time.seconds + Self.farthestSeconds)
  }

  /// The second at which an offset ends; it is the offset of the first second given and not of the last.
  private func firstSecond(after first: Int64, through last: Int64, without offset: Int64) -> Int64 {
    var (before, after) = (first, last)
    while after - before > 1 {
      let middle = before + (after - before) / 2
      if self.offset(atSecond: middle) == offset { before = middle } else { after = middle }
    }
    return after
  }
}
