internal import Files
internal import Store
internal import SystemPackage

/// What a swap does where the file system can do less: no exchange of names, no hard links, no renaming of folders.
extension Swap {
  /// W3, where names cannot be exchanged: the old file gets its second name first.
  func replace(_ name: FileName, in place: Place) throws {
    if try !files.exists(name.path, at: place.outgoing.descriptor) {
      do {
        try files.makeHardLink(
          name.path, at: place.outgoing.descriptor, to: name.path, at: place.directory.descriptor)
      } catch  where [.notPermitted, .notSupported, .notSupportedOnSocket, .noFunction].contains(error.errno) {
        try copyAside(name, in: place)
      }
      try place.outgoing.synchronize()
    }
    try files.renameReplacing(
      name.path, at: place.incoming.descriptor, to: name.path, at: place.directory.descriptor)
  }

  /// For a file system that has neither exchange nor hard links.
  private func copyAside(_ name: FileName, in place: Place) throws {
    let source = try lock.file(name, in: place.directory)
    let staged = FilePath(".copy.partial")
    try files.removeTree(staged, at: place.outgoing.descriptor)
    let target = try OpenFile(staged, at: place.outgoing.descriptor, mode: [.write, .create, .exclusive], files: files)
    var offset: Int64 = 0
    while true {
      try Interruption.check()
      let bytes = try source.read(count: 4 << 20, at: offset)
      if bytes.isEmpty { break }
      try target.write(bytes, at: offset)
      offset += Int64(bytes.count)
    }
    try source.close()
    try target.synchronize()
    try target.close()
    try files.renameNew(
      staged, at: place.outgoing.descriptor, to: name.path, at: place.outgoing.descriptor)
  }

  /// Renames; a folder that cannot be renamed, as in an overlay, is made anew, and what is in it is moved.
  func move(_ name: FileName, from: OpenFile, to: OpenFile, as new: FileName? = nil) throws {
    let target = new ?? name
    do throws(SystemError) {
      return try files.renameNew(name.path, at: from.descriptor, to: target.path, at: to.descriptor)
    } catch {
      guard [.improperLink, .resourceBusy, .fileExists, .directoryNotEmpty].contains(error.errno),
        try files.status(name.path, at: from.descriptor).kind == .directory
      else { throw error }
    }
    let source = try OpenFile(name.path, at: from.descriptor, mode: [.directory, .noFollow], files: files)
    if try !files.exists(target.path, at: to.descriptor) {
      try files.makeDirectory(target.path, at: to.descriptor, permissions: try source.status().permissions)
    }
    let copy = try OpenFile(target.path, at: to.descriptor, mode: [.directory, .noFollow], files: files)
    try files.give(copy.descriptor, to: source.status().owner)
    for entry in try files.entries(of: source.descriptor) { try move(entry.name, from: source, to: copy) }
    try copy.synchronize()
    try source.close()
    try files.removeDirectory(name.path, at: from.descriptor)
  }
}
