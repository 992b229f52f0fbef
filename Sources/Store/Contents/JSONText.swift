internal import Files

/// A JSON value whose fields keep their order, for `metadata.json` and for what commands print.
package indirect enum JSONText: Sendable, Equatable {
  case text(String)
  case whole(Int64)
  case number(Double)
  case flag(Bool)
  case null
  case list([JSONText])
  case object([(String, JSONText)])

  package static func == (left: JSONText, right: JSONText) -> Bool { left.rendered() == right.rendered() }

  package static func optional(_ text: String?) -> JSONText { text.map { .text($0) } ?? .null }

  package static func optional(_ number: Int64?) -> JSONText { number.map { .whole($0) } ?? .null }
  package static func optional(_ number: Double?) -> JSONText { number.map { .number($0) } ?? .null }

  /// The text, with an indent of two blanks a level and no line feed at the end.
  package func rendered(indent: Int = 0) -> String {
    let inner = String(repeating: " ", count: indent + 2)
    let outer = String(repeating: " ", count: indent)
    switch self {
    case .text(let text): return Self.quoted(text)
    case .whole(let number): return String(number)
    case .number(let number): return number.isFinite ? "\(number)" : "null"
    case .flag(let flag): return flag ? "true" : "false"
    case .null: return "null"
    case .list(let values):
      if values.isEmpty { return "[]" }
      return "[\n" + values.map { inner + $0.rendered(indent: indent + 2) }.joined(separator: ",\n") + "\n\(outer)]"
    case .object(let fields):
      if fields.isEmpty { return "{}" }
      let lines = fields.map { inner + Self.quoted($0.0) + ": " + $0.1.rendered(indent: indent + 2) }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
    }
  }

  /// A string with quotes, escaped as RFC 8259 asks.
  package static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy {
      (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    if isPlain { return "\"\(text)\"" }
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where TerminalText.isActive(scalar):
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
