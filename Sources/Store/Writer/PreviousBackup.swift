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

  /// A file of the previous backup, as its lists have it.
  package struct Stored {
    package let line: ManifestLine
    let digest: Digest
  }

  package let name: FileName
  /// Files that did not change and were copied all the same, because a verification found their stored copy damaged.
  package private(set) var damagedCount = 0
  private let damaged: DamagedFiles
  private let files: any FileSystem
  private let time: any TimeSource
  private let root: OpenFile
  private let chain: DirectoryChain
  private let checksums: OrderedList<ChecksumLine>
  private let manifest: OrderedList<ManifestLine>

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
    try BackupDirectory(directory, files: files).newest { $0.metadata.map(isLinkable) ?? false }
  }

  private static func isLinkable(_ metadata: BackupMetadata) -> Bool {
    metadata.isOurs && metadata.verified == true && metadata.complete == true
  }

  /// Opens the newest backup that is complete, verified and sealed; returns nil when there is none.
  ///
  /// It is locked against removal for as long as this lives. Its own seals must hold: a list that somebody changed is
  /// not believed.
  package static func newest(
    in directory: FilePath, files: any FileSystem, time: any TimeSource
  ) throws -> PreviousBackup? {
    guard let backup = try candidate(in: directory, files), let metadata = backup.metadata,
      backup.metadataProblem == nil
    else { return nil }
    return try PreviousBackup(backup, metadata: metadata, files: files, time: time)
  }

  private init?(
    _ backup: ListedBackup, metadata: BackupMetadata, files: any FileSystem, time: any TimeSource
  ) throws {
    name = backup.name
    damaged = try DamagedFiles(in: backup.path.folder, files: files)
    self.files = files
    self.time = time
    root = try OpenFile(backup.path, mode: [.directory, .noFollow], files: files)
    chain = DirectoryChain(root: root)
    let folder = DirectoryBackup(adopting: root)
    guard try files.lock(root.descriptor, kind: .shared),
      let checksums = try ContentsWalk.checksums(of: folder, written: metadata.checksumsDigest),
      let manifest = try ContentsWalk.manifest(of: folder, written: metadata.manifestDigest),
      checksums.problems.isEmpty, manifest.problems.isEmpty, checksums.digest == metadata.checksumsDigest,
      manifest.digest == metadata.manifestDigest
    else { return nil }
    self.checksums = checksums
    self.manifest = manifest
  }

  /// Hard-links a file's stored copy into a folder when the source did not change; returns nil when it must be copied.
  func link(_ path: EntryPath, source: FileStatus, at directory: Descriptor) throws -> Stored? {
    guard let stored = try find(path), isUnchanged(source, since: stored.line) else { return nil }
    do throws(SystemError) {
      let from = try chain.directory(holding: path)
      let name = path.name.path
      let status = try files.status(name, at: from)
      // Stored copies are never written to. One whose times say otherwise is not handed on.
      guard status.kind == .regular, status.size == stored.line.size,
        status.modifiedNanoseconds == stored.line.modifiedNanoseconds
      else { return nil }
      guard !damaged.mayHold(status.identity) else {
        damagedCount += 1
        return nil
      }
      try files.makeHardLink(name, at: directory, to: name, at: from)
      return stored
    } catch {
      // It may be on another file system, have too many hard links, or be gone: then a copy does as well.
      return nil
    }
  }

  private func find(_ path: EntryPath) throws -> Stored? {
    try pass(checksums, before: path.bytes)
    try pass(manifest, before: path.bytes)
    guard let sum = checksums.next, sum.key == path.bytes, let line = manifest.next, line.key == path.bytes else {
      return nil
    }
    return Stored(line: line.element, digest: sum.element.digest)
  }

  private func pass<Element>(_ list: OrderedList<Element>, before key: [UInt8]) throws {
    while let next = list.next, next.key.lexicographicallyPrecedes(key) { try list.advance() }
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
