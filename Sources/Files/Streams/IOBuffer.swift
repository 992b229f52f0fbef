/// Page-aligned memory for reading and writing, allocated once for a worker and used again and again.
package final class IOBuffer {
  /// What reading and writing past the page cache asks of addresses, offsets and lengths, in bytes.
  package static let alignment = 4096

  /// Fits in a core's own cache, so that a byte is still near when it is hashed and written after it was read.
  package static let defaultSize = 256 * 1024

  package let bytes: UnsafeMutableRawBufferPointer

  package init(size: Int = IOBuffer.defaultSize) {
    bytes = .allocate(byteCount: size, alignment: Self.alignment)
  }

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
