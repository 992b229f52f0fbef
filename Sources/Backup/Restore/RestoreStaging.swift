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
  /// A hidden folder and the part in it that holds what comes in.
  private struct Site {
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
  private let sites: [Site]
  private let nonce: String
  let isNewTarget: Bool
  /// W1: from here on nothing of it is anybody's to remove.
  private(set) var isCommitted = false
  private let files: any FileSystem

  init(for target: RestoreTarget, store: RestoreTarget.Store, files: any FileSystem) throws {
    self.target = target
    self.store = store
    self.files = files
    databaseName = target.databaseName
    isNewTarget =
      try !files.exists(target.directory)
      && target.database.folder == ThisProcess.realPathOfWhatExists(target.directory)
    nonce = SwapOwner.newNonce()
    if isNewTarget {
      let site = try Self.stageWhole(target, files: files)
      sites = [site]
    } else {
      try files.makeDirectories(target.database.folder)
      try files.makeDirectories(target.directory)
      sites = try Self.stageSites(target, store: store, nonce: nonce, files: files)
    }
    databaseFolder = sites[0].incoming
    storeFolder = sites[sites.count - 1].incoming
    if case .folder(let path) = store, let name = path.lastComponent {
      storePath = EntryPath.root / FileName(name)
    } else {
      storePath = .root
    }
  }

  private static func stageWhole(_ target: RestoreTarget, files: any FileSystem) throws -> Site {
    let parent = target.directory.folder
    try files.makeDirectories(parent)
    let name = target.directory.lastComponent.map { FileName($0) } ?? FileName("stack")
    let hidden = FileName(bytes: [UInt8(ascii: ".")] + name.bytes + Array(".hrp-restore.partial".utf8))
    let directory = try OpenFile(parent, mode: [.directory], files: files)
    let folder = try make(hidden, in: directory, owner: nil)
    return Site(directory: directory, hidden: hidden, base: name, folder: folder, incoming: folder)
  }

  private static func stageSites(
    _ target: RestoreTarget, store: RestoreTarget.Store, nonce: String, files: any FileSystem
  ) throws -> [Site] {
    let directory = try OpenFile(target.database.folder, mode: [.directory], files: files)
    let journal = SwapJournal(in: directory, base: target.databaseName)
    var sites = [try stage(target.databaseName, in: directory, owner: nil)]
    try files.makeDirectories(store.place)
    let second = try OpenFile(store.place, mode: [.directory], files: files)
    if try second.status().identity != directory.status().identity {
      let base: FileName =
        if case .folder(let path) = store, let name = path.lastComponent { FileName(name) } else {
          FileName("mlflow")
        }
      let owner = SwapOwner(
        committed: directory.path.appending(journal.committed.path.components), nonce: nonce)
      sites.append(try stage(base, in: second, owner: owner))
    }
    return sites
  }

  private static func stage(_ base: FileName, in directory: OpenFile, owner: SwapOwner?) throws -> Site {
    let hidden = SwapJournal(in: directory, base: base).staged
    let folder = try make(hidden, in: directory, owner: owner)
    for name in ["a", "b"] {
      try directory.files.makeDirectory(FilePath(name), at: folder.descriptor, permissions: 0o700)
      try directory.files.give(FilePath(name), at: folder.descriptor, to: directory.status().owner)
    }
    let incoming = try OpenFile(
      "a", at: folder.descriptor, mode: [.directory, .noFollow], displayPath: folder.path.appending("a"),
      files: directory.files)
    return Site(directory: directory, hidden: hidden, base: base, folder: folder, incoming: incoming)
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
      // The other half of a swap that another stack has committed is no debris.
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
  func synchronize() throws { for site in sites { try files.synchronizeTree(site.folder) } }

  /// Who gets what comes in under a name: the owner of what it replaces, else of the directory.
  ///
  /// - Parameter path: as it is staged.
  func owner(of path: EntryPath, inStore: Bool) throws -> FileOwner {
    let site = sites[inStore ? sites.count - 1 : 0]
    guard !isNewTarget, let name = path.components.first else { return try site.directory.status().owner }
    if let known = owners[name], known.inStore == inStore { return known.owner }
    let isThere = try files.exists(name.path, at: site.directory.descriptor)
    let owner =
      try isThere
      ? files.status(name.path, at: site.directory.descriptor).owner : site.directory.status().owner
    owners[name] = (inStore, owner)
    return owner
  }

  private var owners: [FileName: (inStore: Bool, owner: FileOwner)] = [:]

  /// Removes what was staged.
  func discard() throws(SystemError) {
    for site in sites { try files.removeTree(site.hidden.path, at: site.directory.descriptor) }
  }

  // MARK: - Publishing

  /// Puts everything in its place.
  ///
  /// - Parameter permissions: of a target that did not exist.
  /// - Parameter check: is asked once more, last, whether anybody uses what is replaced.
  /// - Returns: the folder with what was replaced, in readable form; nil: nothing was.
  func publish(
    _ request: RestoreRun.Request, backup: FilePath, protecting: [FilePath], at timestamp: String, permissions: UInt16,
    time: any TimeSource, events: EventStream, check: () throws -> Void
  ) throws -> String? {
    if isNewTarget {
      try files.setPermissions(sites[0].folder.descriptor, to: permissions)
      try files.give(sites[0].folder.descriptor, to: sites[0].directory.status().owner)
      try files.renameNew(sites[0].hidden.path, at: sites[0].directory.descriptor, to: target.directory, at: nil)
      try sites[0].directory.synchronize()
      return nil
    }
    let journal = sites[0].journal
    let databaseLock = DatabaseLock()
    defer { databaseLock.release() }
    if request.part != .mlflow {
      try request.waiting(time, events: events) {
        try databaseLock.take(databaseName, in: sites[0].directory, isForced: request.isForced)
      }
    }
    let plan = try plan(request, backup: backup, protecting: protecting, at: timestamp)
    try plan.checkDevices(files)
    for (index, site) in sites.enumerated() {
      try SwapProbe(plan, files: files).run(index, in: site.directory, hidden: site.folder)
    }
    if request.part != .mlflow { try databaseLock.take(databaseName, in: sites[0].incoming, isForced: false) }
    try plan.write(SwapJournal.planName, in: sites[0].folder)
    for site in sites {
      try files.give(SwapJournal.planName, in: site.folder, to: site.directory.status().owner)
      try site.folder.synchronize()
      try site.directory.synchronize()
    }
    try request.waiting(time, events: events) { try check() }
    try commit(journal)
    do {
      try sites[0].directory.synchronize()
      try journal.finish(databaseLock)
    } catch { throw BackupError.unfinished("the restore", path: target.directory, error: error) }
    databaseLock.release()
    guard plan.replacesSomething, let undo = plan.sites.first.flatMap({ SwapPlan.name($0.undo) }) else { return nil }
    return sites[0].directory.path.appending(undo.path.components).text
  }

  /// W1: the commit.
  private func commit(_ journal: SwapJournal) throws {
    isCommitted = true
    do throws(SystemError) {
      try files.renameNew(
        journal.staged.path, at: sites[0].directory.descriptor, to: journal.committed.path,
        at: sites[0].directory.descriptor)
    } catch {
      // What cannot be told is taken for committed: nothing of it is removed.
      do { isCommitted = try journal.isPending() } catch { isCommitted = true }
      throw error
    }
  }

  private func plan(
    _ request: RestoreRun.Request, backup: FilePath, protecting: [FilePath], at timestamp: String
  ) throws -> SwapPlan {
    let hasDatabase = request.part != .mlflow
    let database = hasDatabase ? SwapPlan.text(databaseName) : nil
    var items: [[SwapPlan.Item]] = sites.map { _ in [] }
    if let database {
      let names = [database] + Swap.wals(of: database)
      items[0] += try names.compactMap(SwapPlan.name).compactMap { try item($0, in: sites[0]) }
    }
    let (names, spared) =
      request.part == .duckdb ? ([], nil) : try storeNames(sites[sites.count - 1], protecting: protecting)
    let known = Set(items[sites.count - 1].map(\.name))
    items[sites.count - 1] += try names.filter { !known.contains(SwapPlan.text($0)) }
      .compactMap { try item($0, in: sites[sites.count - 1]) }
    return SwapPlan(
      backup: backup.text, target: target.directory.text, at: timestamp, nonce: nonce, database: database,
      headers: hasDatabase ? try Swap.headers(of: databaseName, in: sites[0].incoming) : nil,
      oldHeaders: hasDatabase ? try Swap.headers(of: databaseName, in: sites[0].directory) : nil,
      sites: try sites.indices.map { index in
        let site = sites[index]
        // The first site's folder has its committed name by the time that the plan is carried out.
        let hidden = index == 0 ? site.journal.committed : site.hidden
        let isOfStore = index == sites.count - 1
        return SwapPlan.Site(
          path: site.directory.path.text, hidden: SwapPlan.text(hidden),
          undo: SwapPlan.text(try site.journal.nextUndo()), items: items[index],
          names: isOfStore ? names.map(SwapPlan.text) : nil, spared: isOfStore ? spared?.map(SwapPlan.text) : nil)
      })
  }

  private func item(_ name: FileName, in site: Site) throws -> SwapPlan.Item? {
    try SwapPlan.Item(name, in: site.directory, incoming: site.incoming)
  }

  /// The names at the site that belong to the store, those that come in and those that go out; and where everything
  /// there does, those that do not.
  private func storeNames(
    _ site: Site, protecting: [FilePath]
  ) throws -> (names: [FileName], spared: [FileName]?) {
    let staged = try files.entries(of: site.incoming.descriptor).map(\.name)
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
      let present = try files.entries(of: site.directory.descriptor).map(\.name)
      return (Set(staged + present).filter { !spared.contains($0) && !$0.isReserved }.sorted(), spared.sorted())
    }
  }

  private func isOfDatabase(_ name: FileName) -> Bool {
    let database = SwapPlan.text(databaseName)
    return ([database] + Swap.wals(of: database)).contains(SwapPlan.text(name))
  }
}

extension FileSystem {
  /// Gives a hidden folder of a restore, and a file in it, to whoever owns the directory that it lies in.
  fileprivate func give(_ name: FilePath, in folder: OpenFile, to owner: FileOwner) throws(SystemError) {
    if try exists(name, at: folder.descriptor) { try give(name, at: folder.descriptor, to: owner) }
    try give(folder.descriptor, to: owner)
  }
}
