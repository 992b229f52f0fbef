internal import Files

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// Results as JSON: what `--json` prints and what we write for other programs.
package enum ResultText {
  /// The value with an indent and its keys in alphabetical order, without a line feed at the end.
  ///
  /// `sizeBytes` becomes `size_bytes`. What a terminal would take as a command is escaped (``TerminalText``).
  /// - Throws: `EncodingError` for a number that JSON does not have.
  package static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(value), as: UTF8.self)
    return escaped(lines(of: text).joined(separator: "\n"))
  }

  /// The lines as people and scripts know them: `"key": value` for `"key" : value`, and `[]` for an empty list, which
  /// the encoder writes on three lines.
  private static func lines(of text: String) -> [Substring] {
    var lines: [Substring] = []
    var isAfterEmpty = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if isAfterEmpty, let opening = lines.popLast() {
        lines.append(opening + line.drop { $0 == " " })
        isAfterEmpty = false
      } else if line.isEmpty {
        isAfterEmpty = true
      } else {
        lines.append(spaced(line))
      }
    }
    return lines
  }

  private static func spaced(_ line: Substring) -> Substring {
    var isEscaped = false
    guard let start = line.firstIndex(where: { $0 != " " }), line[start] == "\"",
      let end = line[line.index(after: start)...].firstIndex(where: { character in
        defer { isEscaped = character == "\\" && !isEscaped }
        return character == "\"" && !isEscaped
      })
    else { return line }
    let rest = line[line.index(after: end)...]
    return rest.hasPrefix(" : ") ? line[...end] + rest.dropFirst() : line
  }

  /// The same for text of JSON that is there.
  static func escaped(_ text: [UInt8]) -> [UInt8] { Array(escaped(String(decoding: text, as: UTF8.self)).utf8) }

  /// Such scalars stand in strings only, where `\\u` and their number say the same.
  private static func escaped(_ text: String) -> String {
    let isActive = { (scalar: Unicode.Scalar) in scalar != "\n" && TerminalText.isActive(scalar) }
    guard text.unicodeScalars.contains(where: isActive) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      guard isActive(scalar) else {
        result.unicodeScalars.append(scalar)
        continue
      }
      for unit in UTF16.encode(scalar).map(Array.init) ?? [] {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result
  }
}

/// A value that may not be there and is then written as `null`, where scripts are promised the key.
package struct Nullable<Value: Encodable & Sendable>: Encodable, Sendable {
  package let value: Value?

  package init(_ value: Value?) { self.value = value }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value { try container.encode(value) } else { try container.encodeNil() }
  }
}
