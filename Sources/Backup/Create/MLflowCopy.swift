internal import Files
internal import MLflow
internal import Store
internal import SystemPackage

/// Copies an MLflow store into a backup in the making: databases first, by SQLite; then the tree as it lies.
final class MLflowCopy {
  /// What came of it, beside the files.
  struct Notes {
    var unread: [CreateResult.SourceNote] = []
    var unstable: [CreateResult.SourceNote] = []
    var skipped: [CreateResult.SourceNote] = []
  }

  private static let metaName: FilePath = "meta.yaml"
  /// Files with extended attributes that are named one by one.
  private static let maximumAttributed = 20

  private let store: MLflowStore
  private let root: OpenFile
  /// Directories that never belong to a store, wherever they lie: backups, logs, scratch.
  private let excluded: Set<FileIdentity>
  private let staging: OpenFile
  private let chain: DirectoryChain
  private let lists: BackupLists
  private let files: any FileSystem
  private let copier: FileCopy
  private let previous: PreviousBackup?
  private let progress: (Int64) -> Void
  private(set) var sharedBytes: Int64 = 0
  private(set) var sharedFiles = 0
  private(set) var notes = Notes()
  private(set) var survey: ArtifactScan
  private var attributed = 0
  private var databases: [FileName: (digest: Digest, status: FileStatus, size: Int64)] = [:]

  init(
    _ store: MLflowStore, excluding excluded: Set<FileIdentity>, to staging: OpenFile, lists: BackupLists,
    previous: PreviousBackup?, files: any FileSystem, time: any TimeSource, progress: @escaping (Int64) -> Void
  ) throws {
    self.previous = previous
    self.progress = progress
    self.store = store
    self.excluded = excluded
    self.staging = staging
    self.lists = lists
    self.files = files
    root = try OpenFile(store.directory, [.directory], files: files)
    chain = DirectoryChain(root: staging)
    copier = FileCopy(files: files, time: time, progress: progress)
    survey = ArtifactScan(roots: store.places)
  }

  /// Copies the databases at the top of the store, so that every artifact they name is copied after them.
  func copyDatabases() throws {
    _ = try chain.directory(BackupLayout.mlflow, makingMissing: Self.permissions(of: root.status()))
    let reader = ContentsReader(fromDevice: false, files: files, time: SystemTime())
    for entry in try files.entries(of: root.descriptor).sorted(by: { $0.name < $1.name }) {
      guard store.holds(entry.name) else { continue }
      do throws(SystemError) {
        guard try isDatabase(entry.name) else { continue }
      } catch {
        note(unread: entry.name.path, "\(error.errno)")
        refused.insert(entry.name)
        continue
      }
      let status = try files.status(entry.name.path, at: root.descriptor)
      let path = BackupLayout.mlflow / entry.name
      let target = staging.path.pushing(FilePath(bytes: path.bytes))
      do throws(SQLiteError) {
        try SQLiteFile.copy(store.directory.appending(entry.name.path.components), to: target)
      } catch {
        note(unread: entry.name.path, "SQLite: \(error.message)")
        refused.insert(entry.name)
        try files.removeTree(FilePath(bytes: path.bytes), at: staging.descriptor)
        continue
      }
      check(target, of: entry.name)
      // Closed by SQLite by now: from here on it is a file like others.
      let file = try OpenFile(FilePath(bytes: path.bytes), at: staging.descriptor, [.noFollow], files: files)
      let size = try file.status().size
      let digest = try reader.digest(of: file, size: size)
      try files.setPermissions(file.descriptor, FileCopy.permissions(of: status))
      databases[entry.name] = (digest, status, size)
      try file.close()
      do throws(SQLiteError) {
        try survey.noteDatabase(target)
      } catch {
        // Not a tracking database, or one of a version that names its columns otherwise: nothing to count.
      }
    }
  }

  /// Notes what SQLite finds wrong with a copied database: the source's own damage, which the copy has too.
  private func check(_ copy: FilePath, of name: FileName) {
    do throws(SQLiteError) {
      guard let problem = try SQLiteFile.integrityProblems(of: copy).first else { return }
      note(unread: name.path, "the database is damaged, and in the backup as it is: \(problem)")
    } catch {
      note(unread: name.path, "the database is damaged, and in the backup as it is: \(error.message)")
    }
  }

