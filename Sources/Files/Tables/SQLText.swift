/// Names and texts as SQL has them: whatever they hold, they stay one name and one text.
package enum SQLText {
  /// Names joined by dots, each in quotes.
  package static func name(_ names: String...) -> String {
    names.map { quoted($0, quote: "\"") }.joined(separator: ".")
  }

  /// A text as a literal; it ends at NUL for the engine, and loses those.
  package static func literal(_ text: String) -> String { quoted(text, quote: "'", without: "\0") }

  /// Scalar by scalar, as the engine reads it: for Swift a quote and an accent after it are one character.
  private static func quoted(
    _ text: String, quote: Unicode.Scalar, without dropped: Unicode.Scalar? = nil
  ) -> String {
    var quoted = String.UnicodeScalarView([quote])
    for scalar in text.unicodeScalars where scalar != dropped {
      quoted.append(scalar)
      if scalar == quote { quoted.append(quote) }
    }
    quoted.append(quote)
    return String(quoted)
  }
}
