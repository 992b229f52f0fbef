package import Files
package import Stacks
package import Store
internal import SystemPackage

/// What an undo did.
public struct UndoResult: Sendable {
  /// The names at the target that were exchanged; empty when an interrupted undo was finished instead.
  public let names: [String]
  /// Names at the target that were moved away, because there was nothing of that name before the restore.
  public let removed: [String]
  /// The backup whose restore was undone, in readable form; empty when an undo was undone.
  public let backup: String
  /// When that restore, or that undo, was made, ISO 8601 with offset.
  public let at: String

  /// Whether an undo was taken back: the restored state is there again.
  public var isOfUndo: Bool { backup.isEmpty }
}

/// Brings back what a restore replaced, by the same swap (W1 to W6); an undo of an undo too.
package struct UndoRun {
  private let target: RestoreTarget
  private let keptDays: Int64
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  /// - Parameter keptDays: for how many days what is replaced is kept.
  package init(
    _ target: RestoreTarget, keptDays: Int64, files: any FileSystem, time: any TimeSource, events: EventStream
  ) {
    self.target = target
    self.keptDays = keptDays
    self.files = files
    self.time = time
    self.events = events
  }

  /// What can be brought back, the newest first.
  package func states() throws -> [UndoState] {
    guard let journal = try SwapJournal(of: target, files: files) else { return [] }
    return try KeptStates(in: journal).all(keptFor: keptDays)
  }

  /// Brings one of them back; the state that is there now is kept in turn, as the newest.
  ///
  /// - Parameter number: 1 is the newest.
  /// - Parameter isForced: goes on beside open files of MLflow.
  /// - Throws: `BackupError` `undo.nothing`, `restore.database-in-use`, `restore.busy`, `restore.unfinished`;
  ///   `AdvisoryLock.Busy`; `SystemError`.
  package func run(number: Int = 1, isForced: Bool = false, wait: Duration = .zero) throws -> UndoResult {
    events.send(.began(operation: "backup undo", on: target.directory.text))
    let finished = try PendingRestore(target, files: files, time: time, events: events).finish()
    if finished == .undo {
      // The undo that was asked for before is done now; another one would take it back.
      events.send(.finished(operation: "backup undo", summary: "\(target.directory.text): the interrupted one"))
      return UndoResult(names: [], removed: [], backup: "", at: "")
    }
    guard let journal = try SwapJournal(of: target, files: files), try !KeptStates(in: journal).replaced().isEmpty
    else {
      throw nothing()
    }
    let lock = try AdvisoryLock.take(
      .exclusive, of: .stack, on: target.directory, note: ThisProcess.note(program: "hrp backup undo", time: time),
      patience: wait, grace: RestoreRun.lookGrace, onWait: events.waitingForLock, files: files, time: time)
    defer { ignoringFailure { try lock.release() } }
    let kept = try kept(number, journal: journal)
    var plan = try kept.plan.found(in: journal.directory.path, files)
    let folder = try OpenFile(
      kept.name.path, at: journal.directory.descriptor, mode: [.directory, .noFollow], files: files)
    guard try files.lockPatiently(folder.descriptor) else { throw BackupError.restoreBusy(target.directory) }
    (plan.incoming, plan.outgoing) = (plan.outgoing, plan.incoming)
    plan.backup = ""
    plan.at = LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset
    var request = RestoreRun.Request()
    request.wait = wait
    let databaseLock = DatabaseLock()
    defer { databaseLock.release() }
    if let name = plan.databaseName {
      try request.waiting(time, events: events) { try databaseLock.take(name, in: journal.directory, isForced: false) }
      try databaseLock.take(name, in: try incoming(plan, folder: folder), isForced: false)
    }
    try describe(&plan, journal: journal, first: folder, lock: databaseLock)
    try plan.checkDevices(files)
    try probe(plan, journal: journal, first: folder)
    if !isForced { try request.waiting(time, events: events) { try checkOpenFiles(plan) } }
    let programs = OpenPrograms(below: isForced ? openPlaces(plan) : [])
    try plan.write(SwapJournal.nextName, in: folder)
    try journal.directory.synchronize()
    if plan.databaseName != nil {
      try request.waiting(time, events: events) {
        try BackupError.checkDatabaseOpen(target.database, files: files)
        try FormerHolders(of: target.database, files: files).check()
      }
    }
    // W1: the commit.
    try files.renameNew(
      kept.name.path, at: journal.directory.descriptor, to: journal.committed.path, at: journal.directory.descriptor)
    do {
      try journal.directory.synchronize()
      try journal.finish(databaseLock)
    } catch { throw BackupError.unfinished("the undo", path: target.directory, error: error) }
    programs.warn(events)
    events.send(.finished(operation: "backup undo", summary: target.directory.text))
    return UndoResult(
      names: plan.items.filter { $0.new != nil }.map { ByteText.escaped($0.name.bytes) },
      removed: plan.items.filter { $0.new == nil && $0.old != nil }.map { ByteText.escaped($0.name.bytes) },
      backup: kept.plan.backup, at: kept.plan.at)
  }

  /// Checks before the commit that every name can be renamed.
  private func probe(_ plan: SwapPlan, journal: SwapJournal, first: OpenFile) throws {
    let probe = SwapProbe(plan, files: files)
    try probe.run(plan.database, in: journal.directory, hidden: first)
    guard let store = plan.store else { return }
    let place = try OpenFile(store.path, mode: [.directory], files: files)
    try probe.run(store, in: place, hidden: try plan.openHidden(store.hidden, of: .store, in: place))
  }

  private func checkOpenFiles(_ plan: SwapPlan) throws {
    try BackupError.checkOpenFiles(below: openPlaces(plan))
  }

  /// What changes places beside the database.
  private func openPlaces(_ plan: SwapPlan) -> [FilePath] {
    plan.directories.flatMap { _, directory in
      directory.items.filter { $0.old != nil && $0.name != plan.databaseName }
        .map { directory.path.appending($0.name.path.components) }
    }
  }

  private func kept(_ number: Int, journal: SwapJournal) throws -> SwapJournal.Kept {
    let all = try KeptStates(in: journal).replaced()
    guard number >= 1, number <= all.count else { throw nothing() }
    return all[number - 1]
  }

  private func nothing() -> BackupError {
    BackupError(
      "undo.nothing", kind: .notFound, message: "there is nothing to undo at \(target.directory.text)",
      remedy: "Only a restore that replaced something can be undone, for some days. See hrp backup undo --kept.")
  }

  /// Removes what is kept, and what interrupted restores left, and frees its space.
  ///
  /// - Parameter number: the one state to remove, 1 being the newest; when it is nil, all are removed.
  /// - Returns: the number of bytes that were freed; nil when there was nothing to remove.
  /// - Throws: `BackupError` `undo.nothing` for a number that is not there, `restore.busy`; `SystemError`.
  package func drop(number: Int? = nil) throws -> Int64? {
    if try PendingRestore(target, files: files, time: time, events: events).finish() != .nothing {
      throw BackupError(
        "undo.finished-first", kind: .failed,
        message: "a restore or an undo that was interrupted is finished now; nothing was dropped",
        remedy: "Look at what is kept (hrp backup undo --kept), then drop it.")
    }
    guard let journal = try SwapJournal(of: target, files: files) else { return nil }
    let space = { Int64(clamping: try files.space(of: journal.directory.descriptor).availableBytes) }
    var bytes: Int64 = 0
    let chosen = try number.map { [try kept($0, journal: journal)] } ?? journal.kept()
    for kept in chosen { bytes += try drop(kept, journal: journal) }
    guard number == nil else { return bytes }
    let before = try space()
    if try journal.removeDebris() { bytes += max(0, try space() - before) } else if chosen.isEmpty { return nil }
    return bytes
  }

  private func drop(_ kept: SwapJournal.Kept, journal: SwapJournal) throws -> Int64 {
    let bytes = try KeptStates(in: journal).bytes(of: kept)
    try journal.drop(kept)
    return bytes
  }

  /// Removes what is kept longer than it should be.
  package func expire() throws {
    guard let journal = try SwapJournal(of: target, files: files) else { return }
    for kept in try journal.kept().reversed()
    where try KeptStates(in: journal).expiry(of: kept, keptFor: keptDays) < time.nowNanoseconds {
      let bytes = try drop(kept, journal: journal)
      // This swap replaced nothing, so the user was never told that something is kept.
      guard kept.plan.replacesSomething else { continue }
      events.send(.notice("what the restore of \(kept.plan.at) had replaced is removed (\(ByteCount.text(bytes)))"))
    }
  }

  /// Bytes that an interrupted restore left behind; nil when no restore left any, or when its process still runs.
  package func abandonedBytes() throws -> Int64? {
    guard let folder = try SwapJournal(of: target, files: files)?.abandoned() else { return nil }
    return try KeptStates.allocatedBytes(of: folder)
  }

  private func incoming(_ plan: SwapPlan, folder: OpenFile) throws -> OpenFile {
    try OpenFile(plan.incoming, at: folder.descriptor, mode: [.directory, .noFollow], files: files)
  }

  /// Says of every name what is there now and what comes in.
  private func describe(
    _ plan: inout SwapPlan, journal: SwapJournal, first: OpenFile, lock: DatabaseLock
  ) throws {
    let (directory, folder) = (journal.directory, try incoming(plan, folder: first))
    let wals = plan.databaseName.map(Swap.wals) ?? []
    var database = plan.database
    database.items = try items(of: database, and: wals, in: directory, incoming: folder, plan)
    database.hidden = journal.committed
    // This state becomes the newest; the hidden folder in the store's directory keeps its name.
    database.undo = try journal.nextUndo()
    plan.database = database
    plan.oldHeaders = try plan.databaseName.flatMap { try Swap.headers(of: $0, in: directory, by: lock) }
    plan.headers = try plan.databaseName.flatMap { try Swap.headers(of: $0, in: folder, by: lock) }
    guard var store = plan.store else { return }
    let place = try OpenFile(store.path, mode: [.directory], files: files)
    let hidden = try plan.openHidden(store.undo, of: .store, in: place)
    store.items = try items(of: store, and: [], in: place, incoming: incoming(plan, folder: hidden), plan)
    store.hidden = store.undo
    plan.store = store
  }

  /// The names of a swap directory that an undo exchanges, with what there is of each.
  private func items(
    of planned: SwapPlan.SwapDirectory, and more: [FileName], in directory: OpenFile, incoming folder: OpenFile,
    _ plan: SwapPlan
  ) throws -> [SwapPlan.Item] {
    var names = Set(planned.items.map(\.name) + planned.names)
    if let spared = planned.spared {
      names.formUnion(
        try files.entries(of: directory.descriptor).map(\.name).filter { !spared.contains($0) && !$0.isReserved })
    }
    // A WAL that was moved away under a number belongs to no database any more.
    names.formUnion(
      try files.entries(of: folder.descriptor).map(\.name).filter { name in
        !planned.items.contains { $0.name == name } && !isNumberedWAL(name, of: plan)
      })
    // What was never part of the swap stays out of it, whatever came in beside it.
    names.subtract(planned.spared ?? [])
    names.formUnion(more)
    return try names.sorted().compactMap { try SwapPlan.Item($0, in: directory, incoming: folder) }
  }

  private func isNumberedWAL(_ name: FileName, of plan: SwapPlan) -> Bool {
    guard let database = plan.databaseName else { return false }
    return Swap.wals(of: database).contains { name.bytes.starts(with: $0.bytes + [UInt8(ascii: ".")]) }
  }
}
