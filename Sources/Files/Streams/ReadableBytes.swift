/// Bytes that are read at offsets: an open file, or what stands for one where a backup is kept elsewhere.
///
/// Used by one thread at a time; it may be handed from one to another.
package protocol ReadableBytes: AnyObject, Sendable {
  /// Reads until the buffer is full or the bytes end; the number of bytes read.
  func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int
  /// Reads the next bytes of contents whose size is known; fewer than fit only at that size or at the end.
  func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64, ofSize size: Int64) throws(SystemError) -> Int
  /// Asks for reads that do not fill the memory of the machine, where there are so many bytes that it matters.
  ///
  /// From here on they are only read into aligned memory, such as an ``IOBuffer`` has.
  func passCache(size: Int64) throws(SystemError)
  /// Ends it; without it the last reference does.
  func close() throws(SystemError)
}

extension ReadableBytes {
  /// At most `count` bytes from an offset; fewer at the end.
  package func read(count: Int, at offset: Int64) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(SystemError) {
        initialized = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }
}
