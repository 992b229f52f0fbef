internal import Files
internal import SystemPackage

/// The hidden folders of a database's directory by which a swap is staged, committed and undone.
///
/// `.NAME.hrp-restore.partial` is being made; `.NAME.hrp-restore` is committed and must be finished; `.NAME.hrp-undo`
/// holds what the last swap replaced.
struct SwapJournal {
  static let planName = FilePath("plan.json")
  /// The plan of an undo before its commit.
  static let nextName = FilePath("next.json")

  /// The directory of the database, open.
  let directory: OpenFile
  let staged: FileName
  let committed: FileName
  let undo: FileName
  /// What the swap before last replaced, on its way out.
  let discarded: FileName
  private let files: any FileSystem

  /// - Returns: nil: the directory is not there, so nothing is pending in it.
  init?(of target: RestoreTarget, files: any FileSystem) throws(SystemError) {
    guard try files.exists(target.database.folder) else { return nil }
    try self.init(in: OpenFile(target.database.folder, [.directory], files: files), base: target.databaseName)
  }

  init(in directory: OpenFile, base: FileName) {
    self.directory = directory
    files = directory.files
    staged = Self.name(base, ".hrp-restore.partial")
    committed = Self.name(base, ".hrp-restore")
    undo = Self.name(base, ".hrp-undo")
    discarded = Self.name(base, ".hrp-undo.partial")
  }

  private static func name(_ base: FileName, _ suffix: String) -> FileName {
    FileName(bytes: [UInt8(ascii: ".")] + base.bytes + Array(suffix.utf8))
  }

  /// Whether a swap was committed and not finished.
  func isPending() throws(SystemError) -> Bool { try files.exists(committed.path, at: directory.descriptor) }

  /// Carries a committed swap to its end (W1).
  ///
  /// - Parameter hold: locks that are held already; nil: they are taken here.
  /// - Returns: the plan that was carried out.
  /// - Throws: `BackupError` `restore.busy` when another process is at it, `restore.database-in-use`,
  ///   `restore.journal-unreadable`; `Swap.Interference` when it is finished and must be made again.
  @discardableResult
  func finish(_ hold: DatabaseHold? = nil, isForced: Bool = false) throws -> SwapPlan {
    let folder = try OpenFile(committed.path, at: directory.descriptor, [.directory, .noFollow], files: files)
    if hold == nil, try !files.lock(folder.descriptor, .exclusive) { throw BackupError.restoreBusy(directory.path) }
    guard let plan = SwapPlan.read(Self.nextName, in: folder) ?? SwapPlan.read(Self.planName, in: folder) else {
      throw BackupError.journalUnreadable(directory.path.appending(committed.path.components).text)
    }
    let own = DatabaseHold()
    defer { own.release() }
    if hold == nil, let name = plan.database.flatMap(SwapPlan.name) {
      try own.take(name, in: directory, isForced: isForced)
      let incoming = try OpenFile(FilePath(plan.incoming), at: folder.descriptor, [.directory], files: files)
      try own.take(name, in: incoming, isForced: isForced)
    }
    var interference: Swap.Interference?
    do { try Swap(plan, files: files).run() } catch let found as Swap.Interference { interference = found }
    try close(plan, folder)
    if let interference { throw interference }
    return plan
  }

  /// Gives the folders their later names; the first site's last, for it is the one that says that something is pending.
  private func close(_ plan: SwapPlan, _ folder: OpenFile) throws {
    try Swap.removeMarks(in: folder)
    for site in plan.sites.dropFirst() {
      guard let path = SwapPlan.path(site.path), let hidden = SwapPlan.name(site.hidden),
        let undo = SwapPlan.name(site.undo)
      else { continue }
      let place = try OpenFile(path, [.directory], files: files)
      if try files.exists(hidden.path, at: place.descriptor) {
        try Swap.removeMarks(
          in: try OpenFile(hidden.path, at: place.descriptor, [.directory, .noFollow], files: files))
      }
      try keep(hidden, as: undo, in: place)
    }
    if try files.exists(Self.nextName, at: folder.descriptor) {
      try files.renameReplacing(Self.nextName, at: folder.descriptor, to: Self.planName, at: folder.descriptor)
      try folder.synchronize()
    }
    try keep(committed, as: undo, in: directory)
  }

  /// Renames a folder; what is there of that name was replaced by the swap before, and goes.
  private func keep(_ hidden: FileName, as undo: FileName, in place: OpenFile) throws {
    guard hidden != undo, try files.exists(hidden.path, at: place.descriptor) else { return }
    if try files.exists(undo.path, at: place.descriptor) {
      let gone = FileName(bytes: undo.bytes + Array(".partial".utf8))
      try files.removeTree(gone.path, at: place.descriptor)
      try files.renameNew(undo.path, at: place.descriptor, to: gone.path, at: place.descriptor)
    }
    try files.renameNew(hidden.path, at: place.descriptor, to: undo.path, at: place.descriptor)
    try place.synchronize()
  }

  /// The last finished swap, whose replaced state is there to be brought back; nil: there is none.
  func undoPlan() throws(SystemError) -> SwapPlan? {
    guard try files.exists(undo.path, at: directory.descriptor),
      let folder = try? OpenFile(undo.path, at: directory.descriptor, [.directory, .noFollow], files: files)
    else { return nil }
    return SwapPlan.read(Self.planName, in: folder)
  }

  /// Removes what a swap before the last one replaced, and what crashed before its commit.
  func removeDebris() throws {
    var places = [(directory, discarded)]
    if let plan = try undoPlan() {
      for site in plan.sites.dropFirst() {
        guard let path = SwapPlan.path(site.path), let undo = SwapPlan.name(site.undo),
          let place = try? OpenFile(path, [.directory], files: files)
        else { continue }
        places.append((place, FileName(bytes: undo.bytes + Array(".partial".utf8))))
      }
    }
    for (place, name) in places { try files.removeTree(name.path, at: place.descriptor) }
  }
}

extension RestoreTarget {
  /// The name of the DuckDB file.
  var databaseName: FileName { database.lastComponent.map { FileName($0) } ?? FileName("hrp.duckdb") }
}

extension BackupError {
  static func databaseInUse(_ path: FilePath, holder: Int32) -> BackupError {
    let words = ThisProcess.words(of: holder)
    let stop = holder > 0 ? "Close that program (kill \(holder) asks it to end)" : "Close that program"
    return BackupError(
      "restore.database-in-use", .busy, "Database is locked: \(path.text) is in use by \(words)",
      remedy: "\(stop), or wait for it: --wait 10m. A database in use is never replaced, not with --force.")
  }

  static func restoreBusy(_ path: FilePath) -> BackupError {
    BackupError(
      "restore.busy", .busy, "another hrp is restoring to \(path.text)", remedy: "Wait until it is done.")
  }

  static func journalUnreadable(_ path: String) -> BackupError {
    BackupError(
      "restore.journal-unreadable", .failed, "a restore was interrupted, and its journal cannot be read: \(path)",
      remedy: "Both states are in that folder (a/ and b/). Keep it, and restore to another place with --target-dir.")
  }
}

extension ThisProcess {
  /// A process for people: "PID 12 (python), since 2026-01-24 14:30:52".
  static func words(of pid: Int32) -> String {
    if pid <= 0 { return "a process outside of this container (PID 0)" }
    return "PID \(pid)" + (program(of: pid).map { " (\($0))" } ?? "")
      + (start(of: pid).map { ", since \(LocalTime(nanoseconds: $0).plain)" } ?? "")
  }
}
