private import CFiles
package import SystemPackage

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// Whether this process may write to a directory, and rename what lies there.
package enum PathRights {
  /// Looks whether this process may make and remove names in a directory.
  ///
  /// The corresponding C function is `faccessat` with `AT_EACCESS`.
  /// - Throws: `SystemError`: what would refuse it.
  package static func checkWritable(_ directory: FilePath) throws(SystemError) {
    let failed = directory.withPlatformString { faccessat(AT_FDCWD, $0, W_OK | X_OK, AT_EACCESS) } != 0
    if failed { throw SystemError("faccessat", errno: Errno(rawValue: errno), path: directory.text) }
  }

  /// Checks that this user may rename or remove a name, as far as that can be told without doing it.
  ///
  /// This needs the right to write to the directory that contains the name, and to the name itself when it is a
  /// directory that is moved. The sticky bit protects the names of other users; file flags protect all names.
  /// - Throws: `SystemError`: what would refuse it.
  package static func checkRenamable(_ path: FilePath, files: any FileSystem) throws(SystemError) {
    let folder = path.removingLastComponent()
    try checkWritable(folder)
    let (status, parent) = (try files.status(path, at: nil), try files.status(folder.appending("."), at: nil))
    if parent.permissions & 0o1000 != 0, !ThisProcess.isRoot, !ThisProcess.owns(status), !ThisProcess.owns(parent) {
      throw SystemError("renameat", errno: .notPermitted, path: path.text)
    }
    if status.kind == .directory { try checkWritable(path) }
    for name in [folder, path] where name.withPlatformString({ hrp_is_fixed($0) }) == 1 {
      throw SystemError("renameat", errno: .notPermitted, path: name.text)
    }
  }
}
