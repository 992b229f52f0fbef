package import SystemPackage

extension OpenFile {
  /// The directory at a path, else the nearest one above it that exists: the one whose file system the path will be on.
  /// - Throws: `SystemError` when one of them is there and cannot be opened.
  package static func nearestDirectory(of path: FilePath, files: any FileSystem) throws(SystemError) -> OpenFile {
    var path = path
    while true {
      do throws(SystemError) {
        return try OpenFile(path, mode: [.directory], files: files)
      } catch {
        let parent = path.removingLastComponent()
        guard error.errno == .noSuchFileOrDirectory, parent != path else { throw error }
        path = parent
      }
    }
  }

  /// Opens what has this name; nil when there is nothing.
  ///
  /// A name of another kind than asked for (such as a symlink with `noFollow`) is an error. There is one exception:
  /// when a directory was asked for and something else is there, there is no directory of that name.
  /// - Throws: `SystemError` when it is there and cannot be opened, or when that cannot be told.
  package static func ifPresent(
    _ path: FilePath, at directory: Descriptor? = nil, mode: OpenMode = [], files: any FileSystem
  ) throws(SystemError) -> OpenFile? {
    do {
      return try OpenFile(path, at: directory, mode: mode, files: files)
    } catch  where error.meansAbsent {
      return nil
    }
  }
}
