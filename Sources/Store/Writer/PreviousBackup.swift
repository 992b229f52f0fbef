package import Files
package import SystemPackage

/// The backup before this one, from which files that did not change are hard-linked.
///
/// A file did not change when it is the same file (device and inode) with the same size, `mtime` and `ctime` as when it
/// was read, and neither time lies within two seconds of that reading: a later change could have the same time. Entries
/// are asked for in the order of the lists, so both lists of the previous backup pass by once.
package final class PreviousBackup {
  /// A stored copy is made afresh when it is older: no disk keeps bytes for ever.
  private static let maximumAgeNanoseconds: Int64 = 30 * 86_400 * 1_000_000_000
  /// How long after a change the clock of a file system may still show the same time.
  private static let clockDoubtNanoseconds: Int64 = 2_000_000_000

  package var name: FileName { backup.name }
  /// Files that did not change and were copied all the same, because a verification found their stored copy damaged.
  package private(set) var damagedCount = 0
  private let backup: LinkableBackup
  private let time: any TimeSource

  /// When the backup to link from was made; nil when there is none, or when it is too old.
  ///
  /// What changed after that time must be copied. This is an estimate, for the space that a backup will need.
  package static func timestamp(in directory: FilePath, files: any FileSystem, time: any TimeSource) throws -> Int64? {
    guard try files.exists(directory), let timestamp = try candidate(in: directory, files)?.timestamp,
      time.nowNanoseconds - timestamp <= maximumAgeNanoseconds
    else { return nil }
    return try DamagedFiles(in: directory, files: files).isUnknown ? nil : timestamp - clockDoubtNanoseconds
  }

  private static func candidate(in directory: FilePath, _ files: any FileSystem) throws -> ListedBackup? {
    try BackupDirectory(directory, files: files).newest(where: LinkableBackup.isLinkable)
  }

  /// Opens the newest backup that is complete, verified and sealed; returns nil when there is none.
  package static func newest(
    in directory: FilePath, files: any FileSystem, time: any TimeSource
  ) throws -> PreviousBackup? {
    guard let listed = try candidate(in: directory, files), let backup = try LinkableBackup(listed, files: files)
    else { return nil }
    return PreviousBackup(backup, time: time)
  }

  private init(_ backup: LinkableBackup, time: any TimeSource) {
    self.backup = backup
    self.time = time
  }

  /// Hard-links a file's stored copy into a folder when the source did not change; returns nil when it must be copied.
  func link(_ path: EntryPath, source: FileStatus, at directory: Descriptor) throws -> LinkableBackup.Stored? {
    guard let stored = try backup.find(path), isUnchanged(source, since: stored.line) else { return nil }
    switch try backup.link(stored, at: directory) {
    case .linked: return stored
    case .damaged:
      damagedCount += 1
      return nil
    case .impossible: return nil
    }
  }

  private func isUnchanged(_ source: FileStatus, since line: ManifestLine) -> Bool {
    guard let origin = line.origin, line.kind == .file, origin.identity == source.identity,
      line.size == source.size, line.modifiedNanoseconds == source.modifiedNanoseconds,
      origin.changedNanoseconds == source.changedNanoseconds
    else { return false }
    let read = origin.readNanoseconds
    let isInDoubt = [source.modifiedNanoseconds, source.changedNanoseconds].contains {
      $0 > read - Self.clockDoubtNanoseconds
    }
    return !isInDoubt && time.nowNanoseconds - read <= Self.maximumAgeNanoseconds && read <= time.nowNanoseconds
  }
}
