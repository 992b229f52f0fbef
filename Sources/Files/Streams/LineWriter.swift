package import SystemPackage

/// Appends lines to a new file in steps of one buffer, so that a list of any length costs the same memory.
package final class LineWriter {
  private let file: OpenFile
  private var pending: [UInt8] = []
  private var offset: Int64 = 0
  private let observe: (UnsafeRawBufferPointer) -> Void

  /// Makes the file, which must not exist.
  ///
  /// `observe` sees all bytes in order, as they are written.
  package init(
    _ name: FilePath, at directory: Descriptor, permissions: UInt16, files: any FileSystem,
    observe: @escaping (UnsafeRawBufferPointer) -> Void
  ) throws(SystemError) {
    file = try OpenFile(
      name, at: directory, mode: [.write, .create, .exclusive], permissions: permissions, files: files)
    self.observe = observe
  }

  package func write(_ text: String) throws(SystemError) { try write(Array(text.utf8)) }

  package func write(_ bytes: [UInt8]) throws(SystemError) {
    pending.append(contentsOf: bytes)
    if pending.count >= 64 * 1024 { try flush() }
  }

  /// Writes what is left and closes.
  ///
  /// Durable only after a sync of the file system, or with `durable`.
  /// Returns the size in bytes.
  package func close(durable: Bool = false) throws(SystemError) -> Int64 {
    try flush()
    if durable { try file.synchronize() }
    try file.close()
    return offset
  }

  private func flush() throws(SystemError) {
    pending.withUnsafeBytes(observe)
    try file.write(pending, at: offset)
    offset += Int64(pending.count)
    pending.removeAll(keepingCapacity: true)
  }
}
