private import CFiles

/// Reads many small files in one call.
///
/// A device answers sixty questions at once sooner, and for less of the processor's time, than one after the other.
/// One thread uses it.
package protocol BatchReader: AnyObject {
  /// Reads the beginnings of files, each into memory of its own.
  ///
  /// - Parameter reads: at most ``BatchRead/maximumCount``. Past the page cache the rules of
  ///   ``FileSystem/bypassCache(of:_:)`` hold for memory and lengths.
  /// - Returns: the number of bytes for each read; nil when a file was not read: the caller then reads it alone, which
  ///   also tells why.
  func read(_ reads: [BatchRead]) -> [Int?]
}

/// One of many reads.
package struct BatchRead {
  /// The most that are done in one call.
  package static let maximumCount = 64

  package let descriptor: Descriptor
  package let bytes: UnsafeMutableRawBufferPointer

  package init(_ descriptor: Descriptor, into bytes: UnsafeMutableRawBufferPointer) {
    self.descriptor = descriptor
    self.bytes = bytes
  }
}

/// The kernel's own queue (Linux: `io_setup`, `io_submit`, `io_getevents`).
final class KernelBatchReader: BatchReader {
  /// 0 after a failure.
  private var queue: UInt64

  /// Opens a queue; returns nil when the kernel has none, or when a sandbox forbids it.
  init?() {
    queue = hrp_reads_open(Int32(BatchRead.maximumCount))
    if queue == 0 { return nil }
  }

  deinit { close() }

  func read(_ reads: [BatchRead]) -> [Int?] {
    precondition(reads.count <= BatchRead.maximumCount, "So many reads do not fit into one call.")
    let none = [Int?](repeating: nil, count: reads.count)
    guard queue != 0 else { return none }
    var requests = reads.map {
      hrp_read(
        descriptor: $0.descriptor.number, into: $0.bytes.baseAddress, size: Int64($0.bytes.count), result: 0)
    }
    guard hrp_reads_run(queue, &requests, Int32(requests.count)) == 0 else {
      // It waits for what the kernel still does with our memory.
      close()
      return none
    }
    return requests.map { $0.result < 0 ? nil : Int($0.result) }
  }

  private func close() {
    if queue != 0 { hrp_reads_close(queue) }
    queue = 0
  }
}
