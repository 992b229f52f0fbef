package import Files
package import Stacks
package import Store
package import SystemPackage

extension Stack {
  /// Finds the backup that a user means, in the backup directory or in a second place: `2`, `latest`, `offsite:latest`.
  ///
  /// - Parameter part: only those that hold it count for `latest-valid`.
  /// - Throws: `BackupError` `backup.not-found`, `backup.none-valid`, `place.unknown`, `place.not-found`.
  package func findBackup(
    _ text: String, holding part: StackPart? = nil, files: any FileSystem, time: any TimeSource, events: EventStream
  ) throws -> FilePath {
    let (place, name) = try place(ofBackup: text, files: files, time: time)
    if let place { try place.check() }
    return try BackupDirectory(place?.path ?? backupDirectory, files: files)
      .find(name, holding: part, time: time, events: events)
  }
}
