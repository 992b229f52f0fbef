internal import Files
internal import MLflow
internal import Stacks
internal import Store
internal import SystemPackage

/// The hidden folders in which a restore is staged, one on each file system that it goes to.
///
/// A target that does not exist yet is staged beside its place, and appears in one rename. In one that exists, names
/// are exchanged (`Swap`).
final class RestoreStaging {
  /// A swap directory with its hidden folder, and the subfolder of that for incoming names.
  private struct Staged {
    let directory: OpenFile
    let hidden: FileName
    /// What its hidden folders are named after.
    let base: FileName
    let folder: OpenFile
    let incoming: OpenFile

    var journal: SwapJournal { SwapJournal(in: directory, base: base) }
  }

  /// Where the database is staged, under its own name.
  let databaseFolder: OpenFile
  let databaseName: FileName
  /// Where the store is staged, and at which path below.
  let storeFolder: OpenFile
  let storePath: EntryPath

  private let target: RestoreTarget
  private let store: RestoreTarget.Store
  /// The part in the database's directory; a target that does not exist yet has only this one.
  private let databaseSide: Staged
  /// The part in the store's directory; nil when the store lies in the database's directory.
  private let ownStoreSide: Staged?
  private let nonce: String
  let isNewTarget: Bool
  /// Whether the swap is committed (W1); from then on, none of its files may be removed.
  private(set) var isCommitted = false
  private let files: any FileSystem

  init(for target: RestoreTarget, store: RestoreTarget.Store, files: any FileSystem) throws {
    self.target = target
    self.store = store
    self.files = files
    databaseName = target.databaseName
    isNewTarget =
      try !files.exists(target.directory)
      && target.database.folder == RealPath.ofWhatExists(target.directory)
    nonce = SwapOwner.newNonce()
    if isNewTarget {
      (databaseSide, ownStoreSide) = (try Self.stageWhole(target, files: files), nil)
    } else {
      try files.makeDirectories(target.database.folder)
      try files.makeDirectories(target.directory)
      (databaseSide, ownStoreSide) = try Self.stageSides(target, store: store, nonce: nonce, files: files)
    }
    databaseFolder = databaseSide.incoming
    storeFolder = (ownStoreSide ?? databaseSide).incoming
    if case .folder(let path) = store, let name = path.lastComponent {
      storePath = EntryPath.root / FileName(name)
    } else {
      storePath = .root
    }
  }

  private var storeSide: Staged { ownStoreSide ?? databaseSide }
  private var sides: [Staged] { [databaseSide] + (ownStoreSide.map { [$0] } ?? []) }

  private static func stageWhole(_ target: RestoreTarget, files: any FileSystem) throws -> Staged {
    let parent = target.directory.folder
    try files.makeDirectories(parent)
    let name = target.directory.lastComponent.map { FileName($0) } ?? FileName("stack")
    let hidden = FileName(bytes: [UInt8(ascii: ".")] + name.bytes + Array(".hrp-restore.partial".utf8))
    let directory = try OpenFile(parent, mode: [.directory], files: files)
    let folder = try make(hidden, in: directory, owner: nil)
    return Staged(directory: directory, hidden: hidden, base: name, folder: folder, incoming: folder)
  }

  private static func stageSides(
    _ target: RestoreTarget, store: RestoreTarget.Store, nonce: String, files: any FileSystem
  ) throws -> (database: Staged, store: Staged?) {
    let directory = try OpenFile(target.database.folder, mode: [.directory], files: files)
    let journal = SwapJournal(in: directory, base: target.databaseName)
    let database = try stage(target.databaseName, in: directory, owner: nil)
    try files.makeDirectories(store.place)
    let second = try OpenFile(store.place, mode: [.directory], files: files)
    if try second.status().identity == directory.status().identity { return (database, nil) }
    let base: FileName =
      if case .folder(let path) = store, let name = path.lastComponent { FileName(name) } else {
        FileName("mlflow")
      }
    let owner = SwapOwner(
      committed: directory.path.appending(journal.committed.path.components), nonce: nonce)
    return (database, try stage(base, in: second, owner: owner))
  }

  private static func stage(_ base: FileName, in directory: OpenFile, owner: SwapOwner?) throws -> Staged {
    let hidden = SwapJournal(in: directory, base: base).staged
    let folder = try make(hidden, in: directory, owner: owner)
    for name in ["a", "b"] {
      try directory.files.makeDirectory(FilePath(name), at: folder.descriptor, permissions: 0o700)
      try directory.files.give(FilePath(name), at: folder.descriptor, to: directory.status().owner)
    }
    let incoming = try OpenFile(
      "a", at: folder.descriptor, mode: [.directory, .noFollow], displayPath: folder.path.appending("a"),
      files: directory.files)
    return Staged(directory: directory, hidden: hidden, base: base, folder: folder, incoming: incoming)
  }

