package import Backup
internal import Files
package import Store
internal import SystemPackage

extension JobRunner {
  /// Copies a backup to a second place, and notes the copy.
  /// - Parameter backup: opens the backup that is meant.
  /// - Throws: `BackupError`, as ``CopyRun/copy(_:)``.
  package func copy(
    to place: DirectoryPlace, beginsAnew: Bool = false, events: EventStream,
    backup: (EventStream) throws -> DirectoryBackup
  ) throws(BackupError) -> CopyResult {
    let result = try run(.copy, events: events) { events in
      try CopyRun(of: stack, to: place, beginsAnew: beginsAnew, files: files, time: time, events: events)
        .copy(backup(events))
    }
    // Nothing depends on it (C1): it only says where copies are that are out of reach.
    ignoringFailure {
      try Catalogue.ifPresent(of: stack, files: files, time: time)?
        .write(CopyRecord(result, at: LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset))
    }
    return result
  }
}
