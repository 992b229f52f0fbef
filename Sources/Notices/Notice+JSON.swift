internal import Files

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

extension Notice {
  /// The body that a webhook gets; every key is always there.
  private struct Body: Encodable {
    let notice: Notice

    enum Key: String, CodingKey {
      case format, text, kind, stack, host, environment, job, timestamp, message, code, backup, sizeBytes
      case durationSeconds
    }

    func encode(to encoder: any Encoder) throws {
      var body = encoder.container(keyedBy: Key.self)
      try body.encode(1, forKey: .format)
      // Chats such as Slack and Mattermost show this key.
      try body.encode(notice.summary, forKey: .text)
      try body.encode(notice.kind.rawValue, forKey: .kind)
      try body.encode(notice.stack, forKey: .stack)
      try body.encode(notice.host, forKey: .host)
      try body.encode(notice.environment, forKey: .environment)
      try body.encode(notice.job, forKey: .job)
      try body.encode(LocalTime(nanoseconds: notice.timestamp).iso8601WithOffset, forKey: .timestamp)
      try body.encode(notice.message, forKey: .message)
      try body.encode(notice.code, forKey: .code)
      try body.encode(notice.backup, forKey: .backup)
      try body.encode(notice.sizeBytes, forKey: .sizeBytes)
      try body.encode(notice.durationSeconds, forKey: .durationSeconds)
    }
  }

  /// The notice as JSON, on one line: `sizeBytes` becomes `size_bytes`.
  package func json() throws -> String { try NoticeJSON.text(of: Body(notice: self)) }
}

/// JSON as servers get it.
enum NoticeJSON {
  static func text(of value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// Bytes in base64.
enum Base64 {
  /// The text in lines of 76 characters.
  static func lines(of text: String) -> [Substring] {
    var rest = encoded(text)[...]
    var lines: [Substring] = []
    while !rest.isEmpty {
      lines.append(rest.prefix(76))
      rest = rest.dropFirst(76)
    }
    return lines
  }

  static func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}
