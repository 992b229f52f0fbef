internal import DuckDBFile
package import Files
internal import Store
package import SystemPackage

// Questions are never put to the live database: an open read-only connection would keep a starting writer out. They are
// put to a hot copy in scratch.
//
//   S1  A snapshot is used under a shared lock on its folder, and removed under an exclusive lock. So a snapshot in use
//       is never removed, and the next run removes what a killed process left.
//   S2  A snapshot is kept for the next question only when the headers, the file and the WALs did not change from
//       before the copy began until after it ended. It is used again only while they still have not changed. Example: a
//       notebook commits one row. Its WAL then has another size, so the next question takes a new snapshot.
//   S3  One snapshot is kept, for at most a day and up to a maximum size. All others are removed after use.

/// A hot copy of the live database in scratch, which the engine may open read-only.
package final class LiveSnapshot {
  private static let prefix = "hrp-snapshot."
  private static let databaseName = FilePath("database.duckdb")
  private static let stateName = FilePath("state")
  /// S3: bytes of a database that is kept.
  private static let maximumKeptBytes: Int64 = 8 << 30
  /// S3.
  private static let maximumAgeNanoseconds: Int64 = 86_400 * 1_000_000_000

  /// The folder, absolute; the engine may spill into it too.
  let folder: FilePath
  /// When the database was in this state, in nanoseconds since 1970 UTC.
  let timestamp: Int64
  private let parent: OpenFile
  private let lock: OpenFile
  private let isKept: Bool

  var database: FilePath { folder.appending(Self.databaseName.components) }

  private init(
    _ name: FilePath, in parent: OpenFile, lock: OpenFile, timestamp: Int64, isKept: Bool
  ) {
    folder = parent.path.appending(name.components)
    self.parent = parent
    self.lock = lock
    self.timestamp = timestamp
    self.isKept = isKept
  }

  /// Releases the snapshot, and removes it unless it is kept.
  func close() {
    guard !isKept, let name = folder.lastComponent else { return }
    // The next run removes what cannot be removed now.
    ignoringFailure { try parent.files.removeTree(FilePath(name.string), at: parent.descriptor) }
  }

  /// The snapshot of a database as it is now: the one that is kept, or a new one.
  /// - Throws: `HotCopyError`, `SystemError`, `BackupError` `source.not-found`, `disk.full`; `Interruption.Stopped`.
  static func take(
    of database: FilePath, in directory: FilePath, files: any FileSystem, time: any TimeSource
  ) throws -> LiveSnapshot {
    guard try files.exists(database) else { throw BackupError.sourceNotFound(database) }
    let parent = try usingScratch(directory) { () throws(SystemError) in
      try files.makeDirectories(directory)
      return try OpenFile(directory, mode: [.directory], files: files)
    }
    let now = try state(of: database, files: files, time: time)
    for entry in try files.entries(of: parent.descriptor) where entry.name.hasPrefix(prefix) {
      do {
        if let kept = try reuse(entry.name.path, in: parent, state: now, time: time) { return kept }
      } catch {
        // A snapshot that cannot be read is not used; a new one is made.
      }
      ignoringFailure { try discard(entry.name.path, in: parent) }
    }
    return try make(of: database, state: now, in: parent, time)
  }

  /// Everything by which a change of the database can be seen: S2.
  private static func state(of database: FilePath, files: any FileSystem, time: any TimeSource) throws -> String {
    let file = try DatabaseFile(database, files: files, time: time)
    let headers = try file.file.read(count: Int(HeaderPair.end), at: 0)
    var hash = DigestStream()
    headers.withUnsafeBytes { hash.update($0) }
    var parts = ["hrp snapshot 1", database.text, "headers \(hash.finalize().hex)", words(try file.file.status())]
    for name in file.names {
      for wal in [WALNames.wal(of: name), WALNames.checkpointWAL(of: name)] {
        parts.append(try files.statusIfPresent(wal).map(words) ?? "no WAL")
      }
    }
    return parts.joined(separator: "\n") + "\n"
  }

  private static func words(_ status: FileStatus) -> String {
    "\(status.identity.device) \(status.identity.inode) \(status.size) \(status.modifiedNanoseconds) "
      + "\(status.changedNanoseconds)"
  }

  /// Opens the kept snapshot if S2 allows it; returns nil when it shows another state, is too old, or is being made.
  private static func reuse(
    _ name: FilePath, in parent: OpenFile, state: String, time: any TimeSource
  ) throws -> LiveSnapshot? {
    let folder = try OpenFile(name, at: parent.descriptor, mode: [.directory, .noFollow], files: parent.files)
    guard try parent.files.lock(folder.descriptor, kind: .shared) else { return nil }
    // This is opened after the lock was taken, so it fails when another process has removed the folder before.
    let file = try OpenFile(stateName, at: folder.descriptor, mode: [.noFollow], files: parent.files)
    let timestamp = try file.status().modifiedNanoseconds
    guard try file.read(count: 65536, at: 0).elementsEqual(state.utf8), timestamp <= time.nowNanoseconds,
      time.nowNanoseconds - timestamp < maximumAgeNanoseconds
    else { return nil }
    return LiveSnapshot(name, in: parent, lock: folder, timestamp: time.nowNanoseconds, isKept: true)
  }

  /// Removes snapshots that are not in use, and then their directory if it is empty.
  ///
  /// Another process may have begun to use the directory.
  package static func leave(_ directory: FilePath, files: any FileSystem) {
    ignoringFailure {
      let parent = try OpenFile(directory, mode: [.directory], files: files)
      for entry in try files.entries(of: parent.descriptor) where entry.name.hasPrefix(prefix) {
        ignoringFailure { try discard(entry.name.path, in: parent) }
      }
      try files.removeDirectory(directory, at: nil)
    }
  }

  private static func discard(_ name: FilePath, in parent: OpenFile) throws {
    let folder = try OpenFile(name, at: parent.descriptor, mode: [.directory, .noFollow], files: parent.files)
    guard try parent.files.lock(folder.descriptor, kind: .exclusive) else { return }
    try parent.files.removeTree(name, at: parent.descriptor)
  }

  /// A new folder under our lock: one that was seen before its lock, and removed, is made again.
  private static func makeFolder(in parent: OpenFile) throws -> (FilePath, OpenFile) {
    while true {
      let name = FilePath("\(prefix)\(ThisProcess.pid).\(UInt32.random(in: 0 ..< .max))")
      try usingScratch(parent.path) { () throws(SystemError) in
        try parent.files.makeDirectory(name, at: parent.descriptor, permissions: 0o700)
      }
      let folder = try OpenFile(name, at: parent.descriptor, mode: [.directory, .noFollow], files: parent.files)
      if try parent.files.lock(folder.descriptor, kind: .shared), try parent.files.exists(name, at: parent.descriptor) {
        return (name, folder)
      }
      try Interruption.check()
    }
  }

  private static func make(
    of database: FilePath, state before: String, in parent: OpenFile, _ time: any TimeSource
  ) throws -> LiveSnapshot {
    let files = parent.files
    let source = try DatabaseFile(database, files: files, time: time)
    let bytes = try source.expectedCopyBytes()
    let available = try files.space(of: parent.descriptor).availableBytes
    guard UInt64(bytes / 100 * 105 + (64 << 20)) <= available else {
      throw BackupError.noSpace(parent.path, needed: bytes / 100 * 105 + (64 << 20), available: available)
    }
    let (name, folder) = try makeFolder(in: parent)
    do {
      _ = try DatabaseCopy.run(
        of: source, to: databaseName, at: folder.descriptor, permissions: 0o600, files: files, time: time)
      try source.file.close()
      let timestamp = time.nowNanoseconds
      let isSettled = try Self.state(of: database, files: files, time: time) == before
      if isSettled, bytes <= maximumKeptBytes {
        let file = try OpenFile(stateName, at: folder.descriptor, mode: [.write, .create, .exclusive], files: files)
        try file.write(Array(before.utf8), at: 0)
        try file.close()
        try give(folder)
        return LiveSnapshot(name, in: parent, lock: folder, timestamp: timestamp, isKept: true)
      }
      return LiveSnapshot(name, in: parent, lock: folder, timestamp: timestamp, isKept: false)
    } catch {
      ignoringFailure { try files.removeTree(name, at: parent.descriptor) }
      // Only writing can cause these errors: they are about scratch, not about the database.
      let writing: [Errno] = [.noSpace, .diskQuotaExceeded, .readOnlyFileSystem, .fileTooLarge]
      if let full = error as? SystemError, writing.contains(full.errno) {
        throw BackupError.scratch(parent.path, error: full)
      }
      throw error
    }
  }

  /// Gives a snapshot that root made to the owner of scratch, who may then use and remove it; this is the last step.
  private static func give(_ folder: OpenFile) throws {
    guard ThisProcess.isRoot else { return }
    let owner = try folder.files.status("..", at: folder.descriptor).owner
    for entry in try folder.files.entries(of: folder.descriptor) {
      try folder.files.give(entry.name.path, at: folder.descriptor, to: owner)
    }
    try folder.files.give(folder.descriptor, to: owner)
  }

  private static func usingScratch<Result>(
    _ directory: FilePath, body: () throws(SystemError) -> Result
  ) throws(BackupError) -> Result {
    do throws(SystemError) { return try body() } catch { throw BackupError.scratch(directory, error: error) }
  }
}
