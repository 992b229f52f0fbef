package import SystemPackage

extension FileSystem {
  /// Gives a file that this process made to an owner, when this process is root; otherwise the file stays as it is.
  package func give(_ descriptor: Descriptor, to owner: FileOwner) throws(SystemError) {
    try giving(to: owner) { () throws(SystemError) in try setOwner(descriptor, to: owner) }
  }

  /// Gives a name to an owner in the same way; a symlink itself is changed, and not its target.
  package func give(_ path: FilePath, at directory: Descriptor?, to owner: FileOwner) throws(SystemError) {
    try giving(to: owner) { () throws(SystemError) in try setOwner(path, at: directory, to: owner) }
  }

  /// Gives a file that was opened or made a moment ago, if it is new: one with a second name, or with something in it,
  /// may be anybody's.
  package func giveNew(_ descriptor: Descriptor, to owner: FileOwner) throws(SystemError) {
    guard ThisProcess.isRoot, owner != .root else { return }
    let status = try status(of: descriptor)
    if status.linkCount == 1, status.size == 0, status.owner != owner { try give(descriptor, to: owner) }
  }

  private func giving(to owner: FileOwner, _ body: () throws(SystemError) -> Void) throws(SystemError) {
    guard ThisProcess.isRoot, owner != .root else { return }
    do {
      try body()
    } catch  where [.notPermitted, .invalidArgument, .notSupported, .notSupportedOnSocket].contains(error.errno) {
      // The root of a user namespace may not, and some file systems know no owners: it stays this process's.
    }
  }
}