  /// Copies everything else, in the order of the lists.
  func copyTree() throws {
    let status = try root.status()
    try lists.add(
      ManifestLine(
        path: BackupLayout.mlflow, kind: .directory, permissions: status.permissions,
        modifiedNanoseconds: status.modifiedNanoseconds, size: 0), digest: nil)
    try TreeWalk(files: files).walk(root) { step in
      try Interruption.check()
      switch step {
      case .directory(let entry): return try copyDirectory(entry)
      case .entry(let entry): try copyEntry(entry)
      case .unreadable(let path, let error): note(unread: FilePath(bytes: path.bytes), "\(error.errno)")
      }
      return true
    }
    try addDatabases(before: nil)
    noteRest()
  }

  /// A stored folder is open to those who could look into the source, and writable for its owner only.
  static func permissions(of directory: FileStatus) -> UInt16 { directory.permissions & 0o755 | 0o700 }

  // MARK: - Entries

  private func copyDirectory(_ entry: TreeEntry) throws -> Bool {
    guard belongs(entry), let path = target(of: entry.path) else { return false }
    try addDatabases(before: entry.path.bytes + [UInt8(ascii: "/")])
    _ = try chain.directory(path, makingMissing: Self.permissions(of: entry.status))
    try lists.add(
      ManifestLine(
        path: path, kind: .directory, permissions: entry.status.permissions,
        modifiedNanoseconds: entry.status.modifiedNanoseconds, size: 0), digest: nil)
    return true
  }

  private func copyEntry(_ entry: TreeEntry) throws {
    guard belongs(entry), !isSidecar(entry.path), !isAtTop(entry.path) || !isCopied(entry.path.name),
      let path = target(of: entry.path)
    else { return }
    try addDatabases(before: entry.path.bytes)
    switch entry.status.kind {
    case .regular: try copyFile(entry, to: path)
    case .link: try copyLink(entry, to: path)
    default:
      notes.skipped.append(.init(path: entry.path.text, why: "it is \(entry.status.kind.words)"))
    }
  }

  private func copyFile(_ entry: TreeEntry, to path: EntryPath) throws {
    let directory = try chain.directory(holding: path, makingMissing: 0o755)
    let isMeta = entry.name == Self.metaName
    if let stored = try previous?.link(path, entry.status, at: directory) {
      return try add(shared: stored, isMeta, entry)
    }
    let displayPath = FilePath(bytes: entry.path.bytes)
    let outcome: FileCopy.Outcome
    do {
      outcome = try copier.copy(entry, to: directory, displayPath: displayPath, keepsHead: isMeta)
    } catch let failure as FileCopy.Unreadable {
      return note(unread: displayPath, "\(failure.error.errno)")
    }
    switch outcome {
    case .gone: return
    case .notAFile: note(unread: displayPath, "it became something else while it was read")
    case .copied(let copied):
      if copied.isUnstable { notes.unstable.append(.init(path: displayPath.text, why: "it changed while it was read")) }
      if isMeta { survey.noteMeta(copied.head) }
      let origin = ManifestLine.Origin(
        identity: copied.source.identity, changedNanoseconds: copied.source.changedNanoseconds,
        readNanoseconds: copied.readNanoseconds)
      note(attributes: copied.attributes.count, of: displayPath, copied.attributes)
      try lists.add(
        ManifestLine(
          path: path, kind: .file, permissions: copied.source.permissions,
          modifiedNanoseconds: copied.source.modifiedNanoseconds, size: copied.size,
          origin: copied.isUnstable ? nil : origin, attributesCount: Int64(copied.attributes.count)),
        digest: copied.digest)
    }
  }

  /// Adds a file that was linked from the previous backup.
  private func add(shared stored: PreviousBackup.Stored, _ isMeta: Bool, _ entry: TreeEntry) throws {
    sharedBytes += stored.line.size
    sharedFiles += 1
    note(attributes: Int(clamping: stored.line.attributesCount), of: FilePath(bytes: entry.path.bytes))
    // It counts for the copy and for the read-back that it does not need.
    progress(2 * stored.line.size)
    if isMeta {
      let head = forPeople {
        try OpenFile(entry.name, at: entry.directory, [.noFollow], files: files).read(count: 65_536, at: 0)
      }
      if let head { survey.noteMeta(head) }
    }
    try lists.add(stored.line, digest: stored.digest)
  }

