/// What became of a notice on one of its ways.
package struct NoticeRecord: Sendable, Equatable {
  /// "ping", "webhook", "email", "command".
  package var channel: String
  /// What was told: "failure", "reminder".
  package var kind: String
  /// ISO 8601 with offset.
  package var at: String
  package var isDelivered: Bool
  /// Why it was not delivered; empty when it was.
  package var words: String

  package init(channel: String, kind: String, at: String, isDelivered: Bool, words: String) {
    self.channel = channel
    self.kind = kind
    self.at = at
    self.isDelivered = isDelivered
    self.words = words
  }
}
