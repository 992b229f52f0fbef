package import SystemPackage

// "Cannot tell" is never "no": whoever decides about deleting, replacing or trusting asks here, and a failure that
// leaves the question open is thrown.

extension SystemError {
  /// Whether the kernel said that there is nothing of this name.
  ///
  /// Every other failure leaves that open.
  package var meansAbsent: Bool { errno == .noSuchFileOrDirectory || errno == .notDirectory }
}

extension FileSystem {
  /// The status of what has this name, of a link itself; nil when there is nothing.
  /// - Throws: `SystemError` when it cannot be told whether there is something.
  package func statusIfPresent(_ path: FilePath, at directory: Descriptor? = nil) throws(SystemError) -> FileStatus? {
    do {
      return try status(path, at: directory)
    } catch  where error.meansAbsent {
      return nil
    }
  }

  /// Whether there is something of this name; a dangling link counts.
  /// - Throws: `SystemError` when it cannot be told.
  package func exists(_ path: FilePath, at directory: Descriptor? = nil) throws(SystemError) -> Bool {
    try statusIfPresent(path, at: directory) != nil
  }
}

extension OpenFile {
  /// Opens what has this name; nil when there is nothing.
  ///
  /// A name that is something else than asked for (a link with `noFollow`) is an error, but for a directory that was
  /// asked for where something else is: there is no directory of that name.
  /// - Throws: `SystemError` when it is there and cannot be opened, or when that cannot be told.
  package static func ifPresent(
    _ path: FilePath, at directory: Descriptor? = nil, _ mode: OpenMode = [], files: any FileSystem
  ) throws(SystemError) -> OpenFile? {
    do {
      return try OpenFile(path, at: directory, mode, files: files)
    } catch  where error.meansAbsent {
      return nil
    }
  }
}