  private func copyLink(_ entry: TreeEntry, to path: EntryPath) throws {
    guard let target = try linkTarget(entry) else { return }
    if leadsOut(entry) {
      notes.skipped.append(
        .init(path: entry.path.text, why: "it is a symlink, and what it leads to is not in the backup"))
    }
    let directory = try chain.directory(holding: path, makingMissing: 0o755)
    try files.makeLink(entry.name, at: directory, target: target)
    try lists.add(
      ManifestLine(
        path: path, kind: .link, permissions: 0o777, modifiedNanoseconds: entry.status.modifiedNanoseconds,
        size: Int64(target.count), target: target), digest: nil)
  }

  /// Whether a link leads to something outside of the store.
  private func leadsOut(_ entry: TreeEntry) -> Bool {
    guard let end = ThisProcess.realPath(store.directory.pushing(FilePath(bytes: entry.path.bytes))),
      let root = ThisProcess.realPath(store.directory)
    else { return false }
    var rest = end
    guard rest.removePrefix(root) else { return true }
    return rest.components.first.map { !store.holds(FileName($0)) } ?? false
  }

  /// Where a link points; nil: it is gone, or no link any more, as if it had gone a moment earlier.
  private func linkTarget(_ entry: TreeEntry) throws(SystemError) -> [UInt8]? {
    do throws(SystemError) {
      return try files.linkTarget(entry.name, at: entry.directory)
    } catch {
      if error.errno == .noSuchFileOrDirectory || error.errno == .invalidArgument { return nil }
      throw error
    }
  }

  /// Adds the databases whose names come before a key, so that the lists stay in order.
  private func addDatabases(before key: [UInt8]?) throws {
    guard written.count < databases.count else { return }
    for (name, database) in databases.sorted(by: { $0.key < $1.key }) {
      guard key.map({ name.bytes.lexicographicallyPrecedes($0) }) ?? true, written.insert(name).inserted else {
        continue
      }
      try lists.add(
        ManifestLine(
          path: BackupLayout.mlflow / name, kind: .file, permissions: database.status.permissions,
          modifiedNanoseconds: database.status.modifiedNanoseconds, size: database.size), digest: database.digest)
    }
  }

  private var written: Set<FileName> = []
  /// Databases that SQLite could not copy.
  private var refused: Set<FileName> = []

  // MARK: - What belongs

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

  /// Whether a name at the top was handed to SQLite, which copied it or said why not.
  private func isCopied(_ name: FileName) -> Bool { databases[name] != nil || refused.contains(name) }

  /// Whether SQLite keeps this beside a database that was copied: it is part of the copy already.
  private func isSidecar(_ path: EntryPath) -> Bool {
    isAtTop(path)
      && SQLiteFile.sidecars.contains { suffix in
        path.name.bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
          && databases[FileName(bytes: Array(path.name.bytes.dropLast(suffix.utf8.count)))] != nil
      }
  }

  /// Whether a name at the top is an SQLite database, by its first bytes.
  ///
  /// - Throws: `SystemError` when it cannot be told: the raw bytes of a database in use are no copy of it.
  private func isDatabase(_ name: FileName) throws(SystemError) -> Bool {
    guard let status = try files.statusIfPresent(name.path, at: root.descriptor), status.kind == .regular,
      let file = try OpenFile.ifPresent(name.path, at: root.descriptor, [.noFollow], files: files)
    else { return false }
    return try file.read(count: SQLiteFile.magic.count, at: 0) == SQLiteFile.magic
  }

  /// Where an entry goes; nil: the lists cannot name it there, which is noted.
  private func target(of path: EntryPath) -> EntryPath? {
    if let target: EntryPath = BackupLayout.mlflow / path { return target }
    note(unread: FilePath(bytes: path.bytes), "its path is too long or too deep")
    return nil
  }

  /// Notes that a file's extended attributes are not in the backup.
  private func note(attributes count: Int, of path: FilePath, _ names: [String] = []) {
    guard count > 0 else { return }
    attributed += 1
    guard attributed <= Self.maximumAttributed else { return }
    let words = names.isEmpty ? "\(count)" : names.prefix(3).joined(separator: ", ")
    notes.skipped.append(.init(path: path.text, why: "only its extended attributes: \(words)"))
  }

  /// Notes what is not told one by one.
  private func noteRest() {
    guard attributed > Self.maximumAttributed else { return }
    notes.skipped.append(
      .init(path: "extended attributes", why: "of \(attributed - Self.maximumAttributed) files more"))
  }

  /// Notes a folder that is no part of the store.
  func note(skipped name: FileName, _ why: String) {
    notes.skipped.append(.init(path: ByteText.escaped(name.bytes), why: why))
  }

  private func note(unread path: FilePath, _ why: String) {
    notes.unread.append(.init(path: path.text, why: why))
  }
}