  /// Makes and locks the folder; what a crashed restore left under that name is removed.
  ///
  /// - Parameter owner: the folder that is committed when a swap needs this one.
  private static func make(_ hidden: FileName, in parent: OpenFile, owner: SwapOwner?) throws -> OpenFile {
    let (name, files) = (hidden.path, parent.files)
    let displayPath = parent.path.appending(name.components)
    if try files.exists(name, at: parent.descriptor) {
      let old = try OpenFile(name, at: parent.descriptor, mode: [.directory, .noFollow], files: files)
      guard try files.lockPatiently(old.descriptor) else { throw BackupError.restoreBusy(parent.path) }
      // Another stack has committed a swap that needs this folder, so it must not be removed.
      if let owner = try SwapOwner(in: old), try files.exists(owner.committed) {
        throw BackupError(
          "restore.pending", kind: .busy, message: "\(displayPath.text) belongs to a restore that is not finished",
          remedy: "Finish it first: hrp backup list --data-dir \(ShellWord.quoted(owner.committed.folder))")
      }
      try files.removeTree(name, at: parent.descriptor)
    }
    do throws(SystemError) {
      try files.makeDirectory(name, at: parent.descriptor, permissions: 0o700)
    } catch {
      throw error.at(parent.path.text)
    }
    let folder = try OpenFile(
      name, at: parent.descriptor, mode: [.directory, .noFollow], displayPath: displayPath, files: files)
    guard try files.lockPatiently(folder.descriptor) else { throw BackupError.restoreBusy(parent.path) }
    try owner?.write(in: folder, for: parent.status().owner)
    return folder
  }

  /// Makes everything that was staged durable.
  func synchronize() throws { for side in sides { try files.synchronizeTree(side.folder) } }

  /// The owner of an incoming name: the owner of what it replaces, else that of the directory.
  ///
  /// - Parameter path: as it is staged.
  func owner(of path: EntryPath, inStore: Bool) throws -> FileOwner {
    let side = inStore ? storeSide : databaseSide
    guard !isNewTarget, let name = path.components.first else { return try side.directory.status().owner }
    if let known = owners[name], known.inStore == inStore { return known.owner }
    let isThere = try files.exists(name.path, at: side.directory.descriptor)
    let owner =
      try isThere
      ? files.status(name.path, at: side.directory.descriptor).owner : side.directory.status().owner
    owners[name] = (inStore, owner)
    return owner
  }

  private var owners: [FileName: (inStore: Bool, owner: FileOwner)] = [:]

  /// Removes what was staged.
  func discard() throws(SystemError) {
    for side in sides { try files.removeTree(side.hidden.path, at: side.directory.descriptor) }
  }

  // MARK: - Publishing

  /// Puts everything in its place.
  ///
  /// - Parameter permissions: of a target that did not exist.
  /// - Parameter check: is asked once more, last, whether anybody uses what is replaced.
  /// - Returns: the folder with what was replaced, in readable form; nil when nothing was replaced.
  func publish(
    _ request: RestoreRun.Request, backup: FilePath, protecting: [FilePath], at timestamp: String, permissions: UInt16,
    time: any TimeSource, events: EventStream, check: () throws -> Void
  ) throws -> String? {
    if isNewTarget {
      try files.setPermissions(databaseSide.folder.descriptor, to: permissions)
      try files.give(databaseSide.folder.descriptor, to: databaseSide.directory.status().owner)
      try files.renameNew(
        databaseSide.hidden.path, at: databaseSide.directory.descriptor, to: target.directory, at: nil)
      try databaseSide.directory.synchronize()
      return nil
    }
    let journal = databaseSide.journal
    let databaseLock = DatabaseLock()
    defer { databaseLock.release() }
    if request.part != .mlflow {
      try request.waiting(time, events: events) {
        try databaseLock.take(databaseName, in: databaseSide.directory, isForced: request.isForced)
      }
    }
    let plan = try plan(request, backup: backup, protecting: protecting, at: timestamp, lock: databaseLock)
    try plan.checkDevices(files)
    for (side, (_, planned)) in zip(sides, plan.directories) {
      try SwapProbe(plan, files: files).run(planned, in: side.directory, hidden: side.folder)
    }
    if request.part != .mlflow { try databaseLock.take(databaseName, in: databaseSide.incoming, isForced: false) }
    try plan.write(SwapJournal.planName, in: databaseSide.folder)
    for side in sides {
      try files.give(SwapJournal.planName, in: side.folder, to: side.directory.status().owner)
      try side.folder.synchronize()
      try side.directory.synchronize()
    }
    try request.waiting(time, events: events) { try check() }
    try commit(journal)
    do {
      try databaseSide.directory.synchronize()
      try journal.finish(databaseLock)
    } catch { throw BackupError.unfinished("the restore", path: target.directory, error: error) }
    databaseLock.release()
    guard plan.replacesSomething else { return nil }
    return databaseSide.directory.path.appending(plan.database.undo.path.components).text
  }

