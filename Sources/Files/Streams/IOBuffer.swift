private import CFiles

/// Page-aligned memory for reading and writing, allocated once for a worker and used again and again.
package final class IOBuffer {
  /// What reading and writing past the page cache asks of addresses, offsets and lengths, in bytes.
  package static let alignment = 4096

  /// Fits in a core's own cache, so that a byte is still near when it is hashed and written after it was read.
  package static let defaultSize = 256 * 1024

  package let bytes: UnsafeMutableRawBufferPointer

  package init(size: Int = IOBuffer.defaultSize) {
    // A large one lies in one large page where the system has them: each call past the page cache pins its pages.
    let isLarge = size >= 1 << 20
    let start = UnsafeMutableRawPointer.allocate(
      byteCount: isLarge ? max(size, Self.largePage) : size, alignment: isLarge ? Self.largePage : Self.alignment)
    if isLarge { hrp_prefer_large_pages(start, Int64(Self.largePage)) }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
  }

  /// Bytes of a large page of memory.
  private static let largePage = 2 << 20

  deinit { bytes.deallocate() }

  /// The first bytes, for writing or hashing.
  package func prefix(_ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[..<count])
  }

  /// Room for the first bytes.
  package func room(_ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(count, bytes.count)])
  }
}

extension UnsafeRawBufferPointer {
  /// Whether these are zeros, and enough of them to be worth a hole in a file.
  package var isZero: Bool {
    guard count >= 4096 else { return false }
    // Most blocks differ in the first word: only those that do not are looked at whole.
    guard loadUnaligned(as: UInt64.self) == 0 else { return false }
    return allSatisfy { $0 == 0 }
  }
}
