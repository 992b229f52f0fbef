internal import Files

/// Lines of lists are made and read as bytes: a string in between would cost more than the line itself.
extension [UInt8] {
  /// Appends a text that stands in the program.
  mutating func append(literal text: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Appends a number's decimal digits.
  mutating func append(decimal number: some FixedWidthInteger) {
    if number < 0 { append(UInt8(ascii: "-")) }
    var rest = UInt64(number.magnitude)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var start = 20
      repeat {
        start -= 1
        digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest != 0
      append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
    }
  }

  /// Appends the readable form of bytes (``ByteText``) between quotes, as JSON has it.
  /// - Parameter quoted: makes a string of JSON of a text that is not plain ASCII.
  mutating func append(
    quoting bytes: [UInt8], quoted: (String) -> [UInt8] = { FlatJSON.quoted($0.utf8) }
  ) {
    let isPlain = bytes.allSatisfy {
      $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
    }
    guard isPlain else { return append(contentsOf: quoted(ByteText.escaped(bytes))) }
    append(UInt8(ascii: "\""))
    append(contentsOf: bytes)
    append(UInt8(ascii: "\""))
  }
}

extension ArraySlice<UInt8> {
  /// Whether these are the bytes of a text that stands in the program.
  func isEqual(to text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    return withUnsafeBufferPointer { bytes in
      bytes.indices.allSatisfy { bytes[$0] == text.utf8Start[$0] }
    }
  }

  /// The number whose decimal digits these are; nil when they are something else, or when the number is too large.
  var decimal: UInt64? {
    guard !isEmpty, count <= 20 else { return nil }
    var number: UInt64 = 0
    for byte in self {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let (product, isBeyond) = number.multipliedReportingOverflow(by: 10)
      let (sum, isAbove) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      if isBeyond || isAbove { return nil }
      number = sum
    }
    return number
  }
}
