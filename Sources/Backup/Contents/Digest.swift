private import Crypto
private import Files

/// A SHA-256 digest: the identity of contents.
package struct Digest: Hashable, Sendable {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  init(bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == 32, "A SHA-256 digest has 32 bytes.")
    words = (
      bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
      bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    )
  }

  /// A digest from 64 hexadecimal digits of either case; nil for anything else.
  package init?(hex: some Collection<UInt8>) {
    guard hex.count == 64 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in hex {
      guard let digit = ByteText.digit(character) else { return nil }
      if let upper = high {
        bytes.append(upper << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    self = bytes.withUnsafeBytes { Digest(bytes: $0) }
  }

  /// 64 lower-case hexadecimal digits.
  package var hex: String {
    withUnsafeBytes(of: words) { bytes in
      let digits = Array("0123456789abcdef".utf8)
      return String(unsafeUninitializedCapacity: 64) { text in
        for (index, byte) in bytes.enumerated() {
          text[2 * index] = digits[Int(byte >> 4)]
          text[2 * index + 1] = digits[Int(byte & 15)]
        }
        return 64
      }
    }
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
final class DigestBox {
  private var stream = DigestStream()
  func update(_ bytes: UnsafeRawBufferPointer) { stream.update(bytes) }
  func finalize() -> Digest { stream.finalize() }
}
