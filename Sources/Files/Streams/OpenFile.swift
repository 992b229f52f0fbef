private import Synchronization
package import SystemPackage

/// A file or directory that is open, and is closed exactly once.
///
/// `close()` reports a failure; when the last reference goes without it, the descriptor is closed silently, which is
/// the path of errors. Used by one thread at a time; it may be handed from one to another.
package final class OpenFile: ReadableBytes {
  package let descriptor: Descriptor
  package let files: any FileSystem
  /// The path as the reader of an error knows it.
  package let path: FilePath
  private let isOpen = Atomic<Bool>(true)

  package init(
    _ path: FilePath, at directory: Descriptor? = nil, mode: OpenMode = [], permissions: UInt16 = 0o644,
    displayPath: FilePath? = nil, files: any FileSystem
  ) throws(SystemError) {
    self.files = files
    self.path = displayPath ?? path
    do {
      descriptor = try files.open(path, at: directory, mode: mode, permissions: permissions)
    } catch {
      throw error.at((displayPath ?? path).text)
    }
  }

  /// Takes a descriptor that somebody opened.
  package init(adopting descriptor: Descriptor, path: FilePath, files: any FileSystem) {
    self.descriptor = descriptor
    self.path = path
    self.files = files
  }

  deinit {
    // A failure to close after another error adds nothing that the reader could act on.
    if isOpen.load(ordering: .relaxed) { ignoringFailure { try files.close(descriptor) } }
  }

  package func close() throws(SystemError) {
    guard isOpen.exchange(false, ordering: .relaxed) else { return }
    try named { () throws(SystemError) in try files.close(descriptor) }
  }

  /// Hands the descriptor to somebody else, who closes it.
  package func release() -> Descriptor {
    isOpen.store(false, ordering: .relaxed)
    return descriptor
  }

  /// The inode of a name in this directory, without following a symlink; nil when there is no such name.
  package func inode(of name: FileName) throws(SystemError) -> UInt64? {
    guard try files.exists(name.path, at: descriptor) else { return nil }
    return try files.status(name.path, at: descriptor).identity.inode
  }

  package func status() throws(SystemError) -> FileStatus {
    try named { () throws(SystemError) in try files.status(of: descriptor) }
  }

  /// Reads until the buffer is full or the file ends.
  ///
  /// Returns the number of bytes read.
  package func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
    try fill(bytes, wanted: bytes.count, at: offset)
  }

  /// Reads the next bytes of a file whose size is known: one call where the kernel gives all that is there.
  ///
  /// Returns fewer than fit only at that size or at the end of the file. It asks in whole units of
  /// ``IOBuffer/alignment`` and never at an offset behind the end, as is the rule past the page cache.
  package func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64, ofSize size: Int64)
    throws(SystemError) -> Int
  {
    let wanted = Int(clamping: min(Int64(bytes.count), size - offset))
    let room = min(bytes.count, (wanted + IOBuffer.alignment - 1) / IOBuffer.alignment * IOBuffer.alignment)
    return min(
      try fill(UnsafeMutableRawBufferPointer(rebasing: bytes[..<room]), wanted: wanted, at: offset), wanted)
  }

  /// Reads until so many bytes are there, or the file ends.
  private func fill(_ bytes: UnsafeMutableRawBufferPointer, wanted: Int, at offset: Int64) throws(SystemError) -> Int {
    try named { () throws(SystemError) in
      var done = 0
      while done < wanted {
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[done...])
        let count = try files.read(descriptor, into: rest, at: offset + Int64(done))
        if count == 0 { break }
        done += count
      }
      return done
    }
  }

  package func passCache(size: Int64) throws(SystemError) {
    guard size >= TargetFile.minimumDirectBytes else { return }
    // Where the file system cannot, they come through the cache.
    _ = try named { () throws(SystemError) in try files.bypassCache(of: descriptor, true) }
  }

  /// Writes all bytes.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
    try named { () throws(SystemError) in
      var done = 0
      while done < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
        let count = try files.write(descriptor, bytes: rest, at: offset + Int64(done))
        // A kernel that accepts nothing and says no error would keep us here for ever.
        if count == 0 { throw SystemError("pwrite", errno: .ioError) }
        done += count
      }
    }
  }

  package func write(_ bytes: [UInt8], at offset: Int64) throws(SystemError) {
    var failure: SystemError?
    bytes.withUnsafeBytes { buffer in
      do throws(SystemError) { try write(buffer, at: offset) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  package func synchronize() throws(SystemError) {
    try named { () throws(SystemError) in try files.synchronize(descriptor) }
  }

  package func truncate(to length: Int64) throws(SystemError) {
    try named { () throws(SystemError) in try files.truncate(descriptor, to: length) }
  }

  /// Runs a call and gives its error the path of this file.
  private func named<Result>(_ body: () throws(SystemError) -> Result) throws(SystemError) -> Result {
    do { return try body() } catch { throw error.path.isEmpty ? error.at(path.text) : error }
  }
}
