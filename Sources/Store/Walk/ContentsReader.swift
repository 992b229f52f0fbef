package import Files
internal import SystemPackage

/// Reads the contents of stored files: their hash, and with the level `structure` what lies within, in the same pass.
package final class ContentsReader {
  private let buffer = IOBuffer(size: 1 << 20)
  package let time: any TimeSource
  private let progress: (Int64) -> Void

  package init(time: any TimeSource, progress: @escaping (Int64) -> Void = { _ in }) {
    self.time = time
    self.progress = progress
  }

  /// The hash of an entry's contents.
  package func digest(of entry: StoredEntry) throws -> Digest {
    try digest(of: entry.open(), size: entry.status.size)
  }

  /// The hash of the contents of a file of so many bytes.
  ///
  /// `observe` sees the bytes as they pass by.
  package func digest(
    of file: any ReadableBytes, size: Int64, from start: Int64 = 0, stream: DigestStream = DigestStream(),
    observe: (UnsafeRawBufferPointer, Int64) throws -> Void = { _, _ in }
  ) throws -> Digest {
    var stream = stream
    try file.passCache(size: size)
    try file.visit(size: size, from: start, by: buffer) { bytes, offset in
      stream.update(bytes)
      try observe(bytes, offset)
      progress(Int64(bytes.count))
    }
    return stream.finalize()
  }

  /// The hash of a small file, such as a list.
  package static func digest(of file: any ReadableBytes) throws -> Digest {
    let buffer = IOBuffer(size: 64 * 1024)
    var stream = DigestStream()
    var offset: Int64 = 0
    while true {
      let count = try file.read(into: buffer.bytes, at: offset)
      if count == 0 { return stream.finalize() }
      stream.update(buffer.prefix(count))
      offset += Int64(count)
    }
  }
}
