package import Files
internal import Store
internal import SystemPackage

/// DuckDB's own write lock on database files, as long as a swap runs (W5).
///
/// A lock of this kind is gone as soon as the process closes any descriptor of the file. So whoever must read such a
/// file while it is held does so by the descriptor that holds it: `file(_:in:)`.
package final class DatabaseLock {
  private var held: [(identity: FileIdentity, file: OpenFile)] = []

  package init() {}

  /// Takes the lock on a file: that of a writer, or that of a reader on a file which this user may not write to.
  ///
  /// - Parameter isForced: a file that cannot be opened at all is passed over.
  /// - Throws: `BackupError` `restore.database-in-use`, naming the holder; `SystemError`.
  package func take(_ name: FileName, in directory: OpenFile, isForced: Bool) throws {
    let files = directory.files
    guard try files.exists(name.path, at: directory.descriptor),
      try files.status(name.path, at: directory.descriptor).kind == .regular
    else { return }
    let displayPath = directory.path.appending(name.path.components)
    let file: OpenFile
    let kind: LockKind
    do throws(SystemError) {
      (file, kind) = try Self.opened(name, in: directory, displayPath: displayPath)
    } catch {
      guard isForced else { throw error }
      // It cannot be locked; that nobody has it open can be seen all the same.
      let identity = try files.status(name.path, at: directory.descriptor).identity
      if let holder = try FileHolders(of: identity).seen.first {
        throw BackupError.databaseInUse(displayPath, holder: holder.pid)
      }
      return
    }
    if let holder = try files.lockHolder(file.descriptor, against: .exclusive) {
      throw BackupError.databaseInUse(displayPath, holder: holder)
    }
    // Somebody may have come between the question and this.
    guard try files.takeDuckDBLock(file.descriptor, kind: kind) else {
      let holder = try files.lockHolder(file.descriptor, against: .exclusive)
      throw BackupError.databaseInUse(displayPath, holder: holder ?? 0)
    }
    let identity = try file.status().identity
    if let holder = try Self.opener(of: file, identity) { throw BackupError.databaseInUse(displayPath, holder: holder) }
    held.append((identity, file))
  }

  /// Opens a file; a read-only file, such as a copied backup, gets a reader's lock, which keeps writers out.
  private static func opened(
    _ name: FileName, in directory: OpenFile, displayPath: FilePath
  ) throws(SystemError) -> (OpenFile, LockKind) {
    let files = directory.files
    do {
      return (
        try OpenFile(
          name.path, at: directory.descriptor, mode: [.write, .noFollow], displayPath: displayPath, files: files),
        .exclusive
      )
    } catch  where error.errno == .permissionDenied {
      return (
        try OpenFile(name.path, at: directory.descriptor, mode: [.noFollow], displayPath: displayPath, files: files),
        .shared
      )
    }
  }

  /// The process that has a file open without a lock, or with a lock that is not seen across a mount; 0 when unknown.
  private static func opener(of file: OpenFile, _ identity: FileIdentity) throws(SystemError) -> Int32? {
    let isOpenElsewhere = try file.files.hasOtherOpeners(file.descriptor, openers: .all)
    if isOpenElsewhere == false { return nil }
    return try FileHolders(of: identity).seen.first?.pid ?? (isOpenElsewhere == true ? 0 : nil)
  }

  /// Releases all locks.
  package func release() {
    for (_, file) in held {
      // Closing is what gives the lock up; that it failed would change nothing.
      ignoringFailure { try file.close() }
    }
    held = []
  }

  deinit { release() }

  /// A file to read from: by the descriptor that holds it, where one does, which is then not closed.
  func file(_ name: FileName, in directory: OpenFile) throws -> BorrowedFile {
    let files = directory.files
    let identity = try files.status(name.path, at: directory.descriptor).identity
    if let own = held.first(where: { $0.identity == identity })?.file { return BorrowedFile(own, isOwn: false) }
    return BorrowedFile(
      try OpenFile(name.path, at: directory.descriptor, mode: [.noFollow], files: files), isOwn: true)
  }

  /// A file that only whoever opened it closes.
  struct BorrowedFile {
    private let file: OpenFile
    private let isOwn: Bool

    fileprivate init(_ file: OpenFile, isOwn: Bool) {
      self.file = file
      self.isOwn = isOwn
    }

    func close() throws(SystemError) { if isOwn { try file.close() } }

    func read(count: Int, at offset: Int64) throws(SystemError) -> [UInt8] { try file.read(count: count, at: offset) }
  }
}
