#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// The seam to the clock, so that tests neither sleep nor depend on the time zone of the machine.
package protocol TimeSource: Sendable {
  /// Nanoseconds since 1970 UTC.
  var nowNanoseconds: Int64 { get }
  /// Nanoseconds on a clock that never goes back.
  var monotonicNanoseconds: Int64 { get }
  func sleep(_ duration: Duration)
}

/// The machine's own clocks.
package struct SystemTime: TimeSource {
  package init() {}

  package var nowNanoseconds: Int64 { Self.read(CLOCK_REALTIME) }
  package var monotonicNanoseconds: Int64 { Self.read(CLOCK_MONOTONIC) }

  package func sleep(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    // A signal ends the sleep early: whoever sleeps looks again at what it waits for.
    nanosleep(&time, nil)
  }

  /// Nanoseconds that a processor has worked for the calling thread: what a disk lets it wait for does not count.
  package static var workedNanoseconds: Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

  /// Nanoseconds that processors have worked for this process.
  package static var ownWorkedNanoseconds: Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// A timestamp as a clock in this machine's time zone shows it (`TZ`, else the system's).
package struct LocalTime: Sendable, Equatable {
  package var year: Int
  package var month: Int
  package var day: Int
  package var hour: Int
  package var minute: Int
  package var second: Int
  package var microsecond: Int
  /// Seconds east of UTC.
  package var offsetSeconds: Int

  /// The corresponding C function is `localtime_r`.
  package init(nanoseconds: Int64) {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    // Before 1970 as well the fraction counts forward.
    if nanoseconds % 1_000_000_000 < 0 { seconds -= 1 }
    var parts = tm()
    localtime_r(&seconds, &parts)
    year = Int(parts.tm_year) + 1900
    month = Int(parts.tm_mon) + 1
    day = Int(parts.tm_mday)
    hour = Int(parts.tm_hour)
    minute = Int(parts.tm_min)
    second = Int(parts.tm_sec)
    microsecond = Int(nanoseconds - Int64(seconds) * 1_000_000_000) / 1000
    offsetSeconds = Int(parts.tm_gmtoff)
  }

  /// The timestamp of a local time on this machine, in nanoseconds since 1970 UTC.
  ///
  /// The corresponding C function is `mktime`.
  package static func nanoseconds(
    year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, microsecond: Int = 0
  ) -> Int64? {
    var parts = tm()
    parts.tm_year = Int32(year - 1900)
    parts.tm_mon = Int32(month - 1)
    parts.tm_mday = Int32(day)
    parts.tm_hour = Int32(hour)
    parts.tm_min = Int32(minute)
    parts.tm_sec = Int32(second)
    parts.tm_isdst = -1
    let seconds = mktime(&parts)
    // mktime turns the 31st of February into the 3rd of March: such a date is refused.
    guard seconds != -1, parts.tm_mday == Int32(day), parts.tm_mon == Int32(month - 1) else { return nil }
    // Nanoseconds reach from 1677 to 2262; a year beyond that comes from a name that somebody made up.
    let (product, isTooFar) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return isTooFar ? nil : product &+ Int64(microsecond) * 1000
  }

  /// The timestamp of a time in UTC, given as year, month, day, hour, minute and second.
  ///
  /// The corresponding C function is `timegm`.
  package static func nanoseconds(utc fields: [Int]) -> Int64? {
    guard fields.count == 6 else { return nil }
    var parts = tm()
    parts.tm_year = Int32(clamping: fields[0] - 1900)
    parts.tm_mon = Int32(clamping: fields[1] - 1)
    parts.tm_mday = Int32(clamping: fields[2])
    parts.tm_hour = Int32(clamping: fields[3])
    parts.tm_min = Int32(clamping: fields[4])
    parts.tm_sec = Int32(clamping: fields[5])
    let (product, isTooFar) = Int64(timegm(&parts)).multipliedReportingOverflow(by: 1_000_000_000)
    return isTooFar ? nil : product
  }

  /// An ISO 8601 timestamp in the form of ``plain``: "2026-01-24 02:00:00" for "2026-01-24T02:00:00.123456-05:00".
  package static func plain(of timestamp: String) -> String {
    timestamp.prefix(19).split(separator: "T").joined(separator: " ")
  }

  /// In the form `2026-01-24 14:30:52`.
  package var plain: String {
    "\(pad(year, width: 4))-\(pad(month))-\(pad(day)) \(pad(hour)):\(pad(minute)):\(pad(second))"
  }

  /// In the form `20260124_143052`.
  package var compact: String {
    "\(pad(year, width: 4))\(pad(month))\(pad(day))_\(pad(hour))\(pad(minute))\(pad(second))"
  }

  /// ISO 8601 without an offset, microseconds: `2026-01-24T14:30:52.123456`.
  package var iso8601: String {
    "\(pad(year, width: 4))-\(pad(month))-\(pad(day))T\(pad(hour)):\(pad(minute)):\(pad(second))"
      + ".\(pad(microsecond, width: 6))"
  }

  /// ISO 8601 with the offset: `2026-01-24T14:30:52.123456-05:00`.
  package var iso8601WithOffset: String {
    let minutes = abs(offsetSeconds) / 60
    return iso8601 + (offsetSeconds < 0 ? "-" : "+") + "\(pad(minutes / 60)):\(pad(minutes % 60))"
  }

  private func pad(_ value: Int, width: Int = 2) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension Duration {
  package var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
