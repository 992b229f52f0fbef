internal import Files
internal import MLflow
internal import Store
internal import SystemPackage

/// An MLflow store as a source: its databases, which SQLite copies, and then its tree in the order of the paths.
///
/// It knows what belongs to the store and what does not, and nothing of where it goes.
final class MLflowSource {
  /// Notes about the source, apart from its files.
  struct Notes {
    var unread: [CreateResult.SourceNote] = []
    var unstable: [CreateResult.SourceNote] = []
    var skipped: [CreateResult.SourceNote] = []
  }

  /// One entry of the tree.
  enum Entry {
    case directory(TreeEntry, to: EntryPath)
    case file(TreeEntry, to: EntryPath, isMeta: Bool)
    case symlink(TreeEntry, to: EntryPath, target: [UInt8])
  }

  private static let metaName: FilePath = "meta.yaml"
  /// Files with extended attributes that are named one by one.
  private static let maximumAttributed = 20

  let store: MLflowStore
  /// The store's own folder.
  let root: OpenFile
  /// Directories that never belong to a store, wherever they lie: backups, logs, scratch.
  private let excluded: Set<FileIdentity>
  private let files: any FileSystem
  private(set) var notes = Notes()
  /// Where the artifacts of the records are.
  private(set) var scan: ArtifactScan
  private var attributed = 0
  private var copied: Set<FileName> = []
  /// Databases that SQLite could not copy, or that cannot be read.
  private var refused: Set<FileName> = []

  init(_ store: MLflowStore, excluding excluded: Set<FileIdentity>, files: any FileSystem) throws {
    self.store = store
    self.excluded = excluded
    self.files = files
    root = try OpenFile(store.directory, mode: [.directory], files: files)
    scan = ArtifactScan(roots: store.places)
  }

  // MARK: - Databases

  /// The SQLite databases at the top of the store, as they are now: they are copied first, so that every artifact they
  /// name is copied after them.
  func databases() throws -> [(name: FileName, status: FileStatus)] {
    var found: [(name: FileName, status: FileStatus)] = []
    for entry in try files.entries(of: root.descriptor).sorted(by: { $0.name < $1.name })
    where store.holds(entry.name) {
      do throws(SystemError) {
        guard try isDatabase(entry.name) else {
          if try isBrokenRecords(entry.name) {
            note(unread: entry.name.path, "it is no SQLite database, and in the backup as it is")
          }
          continue
        }
      } catch {
        refuse(entry.name, why: "\(error.errno)")
        continue
      }
      found.append((entry.name, try files.status(entry.name.path, at: root.descriptor)))
    }
    return found
  }

  /// Copies a database by SQLite.
  /// - Returns: whether it could be copied; if not, that is noted, and something may be left at the target.
  func copyDatabase(_ name: FileName, to target: FilePath) -> Bool {
    do throws(SQLiteError) {
      try SQLiteFile.copy(store.directory.appending(name.path.components), to: target)
    } catch {
      refuse(name, why: "SQLite: \(error.message)")
      return false
    }
    copied.insert(name)
    noteProblems(of: name, in: target)
    do throws(SQLiteError) {
      try scan.noteDatabase(target)
    } catch {
      // Not a tracking database, or one of a version that names its columns otherwise: nothing to count.
    }
    return true
  }

  /// Notes what SQLite finds wrong with a copied database: the source's own damage, which the copy has too.
  private func noteProblems(of name: FileName, in copy: FilePath) {
    do throws(SQLiteError) {
      guard let problem = try SQLiteFile.integrityProblems(of: copy).first else { return }
      note(unread: name.path, "the database is damaged, and in the backup as it is: \(problem)")
    } catch {
      note(unread: name.path, "the database is damaged, and in the backup as it is: \(error.message)")
    }
  }

  /// Whether a name at the top is an SQLite database, by its first bytes.
  ///
  /// - Throws: `SystemError` when it cannot be told: the raw bytes of a database in use are no copy of it.
  private func isDatabase(_ name: FileName) throws(SystemError) -> Bool {
    guard let status = try files.statusIfPresent(name.path, at: root.descriptor), status.kind == .regular,
      let file = try OpenFile.ifPresent(name.path, at: root.descriptor, mode: [.noFollow], files: files)
    else { return false }
    return try file.read(count: SQLiteFile.magic.count, at: 0) == SQLiteFile.magic
  }

  /// Whether MLflow's own records are there and have lost their beginning: a backup of them is not a good one.
  private func isBrokenRecords(_ name: FileName) throws(SystemError) -> Bool {
    guard name == MLflowStore.databaseName else { return false }
    // SQLite takes an empty file for an empty database.
    let status = try files.statusIfPresent(name.path, at: root.descriptor)
    return status?.kind == .regular && (status?.size ?? 0) > 0
  }

  private func refuse(_ name: FileName, why: String) {
    note(unread: name.path, why)
    refused.insert(name)
  }

  // MARK: - Tree

  /// Visits everything but the databases, in the order of the paths.
  func walk(_ visit: (Entry) throws -> Void) throws {
    try TreeWalk(files: files).walk(root) { step in
      try Interruption.check()
      switch step {
      case .directory(let entry):
        guard belongs(entry), let path = target(of: entry.path) else { return false }
        try visit(.directory(entry, to: path))
      case .entry(let entry):
        guard belongs(entry), !isOfCopiedDatabase(entry.path), let path = target(of: entry.path) else { return true }
        if let found = try self.entry(entry, to: path) { try visit(found) }
      case .unreadable(let path, let error): note(unread: FilePath(bytes: path.bytes), "\(error.errno)")
      }
      return true
    }
  }

