package import SystemPackage

/// An advisory lock of the operating system on a directory of ours, with a note of who holds it.
///
/// The lock is an `flock` on a hidden file in that directory, so it is gone when its holder is dead. The note is
/// only for people: it says who took the lock last. Never used on a user's database.
package final class AdvisoryLock {
  /// What is locked: one directory may be both.
  package enum Place: String, Sendable {
    /// A data directory, against a restore into it.
    case stack = ".hrp-stack.lock"
    /// A directory of backups, against those that publish or delete there.
    case backups = ".hrp-backups.lock"
    /// A data directory, against a second scheduler.
    case scheduler = ".hrp-scheduler.lock"
    /// A data directory, against a second scheduled job.
    case job = ".hrp-job.lock"

    /// Whether the directory itself is locked where no file can be made in it; there can be one such lock only.
    var fallsBackToDirectory: Bool { self == .stack || self == .backups }
  }

  private let file: OpenFile

  private init(_ file: OpenFile) { self.file = file }

  /// Takes the lock, or says who has it.
  ///
  /// A directory that cannot be written to is locked by its own descriptor: then there is no note.
  /// - Parameter patience: how long the user is willing to wait.
  /// - Parameter grace: how long it is waited for without a word: somebody who looks (`check`, `glance`) has the lock
  ///   for an instant.
  /// - Parameter onWait: is told who has it, when the wait begins.
  /// - Throws: `AdvisoryLock.Busy` when it is still taken after `patience`.
  package static func take(
    _ kind: LockKind, of place: Place, on directory: FilePath, note: ProcessNote, patience: Duration = .zero,
    grace: Duration = .milliseconds(40), onWait: (Busy) -> Void = { _ in }, files: any FileSystem,
    time: any TimeSource
  ) throws -> AdvisoryLock {
    let file = try open(place, in: directory, files: files)
    let end = time.monotonicNanoseconds + max(patience, grace).nanoseconds
    var isFirst = true
    while try !files.lock(file.descriptor, kind: kind) {
      let busy = Busy(directory: directory, holder: readNote(in: file))
      if time.monotonicNanoseconds >= end { throw busy }
      if isFirst, patience > .zero { onWait(busy) }
      isFirst = false
      try Interruption.check()
      time.sleep(.milliseconds(50))
    }
    writeNote(note, to: file)
    return AdvisoryLock(file)
  }

  /// Runs the body while the lock is held.
  /// - Throws: as `take`, and what the body throws.
  package static func whileHeld<Result>(
    _ kind: LockKind, of place: Place, on directory: FilePath, note: ProcessNote, patience: Duration = .zero,
    onWait: (Busy) -> Void = { _ in }, files: any FileSystem, time: any TimeSource, body: () throws -> Result
  ) throws -> Result {
    let lock = try take(
      kind, of: place, on: directory, note: note, patience: patience, onWait: onWait, files: files, time: time)
    defer { ignoringFailure { try lock.release() } }
    return try body()
  }

  /// Whether somebody holds the lock, so that nobody else could take it exclusively; leaves nothing behind.
  /// - Throws: `SystemError` when that cannot be told.
  package static func isHeld(_ place: Place, on directory: FilePath, files: any FileSystem) throws -> Bool {
    do {
      try check(.exclusive, of: place, on: directory, files: files)
      return false
    } catch is Busy {
      return true
    }
  }

  /// Says who has the lock, as `take` would, and leaves nothing behind: what a dry run asks.
  ///
  /// - Parameter grace: as for `take`.
  /// - Throws: `AdvisoryLock.Busy`; `SystemError`.
  package static func check(
    _ kind: LockKind, of place: Place, on directory: FilePath, grace: Duration = .zero, files: any FileSystem,
    time: any TimeSource = SystemTime()
  ) throws {
    let end = time.monotonicNanoseconds + grace.nanoseconds
    while true {
      do {
        try glance(kind, of: place, on: directory, files: files)?.release()
        return
      } catch let busy as Busy {
        guard time.monotonicNanoseconds < end else { throw busy }
        time.sleep(.milliseconds(50))
      }
    }
  }

  /// Takes the lock for an instant: no file is made for it, and no note is written.
  ///
  /// - Returns: nil when nobody has ever taken it, and the directory itself cannot be locked.
  /// - Throws: `AdvisoryLock.Busy`; `SystemError`.
  package static func glance(
    _ kind: LockKind, of place: Place, on directory: FilePath, files: any FileSystem
  ) throws -> AdvisoryLock? {
    let path = directory.appending(place.rawValue)
    let own = try OpenFile.ifPresent(path, mode: [.noFollow], files: files)
    let fallback = { () throws(SystemError) in
      place.fallsBackToDirectory ? try OpenFile.ifPresent(directory, mode: [.directory], files: files) : nil
    }
    guard let file = try own ?? fallback() else { return nil }
    guard try files.lock(file.descriptor, kind: kind) else {
      throw Busy(directory: directory, holder: readNote(in: file))
    }
    return AdvisoryLock(file)
  }

  /// Lets go of the lock.
  package func release() throws(SystemError) {
    try file.files.unlock(file.descriptor)
    try file.close()
  }

  /// The lock is held by a living process.
  package struct Busy: Error {
    package let directory: FilePath
    /// Who noted itself last; nil when there is no readable note.
    package let holder: ProcessNote?
  }

  /// The file that everybody locks; only where there is none and none can be made, the directory itself.
  ///
  /// - Throws: `SystemError` for one that is there and cannot be opened: a lock on anything else keeps nobody out.
  private static func open(
    _ place: Place, in directory: FilePath, files: any FileSystem
  ) throws(SystemError) -> OpenFile {
    let path = directory.appending(place.rawValue)
    do {
      let file = try OpenFile(path, mode: [.write, .create, .noFollow], permissions: 0o644, files: files)
      // The permissions must not depend on the umask: the file holds no secret, and others must be able to lock it.
      ignoringFailure {
        if try file.status().permissions != 0o644 { try files.setPermissions(file.descriptor, to: 0o644) }
        try files.giveNew(file.descriptor, to: files.status(directory.appending("."), at: nil).owner)
      }
      return file
    } catch  where error.errno == .readOnlyFileSystem || error.errno == .permissionDenied {
      // A lock needs no right to write.
      if let file = try OpenFile.ifPresent(path, mode: [.noFollow], files: files) { return file }
      guard place.fallsBackToDirectory else { throw error }
      return try OpenFile(directory, mode: [.directory], files: files)
    }
  }

  private static func readNote(in file: OpenFile) -> ProcessNote? {
    // Without a note the message is poorer, and still right.
    let note = forPeople { try file.read(count: 1024, at: 0) }.flatMap {
      ProcessNote(text: String(decoding: $0, as: UTF8.self))
    }
    // Who only looks writes no note: the one that is there may be of somebody who has long ended.
    guard let note, note.host == ThisProcess.host, !OtherProcess.isAlive(note.pid) else { return note }
    return nil
  }

  private static func writeNote(_ note: ProcessNote, to file: OpenFile) {
    // The note is a courtesy; on a directory's descriptor or a full disk the lock holds all the same.
    ignoringFailure {
      try file.truncate(to: 0)
      try file.write(Array(note.text.utf8), at: 0)
    }
  }
}
