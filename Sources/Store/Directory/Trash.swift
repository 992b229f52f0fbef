package import Files
package import SystemPackage

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

// Deleted backups, which can be brought back for some days. They lie in `.hrp-trash` in the directory of the backups.
//
//   X1  A backup goes into the trash by one rename, and comes back by one. So it is in the list or in the trash, and
//       whole, wherever a crash strikes. Its proof and its pin stay where they are, under its name: they are there
//       again when it comes back.
//   X2  A note beside it says when it was deleted. The note is durable before the rename. A backup whose note is
//       missing, cannot be read, or is dated after now never goes by itself: nobody can tell how long it was there.
//       Example: the clock was a year ahead when the rotation ran; the backup stays until somebody empties the trash.
//   X3  What is in the trash is no backup: it is not listed, nothing is linked from it, and no rule counts it.
//   X4  What goes for good leaves the trash by one rename before its first file is deleted. What a crash leaves is
//       hidden, and the next run removes it.
//
// Whoever moves something in or out has the exclusive lock of the backups.
package struct Trash {
  /// One deleted backup.
  package struct Entry: Sendable {
    package let name: FileName
    /// When it was deleted, in nanoseconds since 1970 UTC; nil when nothing tells.
    package let deletedAt: Int64?
  }

  private struct Note: Codable {
    /// In nanoseconds since 1970 UTC; a text, since not every reader of JSON has such numbers.
    var deletedNanoseconds: String
    /// The same for people: ISO 8601 with offset.
    var deletedAt: String

    enum CodingKeys: String, CodingKey {
      case deletedNanoseconds = "deleted_ns"
      case deletedAt = "deleted_at"
    }
  }

  static let folderName: FilePath = ".hrp-trash"
  private static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000

  /// The directory of the backups.
  package let backups: FilePath
  private let notes: BackupNotes
  private let files: any FileSystem
  private let time: any TimeSource

  package init(of backups: FilePath, files: any FileSystem, time: any TimeSource) {
    self.backups = backups
    self.files = files
    self.time = time
    notes = BackupNotes(Self.folderName, of: backups, files: files)
  }

  /// The deleted backups, the one that was deleted first at the front; those without a date come last.
  package func entries() throws(SystemError) -> [Entry] {
    guard let folder = try folder() else { return [] }
    var entries: [Entry] = []
    for entry in try files.entries(of: folder.descriptor) where entry.name.hasPrefix(BackupLayout.prefix) {
      guard try files.statusIfPresent(entry.name.path, at: folder.descriptor)?.kind == .directory else { continue }
      entries.append(Entry(name: entry.name, deletedAt: deletionTime(of: entry.name)))
    }
    return entries.sorted { ($0.deletedAt ?? .max, $0.name) < ($1.deletedAt ?? .max, $1.name) }
  }

  /// Checks that backups can be moved to the trash, also before there is one.
  /// - Throws: `BackupError` `trash.unusable`; `SystemError`.
  package func check() throws {
    let path = backups.pushing(Self.folderName)
    guard let status = try files.statusIfPresent(path) else { return }
    let isElsewhere = try files.status(backups.appending("."), at: nil).identity.device != status.identity.device
    guard status.kind != .directory || isElsewhere else { return }
    throw BackupError(
      "trash.unusable", kind: .failed,
      message: status.kind == .directory
        ? "\(path.text) lies on another disk than the backups" : "\(path.text) is not a directory",
      remedy: "Move it away, and hrp makes one: mv \(ShellWord.quoted(path)) "
        + "\(ShellWord.quoted(FilePath(path.string + ".old")))")
  }

  /// Where a deleted backup lies.
  package func path(of name: FileName) -> FilePath { backups.pushing(Self.folderName).pushing(name.path) }

  /// Moves a backup of the list to the trash.
  /// - Returns: false when the backup is being read: then it stays in the list.
  package func put(_ name: FileName) throws -> Bool {
    let parent = try OpenFile(backups, mode: [.directory], files: files)
    let backup = try OpenFile(name.path, at: parent.descriptor, mode: [.directory, .noFollow], files: files)
    guard try files.lock(backup.descriptor, kind: .exclusive) else { return false }
    let now = time.nowNanoseconds
    let note = Note(deletedNanoseconds: "\(now)", deletedAt: LocalTime(nanoseconds: now).iso8601WithOffset)
    try notes.write(StoredJSON.bytes(of: note), of: name)
    let trash = try OpenFile(backups.pushing(Self.folderName), mode: [.directory, .noFollow], files: files)
    do {
      try files.renameNew(name.path, at: parent.descriptor, to: name.path, at: trash.descriptor)
    } catch {
      ignoringFailure { try notes.remove(name) }
      throw error
    }
    try trash.synchronize()
    try parent.synchronize()
    return true
  }

  /// Brings a deleted backup back into the list.
  /// - Throws: `BackupError` `trash.name-taken`; `SystemError`.
  package func restore(_ entry: Entry) throws {
    let name = entry.name
    let parent = try OpenFile(backups, mode: [.directory], files: files)
    let trash = try OpenFile(backups.pushing(Self.folderName), mode: [.directory, .noFollow], files: files)
    do {
      try files.renameNew(name.path, at: trash.descriptor, to: name.path, at: parent.descriptor)
    } catch {
      guard error.errno == .fileExists else { throw error }
      throw BackupError(
        "trash.name-taken", kind: .failed, message: "there is another backup \(ByteText.escaped(name.bytes))",
        remedy: "Move it away first, then try again.")
    }
    try parent.synchronize()
    try trash.synchronize()
    try notes.remove(name)
  }

  /// Deletes one for good, with its proof and its pin.
  /// - Returns: the bytes that came free; nil when it is being read.
  package func remove(_ name: FileName) throws -> Int64? {
    let parent = try OpenFile(backups, mode: [.directory], files: files)
    guard let trash = try folder() else { return 0 }
    let backup = try OpenFile(name.path, at: trash.descriptor, mode: [.directory, .noFollow], files: files)
    guard try files.lock(backup.descriptor, kind: .exclusive) else { return nil }
    let bytes = try ownBytes(of: backup)
    let hidden = FilePath(bytes: Array(".".utf8) + name.bytes + Array(".deleted.partial".utf8))
    try files.renameNew(name.path, at: trash.descriptor, to: hidden, at: parent.descriptor)
    try parent.synchronize()
    try files.removeTree(hidden, at: parent.descriptor)
    try notes.remove(name)
    // A backup of that name may be in the list: then they are its own.
    guard try !files.exists(name.path, at: parent.descriptor) else { return bytes }
    try ProofDirectory(of: backups, files: files).remove(name)
    try PinDirectory(of: backups, files: files).forget(name)
    return bytes
  }

  /// Deletes for good what was in the trash for so many days.
  /// - Returns: the bytes that came free.
  package func removeExpired(keptFor days: Int64) throws -> Int64 {
    try removeOrphans()
    return try dated().reduce(0) { freed, entry in
      guard entry.age >= days * Self.dayNanoseconds else { return freed }
      return try freed + (remove(entry.name) ?? 0)
    }
  }

  /// Deletes for good as much as must go for so many bytes to come free, what was deleted first at the front.
  /// - Returns: the bytes that came free.
  package func free(bytes: Int64) throws -> Int64 {
    var freed: Int64 = 0
    for entry in try dated() where freed < bytes { freed += try remove(entry.name) ?? 0 }
    return freed
  }

  /// What needs the space that the trash takes.
  package enum Need: String {
    case backup, copy, restore

    var program: String { self == .backup ? "hrp backup create" : "hrp backup \(rawValue)" }
  }

  /// Deletes for good what must go for so many bytes to come free, under the lock of the backups, and tells of it.
  /// - Returns: the bytes that came free.
  /// - Throws: `AdvisoryLock.Busy` when the lock cannot be had in ten minutes; `SystemError`.
  package func makeRoom(_ bytes: Int64, for need: Need, events: EventStream) throws -> Int64 {
    let freed = try AdvisoryLock.whileHeld(
      .exclusive, of: .backups, on: backups, note: ThisProcess.note(program: need.program, time: time),
      patience: .seconds(600), onWait: events.waitingForLock, files: files, time: time
    ) { try free(bytes: bytes) }
    events.send(
      .notice("the \(need.rawValue) needs the space: \(ByteCount.text(freed)) of the trash were deleted for good"))
    return freed
  }

  /// Bytes of disk space that `free` can give.
  package func bytesToFree() throws -> Int64 {
    try dated().reduce(0) { bytes, entry in
      let backup = try OpenFile(path(of: entry.name), mode: [.directory, .noFollow], files: files)
      return try bytes + ownBytes(of: backup)
    }
  }

  /// What may go by itself (X2), with how long it has been here in nanoseconds; what was deleted first at the front.
  private func dated() throws(SystemError) -> [(name: FileName, age: Int64)] {
    let now = time.nowNanoseconds
    return try entries().compactMap { entry in
      guard let deletedAt = entry.deletedAt, deletedAt <= now else { return nil }
      return (entry.name, now - deletedAt)
    }
  }

  /// Bytes of disk space that come free when all of it goes: files that backups in the list share are not counted.
  package func bytes() throws -> Int64 {
    guard let folder = try folder() else { return 0 }
    return try ownBytes(of: folder)
  }

  /// Removes notes whose backups are not there: a crash left them.
  private func removeOrphans() throws {
    for name in try notes.names() where try !files.exists(path(of: name)) { try notes.remove(name) }
  }

  private func folder() throws(SystemError) -> OpenFile? {
    try OpenFile.ifPresent(backups.pushing(Self.folderName), mode: [.directory, .noFollow], files: files)
  }

  private func deletionTime(of name: FileName) -> Int64? {
    guard let bytes = notes.read(name).value else { return nil }
    return parsed { try JSONDecoder().decode(Note.self, from: Data(bytes)) }.flatMap { Int64($0.deletedNanoseconds) }
  }

  private func ownBytes(of folder: OpenFile) throws -> Int64 {
    var bytes: Int64 = 0
    try TreeWalk(files: files).walk(folder) { step in
      if case .entry(let entry) = step, entry.status.linkCount == 1 { bytes += entry.status.allocatedBytes }
      return true
    }
    return bytes
  }
}
