internal import Files
package import Settings
internal import Store

/// One line of a log: an event, and nothing in it that a terminal would act on.
package struct LogLine: Sendable {
  private struct Fields: Encodable {
    let time: String
    let level: String
    let message: String
  }

  private let level: LogLevel
  private let message: String
  private let timestamp: LocalTime

  /// - Parameter at: in nanoseconds since 1970 UTC.
  package init(_ level: LogLevel, message: String, at timestamp: Int64) {
    self.level = level
    // One line an event: the log is read with tail -f.
    self.message = TerminalText.safe(message.split(separator: "\n").joined(separator: " / "))
    self.timestamp = LocalTime(nanoseconds: timestamp)
  }

  /// The line with its line feed.
  package func text(_ format: LogFormat) -> String {
    switch format {
    case .text:
      let name = level.rawValue.uppercased()
      let padded = name + String(repeating: " ", count: max(0, 8 - name.count))
      return "\(timestamp.plain) | \(padded) | \(message)\n"
    case .json:
      let fields = Fields(time: timestamp.iso8601WithOffset, level: level.rawValue, message: message)
      return parsed { String(decoding: try StoredJSON.line(of: fields), as: UTF8.self) } ?? ""
    }
  }
}
