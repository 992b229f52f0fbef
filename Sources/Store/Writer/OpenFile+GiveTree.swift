internal import Files
internal import SystemPackage

extension OpenFile {
  /// Gives a folder that root made, with all that is in it, to the owner of the backup directory.
  ///
  /// That user may then hard-link from it and rotate it. For another user than root it does nothing.
  func giveTree(to owner: FileOwner) throws {
    guard ThisProcess.isRoot, owner != .root else { return }
    try TreeWalk(files: files).walk(self) { step in
      switch step {
      case .directory(let entry), .entry(let entry):
        if entry.status.owner != owner { try files.give(entry.name, at: entry.directory, to: owner) }
      case .unreadable(_, let error): throw error
      }
      return true
    }
    try files.give(descriptor, to: owner)
  }
}
