/// What a clock on the wall of a zone shows at an instant, in whole seconds.
package struct WallClock: Sendable, Hashable, CustomStringConvertible {
  /// The date and time that it shows.
  package let time: CivilTime
  /// Seconds east of UTC.
  package let offsetSeconds: Int

  /// The year.
  package var year: Int { time.day.parts.year }
  /// The month is 1 to 12.
  package var month: Int { time.day.parts.month }
  /// The day of the month is 1 to 31.
  package var day: Int { time.day.parts.day }
  /// The hour is 0 to 23.
  package var hour: Int { time.secondsIntoDay / 3600 }
  /// The minute is 0 to 59.
  package var minute: Int { time.secondsIntoDay / 60 % 60 }
  /// The second is 0 to 59.
  package var second: Int { time.secondsIntoDay % 60 }

  /// The text that Python's `str(datetime)` gives: `2026-11-28 02:00:00-05:00`.
  package var description: String {
    let date = time.day.parts
    return "\(padded(date.year, width: 4))-\(padded(date.month))-\(padded(date.day))"
      + " \(padded(hour)):\(padded(minute)):\(padded(second))" + offsetText
  }

  /// Old offsets, from before zones were agreed on, have seconds as well.
  private var offsetText: String {
    let east = abs(offsetSeconds)
    let text = (offsetSeconds < 0 ? "-" : "+") + "\(padded(east / 3600)):\(padded(east / 60 % 60))"
    return east % 60 == 0 ? text : text + ":\(padded(east % 60))"
  }

  private func padded(_ value: Int, width: Int = 2) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
