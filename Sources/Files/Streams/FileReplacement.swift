package import SystemPackage

extension FileSystem {
  /// Writes a small file in place of one of that name, durable; a crash leaves the one or the other.
  ///
  /// It is made under a random name and locked meanwhile. What a killed process left of such a name is removed.
  package func replace(_ name: FilePath, in folder: OpenFile, with bytes: [UInt8]) throws(SystemError) {
    try removeAbandonedReplacements(in: folder)
    let (staged, file) = try newReplacement(in: folder)
    do throws(SystemError) {
      try file.write(bytes, at: 0)
      try file.synchronize()
      try renameReplacing(staged, at: folder.descriptor, to: name, at: folder.descriptor)
    } catch {
      // The reason is the error itself; what cannot be removed now, the next replacement removes.
      ignoringFailure { try remove(staged, at: folder.descriptor) }
      throw error
    }
    try file.close()
    try folder.synchronize()
  }

  /// Makes and locks an empty file of a random name.
  private func newReplacement(in folder: OpenFile) throws(SystemError) -> (name: FilePath, file: OpenFile) {
    while true {
      let name = FilePath(RandomName.make(replacementPrefix) + replacementSuffix)
      let file = try OpenFile(name, at: folder.descriptor, mode: [.write, .create, .exclusive], files: self)
      // Somebody who looks for what was left behind may have been quicker than our lock: then it is gone.
      if try lock(file.descriptor, kind: .exclusive), try exists(name, at: folder.descriptor) { return (name, file) }
    }
  }

  private var replacementPrefix: String { "." }
  private var replacementSuffix: String { ".partial" }

  private func removeAbandonedReplacements(in folder: OpenFile) throws(SystemError) {
    for entry in try entries(of: folder.descriptor)
    where RandomName.matches(entry.name, prefix: replacementPrefix, suffix: replacementSuffix) {
      let file: OpenFile
      do throws(SystemError) {
        file = try OpenFile(entry.name.path, at: folder.descriptor, mode: [.noFollow], files: self)
      } catch {
        continue  // It is in its place by now, or another user's.
      }
      guard try lock(file.descriptor, kind: .exclusive) else { continue }
      do throws(SystemError) {
        // Between the listing and the lock its maker may have put it in place under this very inode.
        let now = try status(entry.name.path, at: folder.descriptor).identity
        if now == (try file.status().identity) { try remove(entry.name.path, at: folder.descriptor) }
      } catch  where error.errno == .noSuchFileOrDirectory {
        continue
      }
    }
  }
}
