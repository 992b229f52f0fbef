/// Names and texts as SQL has them: whatever they hold, they stay one name and one text.
package enum SQLText {
  /// Names joined by dots, each in quotes.
  package static func name(_ names: String...) -> String { names.map { quoted($0, "\"") }.joined(separator: ".") }

  /// A text as a literal; it ends at NUL for the engine, and loses those.
  package static func literal(_ text: String) -> String { quoted(text.filter { $0 != "\0" }, "'") }

  private static func quoted(_ text: String, _ quote: String) -> String {
    quote + text.split(separator: quote, omittingEmptySubsequences: false).joined(separator: quote + quote) + quote
  }
}
