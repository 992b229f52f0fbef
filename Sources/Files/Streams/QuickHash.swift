private import CFiles

/// A hash of 128 bits (XXH3) that tells whether a disk gave back what it was given.
///
/// Somebody who wants to can make two contents that have the same one: so it is never an identity, and it stands in no
/// file that we keep.
package struct QuickHash: Equatable, Sendable {
  package let low: UInt64
  package let high: UInt64

  package init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// The hash of an empty file.
  package static let ofNothing = QuickHash(of: UnsafeRawBufferPointer(start: nil, count: 0))

  /// The hash of bytes that are all there.
  package init(of bytes: UnsafeRawBufferPointer) {
    var hash: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &hash) {
      hrp_quick_hash_of(bytes.baseAddress, Int64(bytes.count), $0.assumingMemoryBound(to: UInt64.self).baseAddress)
    }
    self.init(low: hash.0, high: hash.1)
  }
}

/// A ``QuickHash`` that is fed as bytes pass by.
package final class QuickHashStream {
  private let state: UnsafeMutableRawPointer

  package init() {
    guard let state = hrp_quick_hash_make() else { preconditionFailure("There is no memory for a hash.") }
    self.state = state
  }

  deinit { hrp_quick_hash_free(state) }

  package func update(_ bytes: UnsafeRawBufferPointer) {
    hrp_quick_hash_update(state, bytes.baseAddress, Int64(bytes.count))
  }

  package func finalize() -> QuickHash {
    var hash: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &hash) {
      hrp_quick_hash_finish(state, $0.assumingMemoryBound(to: UInt64.self).baseAddress)
    }
    return QuickHash(low: hash.0, high: hash.1)
  }
}
