package import SystemPackage

/// A new file that is written once, in the steps of a buffer.
///
/// A large one is written past the page cache where the file system can: its bytes are on their way to the device when
/// a write returns, so a busy machine keeps its memory, and no great flush stands before another program's commit. A
/// small one, and what is not aligned, goes through the cache, a step at a time on its way out (``WritebackPace``).
package final class TargetFile {
  /// From this size on a file is worth waiting for the device, in bytes.
  package static let minimumDirectBytes: Int64 = 512 << 10

  package let file: OpenFile
  private var pace = WritebackPace()
  private var canBypass: Bool
  private var isBypassing = false

  /// Makes the file, which must not exist.
  /// - Parameter expectedBytes: how large it will be, as far as that is known.
  package init(
    _ name: FilePath, at directory: Descriptor, permissions: UInt16, expectedBytes: Int64, displayPath: FilePath? = nil,
    files: any FileSystem
  ) throws(SystemError) {
    file = try OpenFile(
      name, at: directory, mode: [.write, .create, .exclusive], permissions: permissions, displayPath: displayPath,
      files: files)
    canBypass = expectedBytes >= Self.minimumDirectBytes
  }

  /// Takes a file that is there already, such as a clone.
  package init(adopting file: OpenFile) {
    self.file = file
    canBypass = false
  }

  /// Writes bytes of aligned memory, such as an ``IOBuffer`` has.
  ///
  /// Not durable: see ``FileSystem/synchronizeTree(_:)``.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
    let whole = bytes.count / IOBuffer.alignment * IOBuffer.alignment
    let isAligned =
      offset % Int64(IOBuffer.alignment) == 0 && Int(bitPattern: bytes.baseAddress) % IOBuffer.alignment == 0
    guard isAligned, whole > 0, try bypass(true) else { return try writeThrough(bytes, at: offset) }
    try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<whole]), at: offset)
    if whole < bytes.count {
      try writeThrough(UnsafeRawBufferPointer(rebasing: bytes[whole...]), at: offset + Int64(whole))
    }
  }

  /// Reads what was written, into memory of any kind.
  package func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int {
    _ = try bypass(false)
    return try file.read(into: bytes, at: offset)
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
    _ = try bypass(false)
    try file.write(bytes, at: offset)
    try pace.wrote(bytes.count, at: offset, to: file)
  }

  /// Whether the next call goes past the cache.
  private func bypass(_ wanted: Bool) throws(SystemError) -> Bool {
    guard canBypass, wanted != isBypassing else { return isBypassing }
    if try file.files.bypassCache(of: file.descriptor, wanted) { isBypassing = wanted } else { canBypass = false }
    return isBypassing
  }
}
