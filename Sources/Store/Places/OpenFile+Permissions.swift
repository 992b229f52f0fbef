internal import Files
internal import SystemPackage

extension OpenFile {
  /// Sets permission bits, where the file system has such bits.
  ///
  /// On FAT and exFAT every file has the same ones, and setting others is refused, also to the owner.
  func setPermissionsWhereKept(to permissions: UInt16) throws(SystemError) {
    do {
      try files.setPermissions(descriptor, to: permissions)
    } catch {
      guard [.notPermitted, .invalidArgument, .notSupported].contains(error.errno), ThisProcess.owns(try status())
      else { throw error }
    }
  }
}
