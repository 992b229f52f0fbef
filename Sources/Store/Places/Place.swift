internal import Files
package import SystemPackage

// A place is where copies of finished backups are kept: another disk, a mount, and later a vault.
//
//   Y1  Only finished backups go there, and every byte is compared with the lists of the backup on its way. A backup
//       that does not verify is not copied.
//   Y2  What arrives lies in a hidden folder until all of it is durable, read back from the device, and right. One
//       rename makes it visible. Example: the cable is pulled at 99 percent: no list shows the copy.
//   Y3  The lists are copied byte for byte, so the seals of a copy are those of its backup, and it is the same backup.
//   Y4  A file is hard-linked from an earlier copy when both lists of both backups say the same of it: the same path,
//       SHA-256, size, time, permissions, source file, and time of reading. So a stored file is sent again whenever the
//       backup directory itself made it afresh. What an earlier copy was found damaged in is sent again.
//   Y5  What has arrived when a copy is interrupted stays hidden, and the next copy of that backup goes on with it. All
//       of it is read back all the same; when something is not right, everything is sent again.
//   Y6  A place has a marker with an id. Without it nothing is copied there: an unmounted disk leaves an empty folder
//       behind, and that is on the disk of the data.

/// Where copies of backups are kept.
package protocol Place: Sendable {
  /// Its name in the configuration, or where it is.
  var title: String { get }
  /// Says whether it is there and is the one that is meant (Y6).
  /// - Throws: `BackupError` `place.not-found`, `place.not-mounted`, `place.other`.
  func check() throws
  /// Takes a copy of a backup.
  /// - Parameter sources: the folders that hide the backup from others: the copy is hidden from the same ones.
  /// - Throws: `BackupError`, `SystemError`, `AdvisoryLock.Busy`, `Interruption.Stopped`.
  func receive(_ backup: any StoredBackup, sources: [FilePath], events: EventStream) throws -> Receipt
}

/// What became of a backup that a place was given.
package struct Receipt: Sendable {
  /// Where the copy is.
  package var path: FilePath
  /// Whether it was there already, so that nothing was done.
  package var wasThere = false
  package var filesCount = 0
  /// Bytes that were written now.
  package var sentBytes: Int64 = 0
  /// Bytes of files that are hard-linked from an earlier copy.
  package var linkedBytes: Int64 = 0
  /// Bytes that an interrupted copy had sent before.
  package var arrivedBytes: Int64 = 0
  /// Whether the place makes no hard links, so that unchanged files were sent again.
  package var hasNoLinks = false

  package init(path: FilePath) { self.path = path }

  /// All bytes of the copy.
  package var sizeBytes: Int64 { sentBytes + linkedBytes + arrivedBytes }
}
