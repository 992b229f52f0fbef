internal import Files
internal import SystemPackage

/// A list of a backup in the making, hashed as it is written and compared when it is read back.
final class DigestedList {
  private let path: EntryPath
  private let folder: OpenFile
  private let writer: LineWriter
  private let hash = DigestBox()

  init(_ path: EntryPath, in folder: OpenFile) throws(SystemError) {
    self.path = path
    self.folder = folder
    writer = try LineWriter(
      path.name.path, at: folder.descriptor, permissions: 0o444, files: folder.files, observe: hash.update)
  }

  /// Appends a line, given with its line feed.
  func write(_ line: [UInt8]) throws(SystemError) { try writer.write(line) }

  /// Writes what is left.
  /// - Parameter durable: false when a sync of the file system follows.
  func close(durable: Bool) throws(SystemError) { _ = try writer.close(durable: durable) }

  /// Reads the list back from the device, once it is durable.
  /// - Returns: its hash.
  /// - Throws: `BackupError.readBack` when it is not what was written.
  func readBack() throws -> Digest {
    let file = try OpenFile(path.name.path, at: folder.descriptor, mode: [.noFollow], files: folder.files)
    try folder.files.dropCache(of: file.descriptor)
    let digest = try ContentsReader.digest(of: file)
    guard digest == hash.finalize() else { throw BackupError.readBack("of \(path.text) is not what was written") }
    return digest
  }
}
