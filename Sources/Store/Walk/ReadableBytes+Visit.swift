internal import Files

extension ReadableBytes {
  /// Visits contents of a known size, a buffer at a time; long contents can be interrupted.
  /// - Returns: where they ended: before that size when there is less.
  /// - Throws: `SystemError`, `Interruption.Stopped`, and what the visit throws.
  @discardableResult
  func visit(
    size: Int64, from start: Int64 = 0, by buffer: IOBuffer, _ body: (UnsafeRawBufferPointer, Int64) throws -> Void
  ) throws -> Int64 {
    var offset = start
    while offset < size {
      try Interruption.check()
      let count = try read(into: buffer.bytes, at: offset, ofSize: size)
      if count == 0 { break }
      try body(buffer.prefix(count), offset)
      offset += Int64(count)
    }
    return offset
  }
}
