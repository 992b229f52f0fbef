package import Files
package import Stacks
package import Store
internal import SystemPackage

/// Copies a finished backup to a second place; the order of writes is at the head of `Store/Places/Place.swift`.
package struct CopyRun {
  private let stack: Stack
  private let place: DirectoryPlace
  private let beginsAnew: Bool
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  /// - Parameter beginsAnew: whether the place is made, or marked as one, when it is none yet (Y6).
  package init(
    of stack: Stack, to place: DirectoryPlace, beginsAnew: Bool = false, files: any FileSystem, time: any TimeSource,
    events: EventStream
  ) {
    self.stack = stack
    self.place = place
    self.beginsAnew = beginsAnew
    self.files = files
    self.time = time
    self.events = events
  }

  /// Copies a backup, with its pin.
  /// - Throws: `BackupError` `place.…`, `disk.full`, `verification.failed`; `SystemError`; `Interruption.Stopped`.
  package func copy(_ backup: DirectoryBackup) throws -> CopyResult {
    let name = ByteText.escaped(backup.name.bytes)
    events.send(.began(operation: "backup copy", on: "\(name) to \(place.title)"))
    let began = time.monotonicNanoseconds
    try checkApart()
    try checkNoted(backup)
    if beginsAnew { try begin() }
    let marker = try place.marker()
    let room = try space(for: backup)
    events.send(.expected(bytes: 2 * room.totalBytes))
    try makeRoom(room)
    let receipt: Receipt
    do {
      receipt = try place.receive(backup, sources: sources(of: backup), events: events)
    } catch let error as SystemError where [.noSpace, .diskQuotaExceeded].contains(error.errno) {
      throw try noSpace(room)
    }
    if backup.place.folder != place.path { try copyPin(of: backup) }
    tell(receipt, name: name)
    return CopyResult(
      name: name, place: place.title, placeID: marker.id, isOnOtherDevice: isOnOtherDevice, receipt: receipt,
      durationSeconds: Double(time.monotonicNanoseconds - began) / 1e9)
  }

  /// Looks at everything that would be refused, and writes nothing.
  /// - Returns: the bytes that are missing at the place, as far as the lists tell, and those of the whole backup.
  package func plan(_ backup: DirectoryBackup) throws -> (missingBytes: Int64, totalBytes: Int64) {
    try checkApart()
    try checkNoted(backup)
    if !beginsAnew { try place.check() }
    let room = try space(for: backup)
    return (room.missingBytes, room.totalBytes)
  }

  /// Refuses a place that is no other place: its rotation would delete the backups themselves.
  private func checkApart() throws {
    guard let why = try stack.problem(ofPlace: place.path, files: files) else { return }
    throw BackupError(
      "place.not-apart", kind: .usage, message: "\(place.path.text) cannot be a second place: \(why)",
      remedy: "Name a directory elsewhere, best on another disk.")
  }

  /// Refuses a backup that a verification or a drill found damaged: what is linked at the place would hide that.
  private func checkNoted(_ backup: DirectoryBackup) throws {
    let listed = try BackupDirectory(backup.place.folder, files: files).backup(backup.name)
    let name = ByteText.escaped(backup.name.bytes)
    if let problem = listed?.proof.problem {
      throw BackupError(
        "verification.failed", kind: .failed,
        message: "\(name) is not copied: whether it was found damaged cannot be told: \(problem)",
        remedy: "Make the file readable for the user who runs hrp. If it is damaged, verify the backup: "
          + "hrp backup verify \(name)")
    }
    guard let damage = listed?.proof.value?.damage else { return }
    throw BackupError(
      "verification.failed", kind: .failed, message: "\(name) is not copied: \(damage)",
      remedy: "Copy another one: hrp backup list. If it is mended, verify it again: hrp backup verify \(name)")
  }

  private func begin() throws {
    let marker = try place.begin()
    events.send(.notice("\(place.title) is a place for copies; its id is \(marker.id)"))
    if isOnOtherDevice == false {
      events.send(.warning("\(place.title) is on the same disk as the data: a broken disk takes both"))
    }
  }

  /// The folders that hide a backup from others.
  private func sources(of backup: DirectoryBackup) -> [FilePath] {
    [backup.place, backup.place.folder, stack.dataDirectory]
  }

  private func copyPin(of backup: DirectoryBackup) throws {
    switch PinDirectory(of: backup.place.folder, files: files, time: time).pin(of: backup.name) {
    case .nothing: return
    case .found(let pin):
      _ = try PinDirectory(of: place.path, files: files, time: time).pin(backup.name, reason: pin.reason)
    case .unreadable(let why):
      events.send(.warning("the pin of the backup cannot be read, and is not copied: \(why)"))
    }
  }

  private func tell(_ receipt: Receipt, name: String) {
    if receipt.hasNoLinks {
      events.send(
        .notice("\(place.title) makes no hard links, so every copy takes its whole size there"))
    }
    let words =
      receipt.wasThere
      ? "it was there already"
      : "\(ByteCount.text(receipt.sentBytes)) sent, \(ByteCount.text(receipt.linkedBytes)) linked"
        + (receipt.arrivedBytes > 0 ? ", \(ByteCount.text(receipt.arrivedBytes)) there before" : "")
    events.send(.finished(operation: "backup copy", summary: "\(name) to \(place.title): \(words)"))
  }

  /// Whether the place is on another device than the database; nil when that cannot be told.
  private var isOnOtherDevice: Bool? { place.isOnOtherDevice(than: stack.database, files: files) }

  // MARK: - Space

  private struct Room {
    var totalBytes: Int64
    var missingBytes: Int64
    var availableBytes: UInt64

    var neededBytes: Int64 { missingBytes.addingClamped(missingBytes / 100 + (8 << 20)) }
  }

  private func space(for backup: DirectoryBackup) throws -> Room {
    var (total, count): (Int64, Int64) = (0, 0)
    try backup.walk { step in
      guard case .entry(let entry) = step else { return true }
      total = total.addingClamped(entry.status.size)
      count += 1
      return true
    }
    let folder = try OpenFile.nearestDirectory(of: place.path, files: files)
    let present = try place.presentBytes(of: backup)
    return Room(
      totalBytes: total, missingBytes: max(0, total.addingClamped(count * 512) - present),
      availableBytes: try files.space(of: folder.descriptor).availableBytes)
  }

  /// Removes from the trash of the place what must go for the copy to have room, the oldest first.
  private func makeRoom(_ room: Room) throws {
    let missing = room.neededBytes - Int64(clamping: room.availableBytes)
    guard missing > 0 else { return }
    let trash = Trash(of: place.path, files: files, time: time)
    guard try trash.bytesToFree() >= missing else { throw try noSpace(room) }
    _ = try trash.makeRoom(missing, for: .copy, events: events)
  }

  private func noSpace(_ room: Room) throws -> BackupError {
    let folder = try OpenFile.nearestDirectory(of: place.path, files: files)
    let word = place.title.contains("/") ? ShellWord.quoted(place.path) : place.title
    return BackupError.noSpace(
      place.path, needed: room.neededBytes, available: try files.space(of: folder.descriptor).availableBytes,
      rotation: "hrp backup rotate --at \(word) --keep-days 30, and hrp backup trash empty --at \(word)")
  }
}
