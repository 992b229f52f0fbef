internal import Files
internal import Store
internal import SystemPackage

/// The two lists of a backup in the making, written entry by entry in the order of the tree.
final class BackupLists {
  private let checksums: LineWriter
  private let manifest: LineWriter
  private let checksumsHash = DigestBox()
  private let manifestHash = DigestBox()
  private(set) var filesCount = 0
  private(set) var sizeBytes: Int64 = 0

  init(at directory: Descriptor, files: any FileSystem) throws(SystemError) {
    checksums = try LineWriter(
      BackupLayout.checksums.name.path, at: directory, permissions: 0o444, files: files, observe: checksumsHash.update)
    manifest = try LineWriter(
      BackupLayout.manifest.name.path, at: directory, permissions: 0o444, files: files, observe: manifestHash.update)
  }

  func add(_ line: ManifestLine, digest: Digest?) throws(SystemError) {
    try manifest.write(line.bytes)
    guard let digest else { return }
    try checksums.write(ChecksumLine(digest: digest, path: line.path).bytes)
    filesCount += 1
    sizeBytes += line.size
  }

  /// Closes both.
  ///
  /// Durable after the file system is synchronized.
  func close() throws(SystemError) -> (checksums: Digest, manifest: Digest) {
    _ = try checksums.close()
    _ = try manifest.close()
    return (checksumsHash.finalize(), manifestHash.finalize())
  }
}
