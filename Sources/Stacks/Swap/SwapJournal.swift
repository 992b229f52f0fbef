package import Files
internal import Store
package import SystemPackage

/// The hidden folders of a database's directory by which a swap is staged, committed and undone.
///
/// `.NAME.hrp-restore.partial` is being made; `.NAME.hrp-restore` is committed and must be finished; `.NAME.hrp-undo.3`
/// holds what the third swap replaced, for the days that it is kept: each has a folder of its own.
package struct SwapJournal {
  package static let planName = FilePath("plan.json")
  /// The plan of an undo before its commit.
  package static let nextName = FilePath("next.json")
  private static let debrisSuffix = Array(".partial".utf8)

  /// What a finished swap replaced.
  package struct Kept {
    package let name: FileName
    package let plan: SwapPlan
  }

  /// The directory of the database, open.
  package let directory: OpenFile
  package let staged: FileName
  package let committed: FileName
  private let undoPrefix: FileName
  private let files: any FileSystem

  /// - Returns: nil when the directory is missing, or is part of a backup, where `hrp` keeps no journal.
  package init?(of target: RestoreTarget, files: any FileSystem) throws(SystemError) {
    guard try files.exists(target.database.folder),
      try BackupLayout.enclosingBackup(of: target.database.folder, files: files) == nil
    else { return nil }
    try self.init(in: OpenFile(target.database.folder, mode: [.directory], files: files), base: target.databaseName)
  }

  package init(in directory: OpenFile, base: FileName) {
    self.directory = directory
    files = directory.files
    staged = Self.name(base, suffix: ".hrp-restore.partial")
    committed = Self.name(base, suffix: ".hrp-restore")
    undoPrefix = Self.name(base, suffix: ".hrp-undo.")
  }

  private static func name(_ base: FileName, suffix: String) -> FileName {
    FileName(bytes: [UInt8(ascii: ".")] + base.bytes + Array(suffix.utf8))
  }

  /// Whether a swap was committed and not finished.
  package func isPending() throws(SystemError) -> Bool { try files.exists(committed.path, at: directory.descriptor) }

  /// Carries a committed swap to its end (W1).
  ///
  /// - Parameter hold: locks that the caller has taken already; when it is nil, they are taken here.
  /// - Returns: the plan that was carried out, and what there is to say of it.
  /// - Throws: `BackupError` `restore.busy` when another process is at it, `restore.database-in-use`,
  ///   `restore.journal-unreadable`; `Swap.Interference` when it is finished and must be made again.
  @discardableResult
  package func finish(_ databaseLock: DatabaseLock? = nil, isForced: Bool = false) throws -> (
    plan: SwapPlan, notices: [String]
  ) {
    let folder = try OpenFile(committed.path, at: directory.descriptor, mode: [.directory, .noFollow], files: files)
    if databaseLock == nil, try !files.lockPatiently(folder.descriptor) {
      throw BackupError.restoreBusy(directory.path)
    }
    guard
      let written = try SwapPlan.read(Self.nextName, in: folder) ?? SwapPlan.read(Self.planName, in: folder)
    else { throw BackupError.journalUnreadable(directory.path.appending(committed.path.components).text) }
    let plan = try written.found(in: directory.path, files)
    let own = DatabaseLock()
    defer { own.release() }
    if databaseLock == nil, let name = plan.databaseName {
      try own.take(name, in: directory, isForced: isForced)
      let incoming = try OpenFile(plan.incoming, at: folder.descriptor, mode: [.directory], files: files)
      try own.take(name, in: incoming, isForced: isForced)
    }
    var notices: [String] = []
    var interference: Swap.Interference?
    do { notices = try Swap(plan, lock: databaseLock ?? own, files: files).run() } catch let found as Swap.Interference
    { interference = found }
    try close(plan, folder: folder)
    if let interference { throw interference }
    return (plan, notices)
  }

  /// Gives the hidden folders their later names; the one in the database's directory is last: it marks a pending swap.
  private func close(_ plan: SwapPlan, folder: OpenFile) throws {
    try Swap.removeMarks(in: folder)
    if let store = plan.store {
      guard SwapPlan.isHidden(store.undo) else { throw BackupError.journalUnreadable(store.path.text) }
      let place = try OpenFile(store.path, mode: [.directory], files: files)
      if try files.exists(store.hidden.path, at: place.descriptor) {
        try Swap.removeMarks(in: try plan.openHidden(store.hidden, of: .store, in: place))
        try keep(store.hidden, as: store.undo, in: place)
      }
    }
    if try files.exists(Self.nextName, at: folder.descriptor) {
      try files.renameReplacing(Self.nextName, at: folder.descriptor, to: Self.planName, at: folder.descriptor)
      try folder.synchronize()
    }
    let isFree = try !files.exists(plan.database.undo.path, at: directory.descriptor)
    try keep(committed, as: isFree ? plan.database.undo : nextUndo(), in: directory)
  }

  private func keep(_ hidden: FileName, as undo: FileName, in place: OpenFile) throws {
    guard hidden != undo, try files.exists(hidden.path, at: place.descriptor) else { return }
    try files.renameNew(hidden.path, at: place.descriptor, to: undo.path, at: place.descriptor)
    try place.synchronize()
  }

  // MARK: - What is kept

  /// The name of the folder for what the next swap replaces.
  package func nextUndo() throws(SystemError) -> FileName {
    let last = try undoFolders().map(\.number).max() ?? 0
    return FileName(bytes: undoPrefix.bytes + Array("\(last + 1)".utf8))
  }

  private func undoFolders() throws(SystemError) -> [(number: Int, name: FileName)] {
    try files.entries(of: directory.descriptor).compactMap { entry in
      guard entry.name.bytes.starts(with: undoPrefix.bytes),
        let number = Int(String(decoding: entry.name.bytes.dropFirst(undoPrefix.bytes.count), as: UTF8.self)),
        number > 0, number < Int.max
      else { return nil }
      return (number, entry.name)
    }
  }

  /// What finished swaps replaced, the newest first.
  ///
  /// One that cannot be understood is passed over, and stays.
  /// - Throws: `BackupError` `undo.unreadable` when one of them cannot be read: the next older one is not the newest.
  package func kept() throws -> [Kept] {
    try undoFolders().sorted { $0.number > $1.number }.compactMap { _, name in
      do {
        // A name that is no directory is none of ours.
        guard try files.statusIfPresent(name.path, at: directory.descriptor)?.kind == .directory else { return nil }
        let folder = try OpenFile(name.path, at: directory.descriptor, mode: [.directory, .noFollow], files: files)
        return try SwapPlan.read(Self.planName, in: folder).map { Kept(name: name, plan: $0) }
      } catch let error as SystemError {
        throw BackupError.keptUnreadable(directory.path.appending(name.path.components), error: error)
      } catch is BackupError {
        return nil
      }
    }
  }

  /// Removes one of them, and frees its space.
  /// - Throws: `BackupError` `restore.busy`.
  package func drop(_ kept: Kept) throws {
    let folder = try OpenFile(kept.name.path, at: directory.descriptor, mode: [.directory, .noFollow], files: files)
    guard try files.lockPatiently(folder.descriptor) else { throw BackupError.restoreBusy(directory.path) }
    if let half = try kept.half(in: directory) { try files.removeTree(half.name.path, at: half.place.descriptor) }
    // After this rename it is no undo state any more; the next run removes what a crash leaves of it.
    let gone = FileName(bytes: kept.name.bytes + Self.debrisSuffix)
    try files.removeTree(gone.path, at: directory.descriptor)
    try files.renameNew(kept.name.path, at: directory.descriptor, to: gone.path, at: directory.descriptor)
    try directory.synchronize()
    try files.removeTree(gone.path, at: directory.descriptor)
  }

  /// Removes what a crash left of the removal of a kept state, and of a restore before its commit.
  /// - Returns: whether there was something.
  package func removeDebris() throws -> Bool {
    var isFound = false
    for entry in try files.entries(of: directory.descriptor) where isDebris(entry.name) {
      let folder = try OpenFile(entry.name.path, at: directory.descriptor, mode: [.directory, .noFollow], files: files)
      // Whoever is making it holds its lock.
      guard try files.lock(folder.descriptor, kind: .exclusive) else { continue }
      try files.removeTree(entry.name.path, at: directory.descriptor)
      isFound = true
    }
    return isFound
  }

  /// The folder of a restore that was killed before its commit; nil when there is none, or when its process still runs.
  package func abandoned() throws -> OpenFile? {
    guard try files.exists(staged.path, at: directory.descriptor) else { return nil }
    let folder = try OpenFile(staged.path, at: directory.descriptor, mode: [.directory, .noFollow], files: files)
    return try files.lock(folder.descriptor, kind: .shared) ? folder : nil
  }

  private func isDebris(_ name: FileName) -> Bool {
    name == staged || name.bytes.starts(with: undoPrefix.bytes) && name.bytes.suffix(8).elementsEqual(Self.debrisSuffix)
  }
}

extension SwapJournal.Kept {
  /// The open hidden folder of this swap in the store's directory, if it belongs to this swap.
  ///
  /// A folder on a disk that is not mounted now, or one of another stack's swap, is skipped and stays where it is.
  /// - Returns: nil when this swap has no folder there.
  /// - Throws: `SystemError` when it cannot be told.
  package func half(in directory: OpenFile) throws -> (place: OpenFile, name: FileName, folder: OpenFile)? {
    let files = directory.files
    do {
      let plan = try plan.found(in: directory.path, files)
      guard let store = plan.store, try files.exists(store.path) else { return nil }
      let place = try OpenFile(store.path, mode: [.directory], files: files)
      guard try files.exists(store.undo.path, at: place.descriptor) else { return nil }
      return (place, store.undo, try plan.openHidden(store.undo, of: .store, in: place))
    } catch let error as BackupError where error.isOne(of: [.undoElsewhere, .foreignFolder]) {
      return nil
    }
  }
}

extension RestoreTarget {
  /// The name of the DuckDB file.
  package var databaseName: FileName { database.lastComponent.map { FileName($0) } ?? FileName("hrp.duckdb") }
}
