/// A bounds-checked reader of borrowed little-endian bytes; it never copies them and never outlives them.
struct BinaryCursor: ~Copyable, ~Escapable {
  private let bytes: RawSpan
  private let part: String
  private(set) var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, part: String) {
    self.bytes = bytes
    self.part = part
  }

  var remaining: Int { bytes.byteCount - offset }

  mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type = Value.self
  ) throws(FormatError) -> Value {
    guard remaining >= MemoryLayout<Value>.size else { throw ended() }
    // Safe because an integer has no invalid bits; the bounds were checked above and are checked again.
    let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
    offset += MemoryLayout<Value>.size
    return Value(littleEndian: value)
  }

  /// LEB128, unsigned, at most ten bytes.
  mutating func readVarint() throws(FormatError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte: UInt8 = try read()
      let bits = UInt64(byte & 0x7F)
      guard shift < 63 || bits <= 1 else { break }
      value |= bits << shift
      if byte & 0x80 == 0 { return value }
    }
    throw FormatError(part, problem: "a variable-length number does not end")
  }

  mutating func skip(_ count: Int) throws(FormatError) {
    guard count >= 0, remaining >= count else { throw ended() }
    offset += count
  }

  private func ended() -> FormatError {
    FormatError(part, problem: "ends after \(bytes.byteCount) bytes, in the middle of a field")
  }
}
