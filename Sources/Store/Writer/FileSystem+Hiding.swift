internal import Files
internal import SystemPackage

extension FileSystem {
  /// The permissions of a folder with copies of what lies in some folders: it is open to nobody who could not look into
  /// all of them.
  ///
  /// A folder that is not there hides nothing. With one that cannot be looked at, the new folder is its owner's alone.
  func permissions(hiddenAs folders: [FilePath]) -> UInt16 {
    folders.reduce(0o755) { permissions, folder in
      do throws(SystemError) {
        // The dot: a symlink has permissions of its own, which are open to everybody.
        guard let status = try statusIfPresent(folder.appending(".")) else { return permissions }
        return permissions & status.permissions | 0o700
      } catch {
        return 0o700
      }
    }
  }
}
