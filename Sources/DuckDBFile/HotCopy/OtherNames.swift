internal import Files
internal import SystemPackage

/// Refuses a database whose WAL may lie where this name does not lead.
///
/// The engine puts the WAL beside the name by which it opened the file. Beside another hard link, and beside a file
/// that is mounted alone, there is none: a copy made there lacks every row since the last checkpoint, and nothing
/// shows it.
struct OtherNames {
  /// Directory entries that are looked at for the other names, at most.
  private static let maximumEntries = 100_000

  let database: DatabaseFile
  private var files: any FileSystem { database.file.files }

  /// - Throws: `HotCopyError` `.mountedAlone`, `.otherName`; `SystemError`.
  func check() throws {
    let path = RealPath.ofWhatExists(database.path)
    if try Mounts.isMountPoint(path) { throw HotCopyError.mountedAlone(database.path) }
    let count = try database.file.status().linkCount
    guard count > 1 else { return }
    let writers = try FileHolders(of: database.identity).seen.filter(\.mayWrite)
    if let other = writers.first(where: { $0.path != path }) {
      throw HotCopyError.otherName(database.path, "\(OtherProcess.name(of: other.pid)) writes to \(other.path.text)")
    }
    guard writers.isEmpty else { return }
    // Nobody was seen to write by this name: then no other name may have a WAL. (People keep snapshots by `cp -al`.)
    let names = try find(count)
    for name in names where name != path {
      for (wal, own) in zip(wals(of: name), wals(of: path)) {
        // `cp -al` makes a second name of the WAL as well: the very same file is beside this name too.
        guard let other = try files.statusIfPresent(wal), try files.statusIfPresent(own)?.identity != other.identity
        else { continue }
        throw HotCopyError.otherName(database.path, "there is a WAL beside another one: \(wal.text)")
      }
    }
    guard names.count == count else {
      throw HotCopyError.otherName(
        database.path, "only \(names.count) of its \(count) names were found: a WAL may lie beside another one")
    }
  }

  private func wals(of name: FilePath) -> [FilePath] { [WALNames.wal(of: name), WALNames.checkpointWAL(of: name)] }

  /// The names of the file in its own directory, in the directories around it and below these.
  private func find(_ count: UInt64) throws -> Set<FilePath> {
    var found: Set<FilePath> = []
    var rest = Self.maximumEntries
    var folder = RealPath.ofWhatExists(database.path).folder
    for _ in 0..<3 where found.count < count && rest > 0 {
      let root = try OpenFile(folder, mode: [.directory], files: files)
      let device = try root.status().identity.device
      try TreeWalk(files: files).walk(root) { step in
        try Interruption.check()
        rest -= 1
        guard rest > 0, found.count < count else { return false }
        switch step {
        case .directory(let entry): return entry.status.identity.device == device
        case .entry(let entry):
          if entry.status.identity == database.identity {
            found.insert(folder.pushing(FilePath(bytes: entry.path.bytes)))
          }
          return true
        case .unreadable: return true
        }
      }
      let parent = folder.folder
      if parent == folder { break }
      folder = parent
    }
    return found
  }
}
