extension FileSystem {
  /// Makes everything in a folder durable: at once where the platform can, else file by file.
  ///
  /// The folder must have been open since before the first write, so that a sync of its file system tells of every
  /// write that failed.
  package func synchronizeTree(_ folder: OpenFile) throws {
    if try synchronizeFileSystem(of: folder.descriptor) { return }
    try TreeWalk(files: self).walk(folder) { step in
      guard case .entry(let entry) = step, entry.status.kind == .regular else { return true }
      let file = try OpenFile(entry.name, at: entry.directory, mode: [.noFollow], files: self)
      try synchronizeContents(file.descriptor)
      try file.close()
      return true
    }
    try folder.synchronize()
  }
}
