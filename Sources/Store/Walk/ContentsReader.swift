package import Files
internal import SystemPackage

/// Reads the contents of stored files: their hash, and with the level `structure` what lies within, in the same pass.
package final class ContentsReader {
  private let buffer = IOBuffer(size: 1 << 20)
  private let files: any FileSystem
  package let time: any TimeSource
  /// Makes every read come from the device, not from memory; reads of large files always do.
  private let fromDevice: Bool
  private let progress: (Int64) -> Void

  package init(
    fromDevice: Bool, files: any FileSystem, time: any TimeSource, progress: @escaping (Int64) -> Void = { _ in }
  ) {
    self.fromDevice = fromDevice
    self.files = files
    self.time = time
    self.progress = progress
  }

  package func open(_ entry: StoredEntry) throws(SystemError) -> OpenFile {
    try OpenFile(
      entry.name, at: entry.directory, mode: [.noFollow], displayPath: FilePath(bytes: entry.path.bytes), files: files)
  }

  /// The hash of an entry's contents.
  package func digest(of entry: StoredEntry) throws -> Digest {
    try digest(of: open(entry), size: entry.status.size)
  }

  /// The hash of the contents of a file of so many bytes.
  ///
  /// `observe` sees the bytes as they pass by.
  package func digest(
    of file: OpenFile, size: Int64, from start: Int64 = 0, stream: DigestStream = DigestStream(),
    observe: (UnsafeRawBufferPointer, Int64) throws -> Void = { _, _ in }
  ) throws -> Digest {
    var stream = stream
    var offset = start
    try passCache(file, size: size)
    while offset < size {
      try Interruption.check()
      let count = try file.read(into: buffer.bytes, at: offset, ofSize: size)
      if count == 0 { break }
      let bytes = buffer.prefix(count)
      stream.update(bytes)
      try observe(bytes, offset)
      offset += Int64(count)
      progress(Int64(count))
    }
    return stream.finalize()
  }

  /// Makes what is read next come from the device, where that is wanted.
  ///
  /// Where the cache cannot be passed by, it is emptied. From here on the file is only read into aligned memory.
  private func passCache(_ file: OpenFile, size: Int64) throws(SystemError) {
    guard fromDevice || size >= TargetFile.minimumDirectBytes else { return }
    if try !files.bypassCache(of: file.descriptor, true), fromDevice { try files.dropCache(of: file.descriptor) }
  }

  /// The hash of a small file, such as a list.
  package static func digest(of file: OpenFile) throws -> Digest {
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
