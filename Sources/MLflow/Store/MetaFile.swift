/// The fields at the top of a YAML file of MLflow's, `meta.yaml` or `MLmodel`: plain texts, one or more lines each.
///
/// MLflow writes them by `yaml.dump` of a mapping (`mlflow/utils/yaml_utils.py`, 2.x and 3.x), which folds a text at a
/// blank after 80 columns and may escape what is not ASCII (YAML 1.2, 7.3). What is nested is passed over.
package struct MetaFile: Sendable {
  /// Bytes that are read of one at most.
  package static let maximumBytes = 65_536

  /// One field, and the lines that it takes.
  struct Field: Sendable {
    let key: String
    let value: String
    let lines: Range<Int>
  }

  let lines: [Substring]
  let fields: [Field]

  package init(_ yaml: some Sequence<UInt8>) {
    let lines = String(decoding: Array(yaml), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    var fields: [Field] = []
    var number = 0
    while number < lines.count {
      let end = Self.end(ofFieldAt: number, lines)
      if let field = Self.field(lines, range: number..<end) { fields.append(field) }
      number = end
    }
    self.lines = lines
    self.fields = fields
  }

  /// The value of a field; nil when there is no such field, or when it is no plain text.
  package subscript(key: String) -> String? { fields.first { $0.key == key }?.value }

  /// A field goes on as long as lines are indented or empty.
  private static func end(ofFieldAt start: Int, _ lines: [Substring]) -> Int {
    var end = start + 1
    while end < lines.count, lines[end].first == " " || (lines[end].isEmpty && end + 1 < lines.count) { end += 1 }
    return end
  }

  private static func field(_ lines: [Substring], range: Range<Int>) -> Field? {
    let first = withoutReturn(lines[range.lowerBound])
    guard let colon = first.firstRange(of: ": "), first.first != " ", first.first != "#" else { return nil }
    let rest = [first[colon.upperBound...]] + lines[range.dropFirst()].map(withoutReturn)
    guard let value = scalar(rest) else { return nil }
    return Field(key: String(first[..<colon.lowerBound]), value: value, lines: range)
  }

  private static func withoutReturn(_ line: Substring) -> Substring { line.last == "\r" ? line.dropLast() : line }

  private static func scalar(_ lines: [Substring]) -> String? {
    let start = lines[0].drop { $0 == " " }
    switch start.first {
    case "'": return singleQuoted([start.dropFirst()] + lines.dropFirst())
    case "\"": return doubleQuoted([start.dropFirst()] + lines.dropFirst())
    case nil, "|", ">", "{", "[", "&", "*", "!": return nil
    default: return lines.map(trimmed).filter { !$0.isEmpty }.joined(separator: " ")
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text = text.dropLast() }
    return text
  }

  /// A quote within is written twice.
  private static func singleQuoted(_ lines: [Substring]) -> String? {
    let text = ([lines[0]] + lines.dropFirst().map(trimmed)).joined(separator: " ")
    var value = ""
    var rest = text[...]
    while let quote = rest.firstIndex(of: "'") {
      value += rest[..<quote]
      let next = rest.index(after: quote)
      guard next < rest.endIndex, rest[next] == "'" else { return value }
      value += "'"
      rest = rest[rest.index(after: next)...]
    }
    return nil
  }

  private static let simpleEscapes: [Character: String] = [
    "0": "\0", "t": "\t", "n": "\n", "r": "\r", "e": "\u{1B}", " ": " ", "\"": "\"", "/": "/", "\\": "\\",
    "N": "\u{85}", "_": "\u{A0}", "L": "\u{2028}", "P": "\u{2029}", "a": "\u{07}", "b": "\u{08}", "f": "\u{0C}",
    "v": "\u{0B}",
  ]
  private static let hexDigits: [Character: Int] = ["x": 2, "u": 4, "U": 8]

  private static func doubleQuoted(_ lines: [Substring]) -> String? {
    // A backslash at the end of a line joins it to the next without a blank.
    var text = String(lines[0])
    for line in lines.dropFirst() {
      if text.hasSuffix("\\"), !text.hasSuffix("\\\\") {
        text.removeLast()
        text += trimmed(line)
      } else {
        text = trimmed(text[...]) + " " + trimmed(line)
      }
    }
    var value = ""
    var rest = text[...]
    while let character = rest.popFirst() {
      if character == "\"" { return value }
      guard character == "\\" else {
        value.append(character)
        continue
      }
      guard let kind = rest.popFirst() else { return nil }
      if let simple = simpleEscapes[kind] {
        value += simple
      } else if let digits = hexDigits[kind], let code = UInt32(rest.prefix(digits), radix: 16),
        let scalar = Unicode.Scalar(code)
      {
        value.unicodeScalars.append(scalar)
        rest = rest.dropFirst(digits)
      } else {
        return nil
      }
    }
    return nil
  }
}
