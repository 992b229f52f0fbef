package import Files
package import SystemPackage

/// A finished backup that can be read, wherever it is kept.
///
/// Whatever reads a backup takes this and not a path: verification, restore, drill and search are the same for a folder
/// and for a place that has no folders. It is kept from being removed for as long as the object lives.
package protocol StoredBackup: AnyObject, Sendable {
  /// Its own name: `backup_YYYYMMDD_HHMMSS`.
  var name: FileName { get }
  /// Where it is, as people and errors know it.
  var place: FilePath { get }
  /// The status of what lies at a path, without following a symlink; nil when nothing is there.
  func status(of path: EntryPath) throws(SystemError) -> FileStatus?
  /// The names directly in a folder, in no order.
  func entries(of folder: EntryPath) throws(SystemError) -> [DirectoryEntry]
  /// Opens the contents of a file; a symlink is not followed.
  func contents(of path: EntryPath) throws(SystemError) -> any ReadableBytes
  /// Visits everything that is stored, the lists too, in the order of the paths.
  ///
  /// A visit of a folder that returns false leaves its contents out.
  func walk(_ visit: (StoredStep) throws -> Bool) throws
  /// A file or a folder on a disk of this machine with these contents, for DuckDB and SQLite, which open paths.
  ///
  /// It is only read, and is there as long as this object lives.
  func materialize(_ path: EntryPath) throws -> FilePath
}

/// What a walk of a backup meets.
package enum StoredStep {
  /// A folder, before what it holds.
  case directory(any StoredItem)
  /// A file, a symlink or a special file.
  case entry(any StoredItem)
  /// Something that cannot be looked at.
  case unreadable(EntryPath, SystemError)
}

/// One thing that is stored, valid during its visit.
package protocol StoredItem {
  var path: EntryPath { get }
  var status: FileStatus { get }
  /// Opens the contents of a file, which may be read after the visit.
  func open() throws(SystemError) -> any ReadableBytes
  /// Where a symlink leads.
  func target() throws(SystemError) -> [UInt8]
}

extension StoredBackup {
  /// Opens one of the files that describe the backup; returns nil when there is no regular file of that name.
  package func list(_ path: EntryPath) throws(SystemError) -> (any ReadableBytes)? {
    guard try status(of: path)?.kind == .regular else { return nil }
    return try contents(of: path)
  }

  /// What `metadata.json` says; nil when there is no such file.
  package func metadata() throws -> MetadataReader.Reading? { try list(BackupLayout.metadata).map(MetadataReader.read) }

  /// The folder that holds the MLflow directory in the backup; nil when the backup has none.
  package func store() throws(SystemError) -> EntryPath? {
    for folder in BackupLayout.stores where try status(of: folder) != nil { return folder }
    return nil
  }

  /// Visits the files that `checksums.txt` names, in its order.
  ///
  /// A line that is not one of ours names no file: verification tells of it.
  /// - Parameter text: only files whose path holds this, as it is or as it is shown; all files when it is empty.
  /// - Throws: `SystemError` when there is no such list: then it cannot be told what the backup holds.
  package func files(named text: String = "", _ visit: (ChecksumLine) throws -> Void) throws {
    guard let list = try list(BackupLayout.checksums) else {
      throw SystemError("openat", errno: .noSuchFileOrDirectory, path: BackupLayout.checksums.text)
    }
    let wanted = Array(text.utf8)
    // Such a text stands in a line as it is, whether the path is escaped in it or not.
    let isPlain = !wanted.isEmpty && wanted.allSatisfy { (0x21..<0x7F).contains($0) && $0 != UInt8(ascii: "%") }
    let lines = LineReader(list)
    while let line = try lines.next() {
      if isPlain, line.first != UInt8(ascii: "\\"), !line.holds(wanted) { continue }
      guard let file = parsed({ try ChecksumLine(parsing: line) }) else { continue }
      let isNamed =
        wanted.isEmpty || file.path.text.contains(text)
        || String(decoding: file.path.bytes, as: UTF8.self).contains(text)
      if isNamed { try visit(file) }
    }
  }
}
