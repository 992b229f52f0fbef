package import SystemPackage

extension FileSystem {
  /// Removes a file or a whole directory below an open one, without following symlinks.
  ///
  /// A name that is not there is fine.
  ///
  /// Directories are made writable first: what was copied from a read-only tree must not outlive its removal.
  package func removeTree(_ name: FilePath, at directory: Descriptor) throws(SystemError) {
    do {
      let kind = try status(name, at: directory).kind
      guard kind == .directory else { return try remove(name, at: directory) }
      let opened = try OpenFile(name, at: directory, mode: [.directory, .noFollow], files: self)
      // Where it is not ours to change, the removal of the contents says so.
      ignoringFailure { try setPermissions(opened.descriptor, to: 0o700) }
      for entry in try entries(of: opened.descriptor) {
        try removeTree(entry.name.path, at: opened.descriptor)
      }
      try opened.close()
      try removeDirectory(name, at: directory)
    } catch  where error.errno == .noSuchFileOrDirectory {
      return
    }
  }

  /// Makes a directory and those above it, as `mkdir -p` does.
  package func makeDirectories(_ path: FilePath, permissions: UInt16 = 0o755) throws(SystemError) {
    do {
      try makeDirectoryOfItsOwner(path, permissions: permissions)
    } catch  where error.errno == .fileExists {
      // What is there is looked at when it is opened.
    } catch  where error.errno == .noSuchFileOrDirectory && path.removingLastComponent() != path {
      try makeDirectories(path.removingLastComponent(), permissions: permissions)
      try makeDirectoryOfItsOwner(path, permissions: permissions)
    }
  }

  /// Makes a directory; when root makes it, it gets the owner of the directory above.
  ///
  /// It is given away by its descriptor: in another user's directory, the name may lead elsewhere by then.
  package func makeDirectoryOfItsOwner(
    _ path: FilePath, at directory: Descriptor? = nil, permissions: UInt16 = 0o755
  ) throws(SystemError) {
    try makeDirectory(path, at: directory, permissions: permissions)
    guard ThisProcess.isRoot else { return }
    let owner = try status(path.removingLastComponent().appending("."), at: directory).owner
    let made = try OpenFile(path, at: directory, mode: [.directory, .noFollow], files: self)
    try give(made.descriptor, to: owner)
  }
}
