package import SystemPackage

// "Cannot tell" is never "no": whoever decides about deleting, replacing or trusting asks here, and a failure that
// leaves the question open is thrown.

extension SystemError {
  /// Whether the kernel said that there is nothing of this name.
  ///
  /// Every other failure leaves that open.
  package var meansAbsent: Bool { errno == .noSuchFileOrDirectory || errno == .notDirectory }

  /// Whether this process or this machine has too little of something, which says nothing of the file.
  package var meansShortage: Bool {
    [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .resourceTemporarilyUnavailable].contains(errno)
  }
}

extension FileSystem {
  /// The status of what has this name, without following a symlink; nil when there is nothing.
  /// - Throws: `SystemError` when it cannot be told whether there is something.
  package func statusIfPresent(_ path: FilePath, at directory: Descriptor? = nil) throws(SystemError) -> FileStatus? {
    do {
      return try status(path, at: directory)
    } catch  where error.meansAbsent {
      return nil
    }
  }

  /// Whether there is something of this name; a dangling symlink counts too.
  /// - Throws: `SystemError` when it cannot be told.
  package func exists(_ path: FilePath, at directory: Descriptor? = nil) throws(SystemError) -> Bool {
    try statusIfPresent(path, at: directory) != nil
  }
}
