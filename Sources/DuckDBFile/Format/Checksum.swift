/// DuckDB's checksum of headers, blocks and WAL entries (`src/common/checksum.cpp`, the same in 1.0 … 2.0).
///
/// An exclusive or of products of the 8-byte words, so it does not see the order of words, and pairs of equal words
/// cancel: it proves damage, never sameness.
package enum Checksum {
  private static let multiplier: UInt64 = 0xbf58_476d_1ce4_e5b9
  private static let seed: UInt64 = 5381

  /// The checksum of all bytes.
  package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let words = bytes.count / 8
    var hash = seed ^ ofWords(bytes, count: words)
    if bytes.count % 8 != 0 { hash ^= ofTail(UnsafeRawBufferPointer(rebasing: bytes[(words * 8)...])) }
    return hash
  }

  /// Whether a unit (a header or a block) begins with the checksum of the rest of it.
  package static func isRight(_ unit: UnsafeRawBufferPointer) -> Bool {
    unit.count >= 8 && stored(unit) == of(UnsafeRawBufferPointer(rebasing: unit[8...]))
  }

  /// The checksum that a unit says of itself.
  package static func stored(_ unit: UnsafeRawBufferPointer) -> UInt64 {
    UInt64(littleEndian: unit.loadUnaligned(as: UInt64.self))
  }

  /// Four sums at once, since one product waits for the one before it.
  private static func ofWords(_ bytes: UnsafeRawBufferPointer, count: Int) -> UInt64 {
    var (a, b, c, d): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var word = 0
    while word + 4 <= count {
      a ^= load(bytes, word: word) &* multiplier
      b ^= load(bytes, word: word + 1) &* multiplier
      c ^= load(bytes, word: word + 2) &* multiplier
      d ^= load(bytes, word: word + 3) &* multiplier
      word += 4
    }
    while word < count {
      a ^= load(bytes, word: word) &* multiplier
      word += 1
    }
    return a ^ b ^ c ^ d
  }

  @inline(__always)
  private static func load(_ bytes: UnsafeRawBufferPointer, word: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self))
  }

  /// The last one to seven bytes of a WAL entry, by a step of MurmurHash64A.
  private static func ofTail(_ tail: UnsafeRawBufferPointer) -> UInt64 {
    let m: UInt64 = 0xc6a4_a793_5bd1_e995
    var x: UInt64 = 0xe17a_1465 ^ (UInt64(tail.count) &* m)
    for index in stride(from: tail.count - 1, through: 0, by: -1) { x ^= UInt64(tail[index]) << (8 * UInt64(index)) }
    x = x &* m
    x ^= x >> 47
    x = x &* m
    return x ^ (x >> 47)
  }
}

/// The same checksum over bytes that come in pieces, for WAL entries of any length.
package struct StreamingChecksum {
  private var sum: UInt64 = 0
  private var pending: [UInt8] = []

  package init() {}

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    if !pending.isEmpty {
      let count = min(8 - pending.count, rest.count)
      pending.append(contentsOf: rest[..<count])
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      guard pending.count == 8 else { return }
      pending.withUnsafeBytes { sum ^= Checksum.of($0) ^ 5381 }
      pending.removeAll(keepingCapacity: true)
    }
    let whole = rest.count / 8 * 8
    sum ^= Checksum.of(UnsafeRawBufferPointer(rebasing: rest[..<whole])) ^ 5381
    pending.append(contentsOf: rest[whole...])
  }

  package var value: UInt64 { sum ^ pending.withUnsafeBytes { Checksum.of($0) } }
}