  /// W1: the commit.
  private func commit(_ journal: SwapJournal) throws {
    isCommitted = true
    do throws(SystemError) {
      try files.renameNew(
        journal.staged.path, at: databaseSide.directory.descriptor, to: journal.committed.path,
        at: databaseSide.directory.descriptor)
    } catch {
      // When this cannot be told, the swap counts as committed, and nothing of it is removed.
      do { isCommitted = try journal.isPending() } catch { isCommitted = true }
      throw error
    }
  }

  private func plan(
    _ request: RestoreRun.Request, backup: FilePath, protecting: [FilePath], at timestamp: String, lock: DatabaseLock
  ) throws -> SwapPlan {
    let hasDatabase = request.part != .mlflow
    let ofDatabase = hasDatabase ? [databaseName] + Swap.wals(of: databaseName) : []
    let (names, spared) = request.part == .duckdb ? ([], nil) : try storeNames(protecting: protecting)
    let databaseItems = try ofDatabase.compactMap { try item($0, in: databaseSide) }
    let storeItems = try names.filter { ownStoreSide != nil || !ofDatabase.contains($0) }
      .compactMap { try item($0, in: storeSide) }
    // When the plan is carried out, the folder in the database's directory has its committed name.
    var database = SwapPlan.SwapDirectory(
      path: databaseSide.directory.path, hidden: databaseSide.journal.committed,
      undo: try databaseSide.journal.nextUndo(), items: databaseItems)
    var store: SwapPlan.SwapDirectory?
    if let side = ownStoreSide {
      store = SwapPlan.SwapDirectory(
        path: side.directory.path, hidden: side.hidden, undo: try side.journal.nextUndo(), items: storeItems,
        names: names, spared: spared)
    } else {
      database.items += storeItems
      (database.names, database.spared) = (names, spared)
    }
    return SwapPlan(
      backup: backup.text, target: target.directory.text, at: timestamp, nonce: nonce,
      databaseName: hasDatabase ? databaseName : nil,
      headers: hasDatabase ? try Swap.headers(of: databaseName, in: databaseSide.incoming, by: lock) : nil,
      oldHeaders: hasDatabase ? try Swap.headers(of: databaseName, in: databaseSide.directory, by: lock) : nil,
      database: database, store: store)
  }

  private func item(_ name: FileName, in side: Staged) throws -> SwapPlan.Item? {
    try SwapPlan.Item(name, in: side.directory, incoming: side.incoming)
  }

  /// The names in the store's directory that belong to the store, those that come in and those that go out.
  ///
  /// Where everything in there belongs to it, also the names that do not.
  private func storeNames(protecting: [FilePath]) throws -> (names: [FileName], spared: [FileName]?) {
    let staged = try files.entries(of: storeSide.incoming.descriptor).map(\.name)
    switch store {
    case .folder(let path): return (path.lastComponent.map { [FileName($0)] } ?? [], nil)
    case .names(_, let database):
      let databases = ([""] + SQLiteFile.sidecars).map { FileName(bytes: database.bytes + Array($0.utf8)) }
      return (Set(RestoreNames.storeFolders + databases).filter { !isOfDatabase($0) }.sorted(), nil)
    case .contents(let path):
      // What else lies in there and is no part of the store stays where it is.
      let spared = Set(
        protecting.compactMap { place -> FileName? in
          var rest = place
          guard rest.removePrefix(path) else { return nil }
          return rest.components.first.map { FileName($0) }
        } + [FileName("lost+found")])
      let present = try files.entries(of: storeSide.directory.descriptor).map(\.name)
      return (Set(staged + present).filter { !spared.contains($0) && !$0.isReserved }.sorted(), spared.sorted())
    }
  }

  private func isOfDatabase(_ name: FileName) -> Bool {
    ([databaseName] + Swap.wals(of: databaseName)).contains(name)
  }
}

extension FileSystem {
  /// Gives a hidden folder of a restore, and a file in it, to whoever owns the directory that it lies in.
  fileprivate func give(_ name: FilePath, in folder: OpenFile, to owner: FileOwner) throws(SystemError) {
    if try exists(name, at: folder.descriptor) { try give(name, at: folder.descriptor, to: owner) }
    try give(folder.descriptor, to: owner)
  }
}
