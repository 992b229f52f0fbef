package import SystemPackage

/// One thing found in a tree.
package struct TreeEntry {
  package let path: EntryPath
  /// The last component of the path.
  package let name: FilePath
  package let status: FileStatus
  /// The open directory that holds it; valid during the visit only.
  package let directory: Descriptor
}

/// Walks a tree in the order of the bytes of whole paths.
///
/// It follows no symlink, and keeps only the names of one directory for each level in memory.
///
/// That order (a directory sorts as if its name ended with `/`) is the order of `checksums.txt` and `manifest.jsonl`,
/// so lists of any length are written and compared as streams.
package struct TreeWalk {
  /// What the walk meets.
  package enum Visit {
    /// A directory, before what it holds. `descend` false leaves its contents out.
    case directory(TreeEntry)
    /// A file, a symlink or a special file.
    case entry(TreeEntry)
    /// Something whose status or contents could not be read, or that lies too deep.
    case unreadable(EntryPath, SystemError)
  }

  private let files: any FileSystem

  package init(files: any FileSystem) { self.files = files }

  /// Visits everything below the root, the root itself not.
  ///
  /// When a visit of a directory returns false, its contents are left out.
  package func walk(_ root: OpenFile, at path: EntryPath = .root, visit: (Visit) throws -> Bool) throws {
    try walkContents(of: root, at: path, depth: path.components.count, visit)
  }

  private func walkContents(
    of directory: OpenFile, at path: EntryPath, depth: Int, _ visit: (Visit) throws -> Bool
  ) throws {
    guard depth <= EntryPath.maximumDepth else {
      _ = try visit(.unreadable(path, SystemError("openat", errno: .fileNameTooLong, path: path.text)))
      return
    }
    let entries: [DirectoryEntry]
    do {
      entries = try ordered(files.entries(of: directory.descriptor), in: directory.descriptor)
    } catch {
      _ = try visit(.unreadable(path, error.at(path.text)))
      return
    }
    for entry in entries {
      try step(path / entry.name, name: entry.name.path, in: directory, depth: depth, visit: visit)
    }
  }

  private func step(
    _ path: EntryPath, name: FilePath, in directory: OpenFile, depth: Int, visit: (Visit) throws -> Bool
  ) throws {
    let status: FileStatus
    do {
      status = try files.status(name, at: directory.descriptor)
    } catch  where error.errno == .noSuchFileOrDirectory {
      return  // Removed since it was listed: as if it had gone a moment earlier.
    } catch {
      _ = try visit(.unreadable(path, error.at(path.text)))
      return
    }
    let entry = TreeEntry(path: path, name: name, status: status, directory: directory.descriptor)
    guard status.kind == .directory else {
      _ = try visit(.entry(entry))
      return
    }
    guard try visit(.directory(entry)) else { return }
    let next: OpenFile
    do throws(SystemError) {
      next = try OpenFile(
        name, at: directory.descriptor, mode: [.directory, .noFollow],
        displayPath: directory.path.appending(name.components), files: files)
    } catch {
      if error.errno != .noSuchFileOrDirectory { _ = try visit(.unreadable(path, error)) }
      return
    }
    try walkContents(of: next, at: path, depth: depth + 1, visit)
  }

  /// Sorted as whole paths sort: a directory as if its name ended with `/`.
  private func ordered(_ entries: [DirectoryEntry], in directory: Descriptor) throws(SystemError) -> [DirectoryEntry] {
    var keyed: [(key: [UInt8], entry: DirectoryEntry)] = []
    keyed.reserveCapacity(entries.count)
    for entry in entries {
      var kind = entry.kind
      if kind == .unknown {
        // A name that is gone, or that cannot be looked at, sorts anywhere: the visit misses it, or says so.
        do { kind = try files.status(entry.name.path, at: directory).kind } catch { kind = .unknown }
      }
      keyed.append((kind == .directory ? entry.name.bytes + [UInt8(ascii: "/")] : entry.name.bytes, entry))
    }
    return keyed.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.entry)
  }
}
