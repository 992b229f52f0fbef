internal import Files
internal import Stacks
internal import Store
internal import SystemPackage

/// Whether what a restore stages fits, on each file system that it goes to.
///
/// What is replaced stays on the disk for an undo, so nothing of it counts as free. What is in the trash of the backups
/// does, and goes when it must.
struct RestoreSpace {
  private let target: RestoreTarget
  private let store: RestoreTarget.Store
  private let request: RestoreRun.Request
  private let trash: Trash?
  private let events: EventStream
  private let files: any FileSystem
  private let time: any TimeSource

  init(
    _ target: RestoreTarget, store: RestoreTarget.Store, request: RestoreRun.Request, trash: Trash?,
    files: any FileSystem, time: any TimeSource, events: EventStream
  ) {
    self.trash = trash
    self.events = events
    self.target = target
    self.store = store
    self.request = request
    self.files = files
    self.time = time
  }

  /// Looks at a backup, and at the space where its parts go.
  /// - Returns: bytes of all files of the backup.
  /// - Throws: `BackupError` `disk.full`; `SystemError`.
  func check(_ backup: any StoredBackup) throws -> Int64 {
    var total: Int64 = 0
    var parts: [StackPart: Int64] = [:]
    try backup.walk { step in
      guard case .entry(let entry) = step else { return true }
      total = total.addingClamped(entry.status.size)
      let part = BackupLayout.part(of: entry.path)
      if request.takes(entry.path) { parts[part] = (parts[part] ?? 0).addingClamped(entry.status.size) }
      return true
    }
    let places = [(target.database.folder, parts[.duckdb] ?? 0), (store.place, parts[.mlflow] ?? 0)]
    var devices: [UInt64: (folder: OpenFile, bytes: Int64)] = [:]
    for (path, bytes) in places where bytes > 0 {
      let folder = try OpenFile.nearestDirectory(of: path, files: files)
      let device = try folder.status().identity.device
      devices[device] = (folder, (devices[device]?.bytes ?? 0).addingClamped(bytes))
    }
    for (folder, bytes) in devices.values {
      let available = try files.space(of: folder.descriptor).availableBytes
      let needed = bytes.addingClamped(bytes / 100 + (4 << 20))
      let missing = needed - Int64(clamping: available)
      guard try missing <= 0 || makeRoom(missing, on: folder) else {
        throw BackupError.noSpace(
          folder.path, needed: needed, available: available,
          keptForUndo: try KeptStates.bytes(of: target, on: folder, files: files))
      }
    }
    return total
  }

  /// Deletes for good what must go of the trash, the oldest first; with a dry run only looks whether that would do.
  /// - Returns: whether there is room then.
  private func makeRoom(_ bytes: Int64, on folder: OpenFile) throws -> Bool {
    guard let trash, let place = try OpenFile.ifPresent(trash.backups, mode: [.directory], files: files),
      try place.status().identity.device == folder.status().identity.device, try trash.bytesToFree() >= bytes
    else { return false }
    if request.isDryRun { return true }
    return try trash.makeRoom(bytes, for: .restore, events: events) >= bytes
  }
}
