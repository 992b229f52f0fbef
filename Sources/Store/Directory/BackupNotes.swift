internal import Files
internal import SystemPackage

/// Small files about backups, one kind in a folder of its own beside the sealed backups; never needed to restore.
struct BackupNotes {
  private static let maximumBytes: Int64 = 64 << 20

  private let folderName: FilePath
  private let backups: FilePath
  private let files: any FileSystem

  /// - Parameter folderName: hidden, so that it is no backup.
  init(_ folderName: FilePath, of backups: FilePath, files: any FileSystem) {
    self.folderName = folderName
    self.backups = backups
    self.files = files
  }

  /// What is noted of a backup.
  func read(_ name: FileName) -> Noted<[UInt8]> {
    do throws(SystemError) {
      guard let file = try OpenFile.ifPresent(path(of: name), mode: [.noFollow], files: files) else { return .nothing }
      let status = try file.status()
      guard status.kind == .regular, status.size <= Self.maximumBytes else {
        return .unreadable("\(path(of: name).text) is not a file that hrp wrote")
      }
      return .found(try file.read(count: Int(status.size), at: 0))
    } catch {
      return .unreadable("\(path(of: name).text): \(error.errno)")
    }
  }

  /// The backups that have a note.
  func names() throws(SystemError) -> [FileName] {
    guard let folder = try OpenFile.ifPresent(backups.pushing(folderName), mode: [.directory], files: files) else {
      return []
    }
    let ending = Array(".json".utf8)
    return try files.entries(of: folder.descriptor).map(\.name.bytes).filter { $0.suffix(5).elementsEqual(ending) }
      .map { FileName(bytes: $0.dropLast(5)) }
  }

  /// Whether a note was written or removed since a timestamp, in nanoseconds since 1970 UTC.
  ///
  /// True where that cannot be told.
  func haveChanged(since timestamp: Int64) -> Bool {
    do {
      guard let status = try files.statusIfPresent(backups.pushing(folderName)) else { return false }
      return status.modifiedNanoseconds >= timestamp
    } catch {
      return true
    }
  }

  /// Writes a note in place of the one before; a crash leaves the one or the other.
  ///
  /// Whoever may read the backups may read it, whatever the umask of whoever writes it: a pin that another user cannot
  /// read keeps more than it was meant to.
  /// - Throws: `BackupError` `path.in-backup`; `SystemError`.
  func write(_ bytes: [UInt8], of name: FileName) throws {
    try BackupError.checkOutsideOfBackups(backups, files: files)
    let parent = try OpenFile(backups, mode: [.directory], files: files)
    if try !files.exists(folderName, at: parent.descriptor) {
      try files.makeDirectoryOfItsOwner(folderName, at: parent.descriptor)
      try parent.synchronize()
    }
    let folder = try OpenFile(folderName, at: parent.descriptor, mode: [.directory, .noFollow], files: files)
    try files.replace(Self.fileName(of: name), in: folder, with: bytes)
    let permissions = try parent.status().permissions & 0o755
    // A note is open to nobody who could not look into the backup.
    let own = try files.statusIfPresent(name.path, at: parent.descriptor)?.permissions ?? 0o755
    ignoringFailure {
      let note = try OpenFile(Self.fileName(of: name), at: folder.descriptor, mode: [.noFollow], files: files)
      try files.setPermissions(note.descriptor, to: permissions & own & 0o644)
      try files.give(note.descriptor, to: parent.status().owner)
      try files.setPermissions(folder.descriptor, to: permissions)
    }
  }

  /// Removes the note; there need not be one.
  func remove(_ name: FileName) throws(SystemError) {
    guard try files.exists(path(of: name)) else { return }
    try files.remove(path(of: name), at: nil)
    try OpenFile(backups.pushing(folderName), mode: [.directory], files: files).synchronize()
  }

  private func path(of name: FileName) -> FilePath {
    backups.pushing(folderName).pushing(Self.fileName(of: name))
  }

  private static func fileName(of name: FileName) -> FilePath { FilePath(bytes: name.bytes + Array(".json".utf8)) }
}
