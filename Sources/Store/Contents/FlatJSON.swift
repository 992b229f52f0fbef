/// One JSON object of strings, whole numbers and booleans on one line, as `manifest.jsonl` holds it.
///
/// Pure and strict: what our own writer does not write is refused, so a line has one reading only.
package enum FlatJSON {
  package enum Value: Equatable, Sendable {
    case text(ArraySlice<UInt8>)
    case number(Int64)
    case flag(Bool)
  }

  package struct Malformed: Error, Equatable {}

  /// Reads a line; each field is told once, in order.
  package static func parse(
    _ line: [UInt8], field: (_ name: ArraySlice<UInt8>, Value) throws(Malformed) -> Void
  ) throws(Malformed) {
    var reader = Reader(rest: line[...])
    try reader.expect("{")
    var isFirst = true
    while !reader.take("}") {
      if !isFirst { try reader.expect(",") }
      isFirst = false
      let name = try reader.text()
      try reader.expect(":")
      try field(name, try reader.value())
    }
    guard reader.rest.isEmpty else { throw Malformed() }
  }

  /// A string with quotes; the text must come from ``ByteText`` or hold no control characters.
  package static func quoted(_ text: some Sequence<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = [UInt8(ascii: "\"")]
    for byte in text {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
      bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
    return bytes
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard rest.first == UInt8(ascii: character) else { return false }
      rest = rest.dropFirst()
      return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Malformed) {
      if !take(character) { throw Malformed() }
    }

    mutating func value() throws(Malformed) -> Value {
      if rest.first == UInt8(ascii: "\"") { return .text(try text()) }
      for (word, flag) in [("true", true), ("false", false)] where rest.starts(with: word.utf8) {
        rest = rest.dropFirst(word.utf8.count)
        return .flag(flag)
      }
      return .number(try number())
    }

    /// A whole number that fits, with or without a minus.
    mutating func number() throws(Malformed) -> Int64 {
      let isNegative = take("-")
      // Below zero there is one number more.
      var value: Int64 = 0
      var count = 0
      while let digit = rest.first, (0x30...0x39).contains(digit) {
        count += 1
        let (product, isBeyond) = value.multipliedReportingOverflow(by: 10)
        let (sum, isBelow) = product.subtractingReportingOverflow(Int64(digit - 0x30))
        guard !isBeyond, !isBelow, count <= 19 else { throw Malformed() }
        value = sum
        rest = rest.dropFirst()
      }
      guard count > 0, isNegative || value != .min else { throw Malformed() }
      return isNegative ? value : -value
    }

    /// A string without its quotes: a part of the line where nothing is escaped in it.
    mutating func text() throws(Malformed) -> ArraySlice<UInt8> {
      try expect("\"")
      guard let plain = rest.firstIndex(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 })
      else { throw Malformed() }
      if rest[plain] == UInt8(ascii: "\"") {
        defer { rest = rest[(plain + 1)...] }
        return rest[..<plain]
      }
      var bytes = Array(rest[..<plain])
      rest = rest[plain...]
      while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\"") { return bytes[...] }
        if byte < 0x20 { throw Malformed() }
        guard byte == UInt8(ascii: "\\") else {
          bytes.append(byte)
          continue
        }
        guard let next = rest.popFirst(), next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") else {
          throw Malformed()
        }
        bytes.append(next)
      }
      throw Malformed()
    }
  }
}
