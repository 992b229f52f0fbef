package import Files
package import Store
package import SystemPackage

/// Brings deleted backups back, or deletes them for good, under the lock of the backups.
package struct TrashRun {
  private let directory: FilePath
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  package init(in directory: FilePath, files: any FileSystem, time: any TimeSource, events: EventStream) {
    self.directory = directory
    self.files = files
    self.time = time
    self.events = events
  }

  private var trash: Trash { Trash(of: directory, files: files, time: time) }

  /// Brings backups back into the list; all of them must be there.
  /// - Throws: `BackupError` `trash.not-found`, `trash.name-taken`; `AdvisoryLock.Busy`; `SystemError`.
  package func restore(_ names: [String]) throws {
    events.send(.began(operation: "backup trash", on: directory.text))
    try locked {
      for entry in try found(names) { try trash.restore(entry) }
    }
    events.send(.finished(operation: "backup trash", summary: "brought back \(names.joined(separator: ", "))"))
  }

  /// Deletes for good what is in the trash.
  /// - Parameter names: the backups to delete; all of them when it is empty.
  /// - Returns: the names of those that are gone, or would be, and the bytes that came free.
  /// - Throws: `BackupError` `trash.not-found`; `AdvisoryLock.Busy`; `SystemError`.
  package func empty(_ names: [String], isDryRun: Bool) throws -> (deleted: [String], bytesFreed: Int64) {
    events.send(.began(operation: "backup trash", on: directory.text))
    var (deleted, freed): ([String], Int64) = ([], 0)
    try trash.check()
    try locked {
      for entry in try names.isEmpty ? trash.entries() : found(names) {
        try Interruption.check()
        let name = ByteText.escaped(entry.name.bytes)
        guard let bytes = try isDryRun ? 0 : trash.remove(entry.name) else {
          events.send(.warning("\(name) stays: it is being read; for now"))
          continue
        }
        deleted.append(name)
        freed += bytes
      }
    }
    events.send(.finished(operation: "backup trash", summary: "deleted \(deleted.count) for good"))
    return (deleted, freed)
  }

  private func found(_ names: [String]) throws -> [Trash.Entry] {
    let entries = try trash.entries()
    return try names.map { name in
      guard let entry = entries.first(where: { ByteText.escaped($0.name.bytes) == name }) else {
        throw BackupError(
          "trash.not-found", kind: .notFound, message: "there is no \(name) in the trash",
          remedy: "See what there is: hrp backup trash list")
      }
      return entry
    }
  }

  private func locked(_ body: () throws -> Void) throws {
    try AdvisoryLock.whileHeld(
      .exclusive, of: .backups, on: directory, note: ThisProcess.note(program: "hrp backup trash", time: time),
      patience: .seconds(10), onWait: events.waitingForLock, files: files, time: time, body: body)
  }
}
