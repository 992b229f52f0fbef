/// How a line of a log is written.
package enum LogFormat: String, CaseIterable, Sendable {
  /// `2026-01-24 14:30:52 | INFO     | message`.
  case text
  /// A JSON object a line, for programs.
  case json
}
