package import Files
package import SystemPackage

/// A place that is a directory: another disk, or a mount.
///
/// It is laid out as the backup directory of a stack is, so whatever reads that reads this.
package struct DirectoryPlace: Place {
  package let title: String
  package let path: FilePath
  /// Which place it must be; nil when any will do.
  private let id: String?
  private let files: any FileSystem
  private let time: any TimeSource

  package init(title: String, path: FilePath, id: String? = nil, files: any FileSystem, time: any TimeSource) {
    self.title = title
    self.path = path
    self.id = id
    self.files = files
    self.time = time
  }

  /// The backups in it.
  package var backups: BackupDirectory { BackupDirectory(path, files: files) }

  package func check() throws { _ = try marker() }

  /// Its marker, once it is sure that it is the place that is meant.
  /// - Throws: as `check`.
  package func marker() throws -> PlaceMarker {
    guard try files.statusIfPresent(path.appending("."))?.kind == .directory else {
      throw BackupError(
        "place.not-found", kind: .notFound,
        message:
          "there is no \(path.text), the directory of \(title == path.text ? "the place" : "the place \(title)")",
        remedy: "Is the disk mounted? Mount it. Is the place to be new: "
          + "hrp backup copy latest \(ShellWord.quoted(path)) --new-place")
    }
    switch PlaceMarker.read(in: path, files: files) {
    case .nothing:
      throw BackupError(
        "place.not-mounted", kind: .notFound, message: "\(path.text) is not marked as a place for copies",
        remedy: "Is the disk mounted? Mount it. To begin a new place there: hrp backup copy --new-place latest "
          + "\(ShellWord.quoted(path))")
    case .unreadable(let why): throw unreadable(why)
    case .found(let marker):
      guard let id, id != marker.id else { return marker }
      throw BackupError(
        "place.other", kind: .failed,
        message: "\(path.text) is another place than \(title): its id is \(ByteText.escaped(Array(marker.id.utf8)))",
        remedy: "Mount the right disk, or change the id of the place in the configuration.")
    }
  }

  /// Makes the directory a place, when it is none.
  ///
  /// The directory above it must be there: an unmounted disk has none.
  /// - Returns: its marker.
  package func begin() throws -> PlaceMarker {
    try BackupError.checkOutsideOfBackups(path, files: files)
    if try !files.exists(path) {
      guard try files.exists(path.folder) else {
        throw BackupError(
          "place.not-found", kind: .notFound, message: "there is no \(path.folder.text) to make the place in",
          remedy: "Is the disk mounted? Mount it; or: mkdir -p \(ShellWord.quoted(path.folder))")
      }
      try files.makeDirectoryOfItsOwner(path, permissions: 0o700)
    }
    switch PlaceMarker.read(in: path, files: files) {
    case .found(let marker): return marker
    case .nothing: return try PlaceMarker.create(in: path, files: files, time: time)
    case .unreadable(let why): throw unreadable(why)
    }
  }

  private func unreadable(_ why: String) -> BackupError {
    let marker = ShellWord.quoted(path.pushing(PlaceMarker.name))
    return BackupError(
      "place.unreadable", kind: .failed, message: "the place \(title) cannot be told from another one: \(why)",
      remedy: "Look at it (ls -l \(marker)). If it is readable and damaged, move it away and mark the place again: "
        + "mv \(marker) \(ShellWord.quoted(path.pushing(".hrp-place.old"))); "
        + "hrp backup copy --new-place latest \(ShellWord.quoted(path))")
  }

  /// Whether it is on another device than a file; nil when that cannot be told.
  package func isOnOtherDevice(than file: FilePath, files: any FileSystem) -> Bool? {
    forPeople {
      try files.status(path.appending("."), at: nil).identity.device != files.status(file, at: nil).identity.device
    }
  }

  /// Bytes of a backup that need not be sent: an estimate, by the lists of the earlier copy, and by what has arrived.
  package func presentBytes(of backup: any StoredBackup) throws -> Int64 {
    guard try files.exists(path), try !files.exists(path.appending(backup.name.path.components)) else { return 0 }
    guard let earlier = try earlierCopy(of: backup),
      let manifest = try ContentsWalk.manifest(of: backup, written: backup.metadata()?.metadata?.manifestDigest)
    else { return 0 }
    var bytes: Int64 = 0
    while let next = manifest.next {
      let line = next.element
      if line.kind == .file, line.origin != nil, try earlier.find(line.path)?.line == line {
        bytes = bytes.addingClamped(line.size)
      }
      try manifest.advance()
    }
    return bytes
  }

  package func receive(_ backup: any StoredBackup, sources: [FilePath], events: EventStream) throws -> Receipt {
    try check()
    try BackupError.checkOutsideOfBackups(path, files: files)
    if let receipt = try presentCopy(of: backup, events: events) { return receipt }
    let arrival = try Arrival(of: backup, in: path, sources: sources, files: files)
    let first = try fill(arrival, with: backup, events: events)
    var receipt = first.receipt
    if !first.findings.isEmpty {
      guard arrival.wasThere, first.source.isEmpty else { throw Self.failure(first, of: backup) }
      // Y5: what had arrived before is not what was sent; nobody knows which of it is right.
      events.send(.warning("what had arrived at \(title) before is damaged, and is sent again"))
      try arrival.clear()
      let second = try fill(arrival, with: backup, events: events)
      guard second.findings.isEmpty else { throw Self.failure(second, of: backup) }
      receipt = second.receipt
    }
    receipt.path = try whileLocked(events) { try arrival.publish() }
    return receipt
  }

  /// What copying once gave.
  private struct Round {
    var receipt: Receipt
    /// What is wrong with the backup itself.
    var source: [Finding]
    /// What is wrong with the copy, or with the backup.
    var findings: [Finding]
  }

  private func fill(_ arrival: Arrival, with backup: any StoredBackup, events: EventStream) throws -> Round {
    events.send(.phase("copying to \(title)"))
    let writer = ArrivalWriter(
      arrival, linkingFrom: try earlierCopy(of: backup), time: time
    ) { events.send(.progress(bytes: $0)) }
    let walk = try ContentsWalk(backup)
    try walk.run { try writer.take($0) }
    var receipt = Receipt(path: path)
    receipt.filesCount = walk.filesListed
    (receipt.sentBytes, receipt.linkedBytes, receipt.arrivedBytes) =
      (writer.sentBytes, writer.linkedBytes, writer.arrivedBytes)
    receipt.hasNoLinks = writer.hasNoLinks
    guard walk.findings.isEmpty else {
      return Round(receipt: receipt, source: walk.findings, findings: walk.findings)
    }
    try writer.finish(backup)
    events.send(.phase("reading back what arrived"))
    return Round(receipt: receipt, source: [], findings: try arrival.findings(time: time, events: events))
  }

  private static func failure(_ round: Round, of backup: any StoredBackup) -> BackupError {
    let name = ByteText.escaped(backup.name.bytes)
    let first = round.findings.first?.line ?? ""
    if !round.source.isEmpty {
      return BackupError(
        "verification.failed", kind: .failed, message: "\(name) does not verify, and is not copied: \(first)",
        remedy: "See all of it: hrp backup verify \(name). Copy another one: hrp backup list")
    }
    return BackupError(
      "place.read-back", kind: .failed, message: "what was read back from the place is not what was written: \(first)",
      remedy: "Check the disk (dmesg, smartctl -a) and its cable, or use another one.")
  }

  /// The newest copy of the same stack that files can be linked from; nil when there is none.
  private func earlierCopy(of backup: any StoredBackup) throws -> LinkableBackup? {
    let source = try backup.metadata()?.metadata?.sourceDirectory
    let newest = try backups.newest { earlier in
      LinkableBackup.isLinkable(earlier) && earlier.metadata?.sourceDirectory == source
    }
    return try newest.flatMap { try LinkableBackup($0, files: files) }
  }

  /// The copy that is there already; a copy that was found damaged goes to the trash, and is made again.
  /// - Throws: `BackupError` `place.name-taken` for another backup of that name.
  private func presentCopy(of backup: any StoredBackup, events: EventStream) throws -> Receipt? {
    guard let copy = try backups.backup(backup.name) else { return nil }
    let name = ByteText.escaped(backup.name.bytes)
    if let problem = copy.problem ?? copy.proof.problem {
      throw BackupError(
        "place.unreadable", kind: .failed,
        message: "there is a copy \(name) at \(title), and it cannot be judged: "
          + problem, remedy: "Look at it: ls -la \(ShellWord.quoted(copy.path))")
    }
    guard try Self.seal(of: backup) == Self.seal(of: copy.open()) else {
      throw BackupError(
        "place.name-taken", kind: .failed, message: "there is another backup \(name) at \(title)",
        remedy: "Give each stack a place of its own.")
    }
    guard let damage = copy.proof.value?.damage else {
      var receipt = Receipt(path: copy.path)
      receipt.wasThere = true
      receipt.filesCount = copy.metadata?.filesCount ?? 0
      return receipt
    }
    events.send(.warning("the copy \(name) at \(title) is moved to its trash, and made again: \(damage)"))
    let trash = Trash(of: path, files: files, time: time)
    try trash.check()
    let isGone = try whileLocked(events) { try trash.put(backup.name) }
    guard isGone else {
      throw BackupError(
        "backup.busy", kind: .busy, message: "the damaged copy \(name) at \(title) is being read",
        remedy: "Try again when that is done.")
    }
    return nil
  }

  /// The hashes of the lists that say what a backup is.
  private static func seal(of backup: any StoredBackup) throws -> [Digest?] {
    try [BackupLayout.checksums, BackupLayout.metadata].map { try backup.list($0).map(ContentsReader.digest) }
  }

  private func whileLocked<Result>(_ events: EventStream, body: () throws -> Result) throws -> Result {
    try AdvisoryLock.whileHeld(
      .exclusive, of: .backups, on: path, note: ThisProcess.note(program: "hrp backup copy", time: time),
      patience: .seconds(600), onWait: events.waitingForLock, files: files, time: time, body: body)
  }
}
