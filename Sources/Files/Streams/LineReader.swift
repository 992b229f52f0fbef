private import CFiles

/// Reads a file line by line in steps of one buffer.
package final class LineReader {
  /// A line that is longer than a list of ours can hold.
  package struct LineTooLong: Error {
    /// Counted from 1.
    package let line: Int
  }

  private let file: any ReadableBytes
  private let maximumLength: Int
  private let observe: (UnsafeRawBufferPointer) -> Void
  private let buffer = IOBuffer(size: 64 * 1024)
  private var filled = 0
  private var position = 0
  private var offset: Int64 = 0
  /// The number of the last line given, counted from 1.
  package private(set) var line = 0
  /// Whether the last line given ended with a line feed.
  package private(set) var endedWithLineFeed = true

  /// `observe` sees all bytes of the file in order, once each, as they are read.
  package init(
    _ file: any ReadableBytes, maximumLength: Int = 64 * 1024,
    observe: @escaping (UnsafeRawBufferPointer) -> Void = { _ in }
  ) {
    self.file = file
    self.maximumLength = maximumLength
    self.observe = observe
  }

  /// The next line without its line feed; nil at the end.
  /// - Throws: `LineTooLong`, or `SystemError` when the file cannot be read.
  package func next() throws -> [UInt8]? {
    var text: [UInt8] = []
    while true {
      if position == filled {
        filled = try file.read(into: buffer.bytes, at: offset)
        position = 0
        offset += Int64(filled)
        observe(buffer.prefix(filled))
        if filled == 0 {
          if text.isEmpty { return nil }
          endedWithLineFeed = false
          line += 1
          return text
        }
      }
      let rest = UnsafeRawBufferPointer(rebasing: buffer.bytes[position..<filled])
      let found = hrp_find_byte(rest.baseAddress, UInt8(ascii: "\n"), Int64(rest.count))
      let end = found < 0 ? nil : Int(found)
      text.append(contentsOf: rest[..<(end ?? rest.count)])
      position += end.map { $0 + 1 } ?? rest.count
      if text.count > maximumLength { throw LineTooLong(line: line + 1) }
      if end != nil {
        line += 1
        return text
      }
    }
  }
}
