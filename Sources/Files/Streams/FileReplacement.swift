package import SystemPackage

extension FileSystem {
  /// Writes a small file in place of one of that name, durable; a crash leaves the one or the other.
  package func replace(_ name: FilePath, in folder: OpenFile, with bytes: [UInt8]) throws(SystemError) {
    let staged = FilePath(".\(ThisProcess.pid).partial")
    try removeTree(staged, at: folder.descriptor)
    let file = try OpenFile(staged, at: folder.descriptor, [.write, .create, .exclusive], files: self)
    try file.write(bytes, at: 0)
    try file.synchronize()
    try file.close()
    try renameReplacing(staged, at: folder.descriptor, to: name, at: folder.descriptor)
    try folder.synchronize()
  }
}
