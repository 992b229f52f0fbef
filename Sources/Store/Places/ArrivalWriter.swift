internal import Files
internal import SystemPackage

/// Puts the entries of a backup into an arriving copy: linked from an earlier copy, there already, or sent.
final class ArrivalWriter {
  /// A file that was interrupted goes on at a multiple of this.
  private static let stepBytes: Int64 = 1 << 20

  /// FAT keeps times in steps of two seconds.
  ///
  /// All that arrived is read back all the same (Y5).
  private static let clockStepNanoseconds: Int64 = 2_000_000_000

  private(set) var sentBytes: Int64 = 0
  private(set) var linkedBytes: Int64 = 0
  private(set) var arrivedBytes: Int64 = 0

  private let arrival: Arrival
  private let earlier: LinkableBackup?
  private let files: any FileSystem
  private let chain: DirectoryChain
  private let reader: ContentsReader
  private let progress: (Int64) -> Void

  init(
    _ arrival: Arrival, linkingFrom earlier: LinkableBackup?, time: any TimeSource,
    progress: @escaping (Int64) -> Void
  ) {
    self.arrival = arrival
    self.earlier = earlier
    self.progress = progress
    files = arrival.files
    chain = DirectoryChain(root: arrival.folder)
    reader = ContentsReader(time: time, progress: progress)
  }

  /// Whether the place makes no hard links.
  var hasNoLinks: Bool { earlier?.wasRefused == true && linkedBytes == 0 }

  /// Takes one entry, in the order of the paths.
  /// - Returns: the hash of a file whose contents were read, to be compared with the lists.
  func take(_ entry: StoredEntry) throws -> Digest? {
    switch entry.status.kind {
    case .directory:
      if entry.path.isRoot { return nil }
      _ = try chain.directory(entry.path, makingMissing: DirectoryWriter.permissions(of: entry.status))
      return nil
    case .link:
      try takeSymlink(entry)
      return nil
    default: return try takeFile(entry)
    }
  }

  /// Copies the lists, once all entries are there (Y3).
  func finish(_ backup: any StoredBackup) throws {
    for list in BackupLayout.lists.sorted() {
      guard let source = try backup.list(list), let status = try backup.status(of: list) else { continue }
      try files.removeTree(list.name.path, at: arrival.folder.descriptor)
      _ = try write(source, status: status, to: list, at: arrival.folder.descriptor, from: nil)
    }
  }

  private func takeSymlink(_ entry: StoredEntry) throws {
    let directory = try chain.directory(holding: entry.path, makingMissing: 0o755)
    try files.removeTree(entry.path.name.path, at: directory)
    do {
      try files.makeLink(entry.path.name.path, at: directory, target: entry.manifest?.target ?? [])
    } catch {
      guard [.notPermitted, .notSupported].contains(error.errno) else { throw error }
      throw BackupError(
        "place.no-symlinks", kind: .failed,
        message: "the disk of the place holds no symlinks, and the backup has one: \(entry.path.text)",
        remedy: "Use a disk with a file system such as ext4, APFS or btrfs.")
    }
  }

  private func takeFile(_ entry: StoredEntry) throws -> Digest? {
    let directory = try chain.directory(holding: entry.path, makingMissing: 0o755)
    let name = entry.path.name.path
    let present = try files.statusIfPresent(name, at: directory)
    if let present, isWhole(present, as: entry) {
      arrivedBytes += entry.status.size
      progress(entry.status.size)
      return nil
    }
    // What is linked is decided anew, and what is of another kind is in the way.
    let isBegun = present.map { $0.kind == .regular && $0.linkCount == 1 && $0.size < entry.status.size } ?? false
    if present != nil, !isBegun { try files.removeTree(name, at: directory) }
    if !isBegun, try link(entry, at: directory) { return nil }
    return try write(
      entry.open(), status: entry.status, to: entry.path, at: directory,
      from: isBegun ? present.map { $0.size / Self.stepBytes * Self.stepBytes } : nil)
  }

  /// Whether a file of an interrupted copy was written to its end: its time is set last.
  private func isWhole(_ present: FileStatus, as entry: StoredEntry) -> Bool {
    present.kind == .regular && present.linkCount == 1 && present.size == entry.status.size
      && abs(present.modifiedNanoseconds - entry.status.modifiedNanoseconds) < Self.clockStepNanoseconds
  }

  /// Hard-links a file from the earlier copy when the lists say that it is the same (Y4).
  private func link(_ entry: StoredEntry, at directory: Descriptor) throws -> Bool {
    guard let earlier, let line = entry.manifest, line.origin != nil, let stored = try earlier.find(entry.path),
      stored.line == line, stored.digest == entry.expected, case .linked = try earlier.link(stored, at: directory)
    else { return false }
    linkedBytes += entry.status.size
    progress(entry.status.size)
    return true
  }

  /// Writes a file, or what is missing of it.
  /// - Parameter start: where to go on in a file that is there; nil for a new file.
  /// - Returns: the hash of all of the source.
  private func write(
    _ source: any ReadableBytes, status: FileStatus, to path: EntryPath, at directory: Descriptor, from start: Int64?
  ) throws -> Digest {
    let target = try target(path, status: status, at: directory, isNew: start == nil)
    var end = start ?? 0
    arrivedBytes += end
    let digest = try reader.digest(of: source, size: status.size) { bytes, offset in
      let next = offset + Int64(bytes.count)
      guard next > end else { return }
      let rest = UnsafeRawBufferPointer(rebasing: bytes[Int(max(0, end - offset))...])
      sentBytes += Int64(rest.count)
      // Zeros are left out: free blocks of a database are holes.
      if !rest.isZero { try target.write(rest, at: next - Int64(rest.count)) }
      end = next
    }
    try target.file.truncate(to: status.size)
    try target.file.setPermissionsWhereKept(to: FileCopy.permissions(of: status))
    try files.setModified(target.file.descriptor, nanoseconds: status.modifiedNanoseconds)
    try target.file.close()
    return digest
  }

  private func target(
    _ path: EntryPath, status: FileStatus, at directory: Descriptor, isNew: Bool
  ) throws(SystemError) -> TargetFile {
    guard isNew else {
      return TargetFile(adopting: try OpenFile(path.name.path, at: directory, mode: [.write, .noFollow], files: files))
    }
    return try TargetFile(
      path.name.path, at: directory, permissions: 0o600, expectedBytes: status.size, displayPath: path.name.path,
      files: files)
  }
}
