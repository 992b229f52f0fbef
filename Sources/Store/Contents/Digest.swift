private import Crypto
private import Files

/// A SHA-256 digest: the identity of contents.
package struct Digest: Hashable, Sendable {
  /// Big-endian, so that the digits of the words in order are the digits of the digest.
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  init(bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == 32, "A SHA-256 digest has 32 bytes.")
    let word = { (index: Int) in
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
    }
    words = (word(0), word(1), word(2), word(3))
  }

  /// A digest from 64 hexadecimal digits of either case; nil for anything else.
  package init?(hex: ArraySlice<UInt8>) {
    guard hex.count == 64, let first = Self.word(hex, 0), let second = Self.word(hex, 1), let third = Self.word(hex, 2),
      let fourth = Self.word(hex, 3)
    else { return nil }
    words = (first, second, third, fourth)
  }

  /// The word of sixteen digits with that index.
  private static func word(_ hex: ArraySlice<UInt8>, _ index: Int) -> UInt64? {
    var word: UInt64 = 0
    let start = hex.startIndex + 16 * index
    for position in start..<(start + 16) {
      guard let digit = ByteText.digit(hex[position]) else { return nil }
      word = word << 4 | UInt64(digit)
    }
    return word
  }

  package init?(hex: some Sequence<UInt8>) { self.init(hex: Array(hex)[...]) }

  /// 64 lower-case hexadecimal digits.
  package var hex: String {
    [words.0, words.1, words.2, words.3].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
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