  private func entry(_ entry: TreeEntry, to path: EntryPath) throws -> Entry? {
    switch entry.status.kind {
    case .regular: return .file(entry, to: path, isMeta: entry.name == Self.metaName)
    case .link:
      guard let target = try linkTarget(entry) else { return nil }
      if leadsOut(entry) {
        notes.skipped.append(
          .init(path: entry.path.text, why: "it is a symlink, and what it leads to is not in the backup"))
      }
      return .symlink(entry, to: path, target: target)
    default:
      notes.skipped.append(.init(path: entry.path.text, why: "it is \(entry.status.kind.words)"))
      return nil
    }
  }

  /// Whether a symlink leads to something outside of the store.
  private func leadsOut(_ entry: TreeEntry) -> Bool {
    guard let end = RealPath.of(store.directory.pushing(FilePath(bytes: entry.path.bytes))),
      let root = RealPath.of(store.directory)
    else { return false }
    var rest = end
    guard rest.removePrefix(root) else { return true }
    return rest.components.first.map { !store.holds(FileName($0)) } ?? false
  }

  /// The target of a symlink; nil when it is gone or is no symlink any more: it is then left out.
  private func linkTarget(_ entry: TreeEntry) throws(SystemError) -> [UInt8]? {
    do throws(SystemError) {
      return try files.linkTarget(entry.name, at: entry.directory)
    } catch {
      if error.errno == .noSuchFileOrDirectory || error.errno == .invalidArgument { return nil }
      throw error
    }
  }

  // MARK: - What belongs

  /// What a backup of the store would take: bytes, those that changed after a timestamp, and files.
  func size(changedAfter timestamp: Int64?) throws -> (bytes: Int64, newBytes: Int64, files: Int) {
    var size: (bytes: Int64, newBytes: Int64, files: Int) = (0, 0, 0)
    try TreeWalk(files: files).walk(root) { step in
      try Interruption.check()
      switch step {
      case .directory(let entry):
        return !excluded.contains(entry.status.identity) && (!isAtTop(entry.path) || store.holds(entry.path.name))
      case .entry(let entry):
        if isAtTop(entry.path), !store.holds(entry.path.name) { return true }
        size.bytes += entry.status.size
        if entry.status.changedNanoseconds > timestamp ?? .min { size.newBytes += entry.status.size }
        size.files += 1
      case .unreadable: break
      }
      return true
    }
    return size
  }

  private func isAtTop(_ path: EntryPath) -> Bool { path.isDirectly(in: .root) }

  /// Whether an entry is part of the store.
  ///
  /// A database of the stack that lies in it is not: it was copied as what it is.
  private func belongs(_ entry: TreeEntry) -> Bool {
    guard !excluded.contains(entry.status.identity) else { return false }
    guard isAtTop(entry.path) else { return true }
    let name = entry.path.name
    guard store.holds(name), name.isReserved else { return store.holds(name) }
    // No restore would bring it back.
    notes.skipped.append(.init(path: entry.path.text, why: "hrp keeps such names for itself"))
    return false
  }

  /// Whether an entry at the top is a database that SQLite copied or refused, or a file that SQLite keeps beside a
  /// database that was copied.
  private func isOfCopiedDatabase(_ path: EntryPath) -> Bool {
    guard isAtTop(path) else { return false }
    let name = path.name
    if copied.contains(name) || refused.contains(name) { return true }
    return SQLiteFile.sidecars.contains { suffix in
      name.bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        && copied.contains(FileName(bytes: Array(name.bytes.dropLast(suffix.utf8.count))))
    }
  }

  /// Where an entry goes; nil when its path is too long or too deep for the lists, which is noted.
  private func target(of path: EntryPath) -> EntryPath? {
    if let target: EntryPath = BackupLayout.mlflow / path { return target }
    note(unread: FilePath(bytes: path.bytes), "its path is too long or too deep")
    return nil
  }

  // MARK: - Notes

  /// Takes the first bytes of the description of a run or an experiment: they say where its artifacts are.
  /// - Parameter head: the first bytes; when it is nil, they are read now, if they can be.
  func noteMeta(_ entry: TreeEntry, head: [UInt8]?) {
    let head =
      head
      ?? forPeople {
        try OpenFile(entry.name, at: entry.directory, mode: [.noFollow], files: files).read(count: 65_536, at: 0)
      }
    if let head { scan.noteMeta(head) }
  }

  /// Notes that a file never held still.
  func note(unstable path: EntryPath) {
    notes.unstable.append(.init(path: path.text, why: "it changed while it was read"))
  }

  /// Notes that a file's extended attributes are not in the backup.
  /// - Parameter names: some of their names; empty when only their number is known.
  func note(attributesCount count: Int64, names: [String] = [], of path: EntryPath) {
    guard count > 0 else { return }
    attributed += 1
    guard attributed <= Self.maximumAttributed else { return }
    let words = names.isEmpty ? "\(count)" : names.prefix(3).joined(separator: ", ")
    notes.skipped.append(.init(path: path.text, why: "only its extended attributes: \(words)"))
  }

  /// Notes how many files with extended attributes were not named one by one.
  func noteRest() {
    guard attributed > Self.maximumAttributed else { return }
    notes.skipped.append(
      .init(path: "extended attributes", why: "of \(attributed - Self.maximumAttributed) files more"))
  }

  /// Notes a folder that is no part of the store.
  func note(skipped name: FileName, _ why: String) {
    notes.skipped.append(.init(path: ByteText.escaped(name.bytes), why: why))
  }

  /// Notes what could not be read, and is not in the backup.
  func note(unread path: FilePath, _ why: String) {
    notes.unread.append(.init(path: path.text, why: why))
  }
}
