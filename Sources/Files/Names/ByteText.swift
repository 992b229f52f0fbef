/// Names of files as text that can stand in JSON and on a terminal, and back, without loss.
///
/// A byte that is not part of valid UTF-8, a control character and `%` itself are written as `%` and two hexadecimal
/// digits; everything else stands for itself. So every sequence of bytes has one text, and each such text one sequence.
package enum ByteText {
  /// The text of the bytes.
  package static func escaped(_ bytes: [UInt8]) -> String {
    if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "%") }) {
      return String(decoding: bytes, as: UTF8.self)
    }
    var text = ""
    var rest = bytes[...]
    while let first = rest.first {
      if first >= 0x20, first != 0x7F, first != UInt8(ascii: "%"), let scalar = leadingScalar(of: rest) {
        text.unicodeScalars.append(scalar)
        rest = rest.dropFirst(UTF8.width(scalar))
      } else {
        text += "%" + hex(first)
        rest = rest.dropFirst()
      }
    }
    return text
  }

  /// The bytes of such a text; nil when it is not one.
  package static func bytes(of text: ArraySlice<UInt8>) -> [UInt8]? {
    // Nearly every name is plain, and then it is its own text.
    guard text.contains(UInt8(ascii: "%")) else { return Array(text) }
    var bytes: [UInt8] = []
    var iterator = text.makeIterator()
    while let byte = iterator.next() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  package static func bytes(of text: String.UTF8View) -> [UInt8]? { bytes(of: Array(text)[...]) }

  /// Two lower-case hexadecimal digits.
  package static func hex(_ byte: UInt8) -> String {
    String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
  }

  /// The value of a hexadecimal digit of either case.
  package static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The scalar at the front, when the bytes there are valid UTF-8 and it is no C1 control.
  private static func leadingScalar(of bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator), !(0x80...0x9F).contains(scalar.value) else {
      return nil
    }
    return scalar
  }
}

extension UTF8 {
  /// How many bytes a scalar takes.
  fileprivate static func width(_ scalar: Unicode.Scalar) -> Int { UTF8.encode(scalar)?.count ?? 1 }
}
