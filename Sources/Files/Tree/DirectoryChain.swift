private import SystemPackage

/// The open directories on the way to the entry being worked on, from a root that is never left.
///
/// Each component is opened below the one before it without following a symlink. So a symlink that somebody puts there
/// cannot lead out of the root. Entries that come in the order of their paths cost one `open` for each directory.
package final class DirectoryChain {
  private let root: OpenFile
  private let files: any FileSystem
  private var open: [(name: FileName, file: OpenFile)] = []
  /// The directory at the end of the chain; nil after a failure.
  private var current: EntryPath? = .root

  package init(root: OpenFile) {
    self.root = root
    files = root.files
  }

  /// The descriptor of a directory below the root; valid until the next call.
  ///
  /// With `makingMissing` a directory that does not exist is made with these permissions.
  package func directory(_ path: EntryPath, makingMissing permissions: UInt16? = nil) throws(SystemError) -> Descriptor
  {
    if path == current { return top }
    let components = path.components
    let common = zip(open, components).prefix { $0.name == $1 }.count
    // Until the new end is reached, no path is the chain's.
    current = nil
    // Deepest first, so that a chain is never left without its upper part.
    while open.count > common { try open.removeLast().file.close() }
    for name in components[common...] {
      let displayPath = root.path.appending(path.bytes.isEmpty ? "" : path.text)
      if let permissions { try make(name, permissions: permissions) }
      let file = try OpenFile(
        name.path, at: top, mode: [.directory, .noFollow], displayPath: displayPath, files: files)
      open.append((name, file))
    }
    current = path
    return top
  }

  /// The descriptor of the directory that holds an entry; valid until the next call.
  package func directory(holding path: EntryPath, makingMissing permissions: UInt16? = nil) throws(SystemError)
    -> Descriptor
  {
    // Most entries lie beside the one before: then nothing is taken apart.
    if let current, path.isDirectly(in: current) { return top }
    return try directory(path.parent, makingMissing: permissions)
  }

  private var top: Descriptor { open.last?.file.descriptor ?? root.descriptor }

  private func make(_ name: FileName, permissions: UInt16) throws(SystemError) {
    do {
      try files.makeDirectory(name.path, at: top, permissions: permissions)
    } catch  where error.errno == .fileExists {
      // Made by an earlier entry; that it is a directory is checked when it is opened.
    }
  }
}
