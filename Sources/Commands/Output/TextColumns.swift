/// Texts in columns of a terminal.
package enum TextColumns {
  /// Columns that a text takes, at most.
  ///
  /// What may be wide counts as two: a line too short is better than one that wraps.
  package static func width(of text: String) -> Int { text.reduce(0) { $0 + width(of: $1) } }

  private static func width(of character: Character) -> Int {
    // "…" and "✓" lie among characters that are narrow.
    let isNarrow = { (scalar: Unicode.Scalar) in scalar.value < 0x0300 || (0x2010...0x27BF).contains(scalar.value) }
    return character.unicodeScalars.count == 1 && character.unicodeScalars.allSatisfy(isNarrow) ? 1 : 2
  }

  /// The text with blanks behind it up to a width; a longer text stays as it is.
  static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - self.width(of: text)))
  }

  /// The text, cut to a width with dots at its end.
  static func cut(_ text: String, to width: Int, showsUTF8: Bool) -> String {
    guard self.width(of: text) > width else { return text }
    let end = showsUTF8 ? "…" : "..."
    var left = width - self.width(of: end)
    guard left > 0 else { return String(repeating: ".", count: max(0, width)) }
    let kept = text.prefix { character in
      left -= self.width(of: character)
      return left >= 0
    }
    return kept + end
  }

  /// A table with a heading: each column as wide as its widest cell, the last one cut where the terminal ends.
  ///
  /// - Parameter width: the columns of the terminal; when it is nil, nothing is cut.
  static func table(_ heading: [String], rows: [[String]], width: Int?, showsUTF8: Bool) -> [String] {
    let all = [heading] + rows
    let widths = heading.indices.map { column in all.map { self.width(of: $0[column]) }.max() ?? 0 }
    return all.map { row in
      let line = row.enumerated().map { column, cell in
        column == row.count - 1
          ? cell : padded(cell, to: widths[column] + 2)
      }.joined()
      let trimmed = String(line.reversed().drop { $0 == " " }.reversed())
      return width.map { cut(trimmed, to: $0, showsUTF8: showsUTF8) } ?? trimmed
    }
  }
}
