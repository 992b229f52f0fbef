private import Crypto
private import Files

/// A SHA-256 digest: the identity of contents.
package struct Digest: Hashable, Sendable {
  /// Big-endian, so that the digits of the words in order are the digits of the digest.
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// The SHA-256 of bytes that are all there.
  package init(of bytes: UnsafeRawBufferPointer) {
    var stream = DigestStream()
    stream.update(bytes)
    self = stream.finalize()
  }

  /// A digest of its 32 bytes.
  package init(bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == 32, "A SHA-256 digest has 32 bytes.")
    let word = { (index: Int) in
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
    }
    words = (word(0), word(1), word(2), word(3))
  }

  /// A digest from 64 hexadecimal digits of either case; nil for anything else.
  package init?(hex: ArraySlice<UInt8>) {
    guard hex.count == 64, let first = Self.word(hex, index: 0), let second = Self.word(hex, index: 1),
      let third = Self.word(hex, index: 2),
      let fourth = Self.word(hex, index: 3)
    else { return nil }
    words = (first, second, third, fourth)
  }

  /// The word of sixteen digits with that index.
  private static func word(_ hex: ArraySlice<UInt8>, index: Int) -> UInt64? {
    hex.withUnsafeBufferPointer { bytes in
      var word: UInt64 = 0
      for position in (16 * index)..<(16 * index + 16) {
        guard let digit = ByteText.digit(bytes[position]) else { return nil }
        word = word << 4 | UInt64(digit)
      }
      return word
    }
  }

  package init?(hex: some Sequence<UInt8>) { self.init(hex: Array(hex)[...]) }

  /// 64 lower-case hexadecimal digits.
  package var hex: String {
    [words.0, words.1, words.2, words.3].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// Appends the 64 digits.
  func appendHex(to bytes: inout [UInt8]) {
    for word in [words.0, words.1, words.2, words.3] {
      for shift in stride(from: UInt64(60), through: 0, by: -4) {
        let digit = UInt8(truncatingIfNeeded: word >> shift & 15)
        bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      }
    }
  }

  /// The 32 bytes of the digest.
  package var bytes: [UInt8] {
    [words.0, words.1, words.2, words.3].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
  }

  package static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }
  package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// A SHA-256 that is fed as bytes pass by.
package struct DigestStream {
  private var hash = SHA256()

  package init() {}

  package mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

  package func finalize() -> Digest { hash.finalize().withUnsafeBytes { Digest(bytes: $0) } }
}

/// A SHA-256 in an object, for closures that see bytes pass by.
package final class DigestBox {
  private var stream = DigestStream()

  package init() {}

  package func update(_ bytes: UnsafeRawBufferPointer) { stream.update(bytes) }
  package func finalize() -> Digest { stream.finalize() }
}
