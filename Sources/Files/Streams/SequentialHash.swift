/// The quick hash of a file that is being written, as long as it is written in the order of its bytes.
///
/// Holes count as zeros, as they are read. Bytes that are written a second time make the hash stale: then the file must
/// be read for it.
package final class SequentialHash: WriteObserver {
  private static let zeros = [UInt8](repeating: 0, count: 64 * 1024)

  private let stream = QuickHashStream()
  private var next: Int64 = 0
  private var isStale = false

  package init() {}

  package func wrote(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {
    guard !isStale, offset >= next else {
      isStale = true
      return
    }
    skip(to: offset)
    stream.update(bytes)
    next += Int64(bytes.count)
  }

  package func truncated(to length: Int64) {
    if length < next { isStale = true } else if !isStale { skip(to: length) }
  }

  /// The hash of everything written; nil when it is stale.
  package func finalize() -> QuickHash? { isStale ? nil : stream.finalize() }

  private func skip(to offset: Int64) {
    while next < offset {
      let count = min(offset - next, Int64(Self.zeros.count))
      Self.zeros.withUnsafeBytes { stream.update(UnsafeRawBufferPointer(rebasing: $0[..<Int(count)])) }
      next += count
    }
  }
}
