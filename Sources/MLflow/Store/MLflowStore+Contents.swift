package import Files
package import SystemPackage

extension MLflowStore {
  /// The SQLite databases at the top of a store, sorted by name.
  ///
  /// - Throws: `SystemError`, also for a file that cannot be read: what is in it must not be passed over.
  package static func databases(in folder: OpenFile) throws(SystemError) -> [FileName] {
    var found: [FileName] = []
    for name in try folder.files.entries(of: folder.descriptor).map(\.name).sorted() {
      guard try folder.files.statusIfPresent(name.path, at: folder.descriptor)?.kind == .regular,
        let file = try OpenFile.ifPresent(name.path, at: folder.descriptor, mode: [.noFollow], files: folder.files),
        try file.read(count: SQLiteFile.magic.count, at: 0) == SQLiteFile.magic
      else { continue }
      found.append(name)
    }
    return found
  }
}

extension FileSystem {
  /// The names in a directory that may be directories, sorted.
  package func folders(in path: FilePath) throws(SystemError) -> [FileName] {
    let folder = try OpenFile(path, mode: [.directory], files: self)
    return try entries(of: folder.descriptor).filter { $0.kind == .directory || $0.kind == .unknown }.map(\.name)
      .sorted()
  }
}
