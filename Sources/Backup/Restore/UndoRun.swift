package import Files
package import Stacks
package import Store
internal import SystemPackage

/// What an undo did.
public struct UndoResult: Sendable {
  /// What changed places again: names at the target; empty: an undo that was interrupted is finished now.
  public let names: [String]
  /// Names that were there and are not any more, for nothing was there in their place: names at the target.
  public let removed: [String]
  /// The backup whose restore was undone, in readable form; empty: an undo was, and what that had replaced is back.
  public let backup: String
  /// When that restore, or that undo, was made, ISO 8601 with offset.
  public let at: String

  /// Whether an undo was taken back: the restored state is there again.
  public var isOfUndo: Bool { backup.isEmpty }
}

/// Brings back what a restore replaced, by the same swap (W1 to W6); an undo of an undo too.
package struct UndoRun {
  private let target: RestoreTarget
  private let files: any FileSystem
  private let time: any TimeSource
  private let events: EventStream

  package init(_ target: RestoreTarget, files: any FileSystem, time: any TimeSource, events: EventStream) {
    self.target = target
    self.files = files
    self.time = time
    self.events = events
  }

  /// What can be brought back, the newest first.
  package func states() throws -> [UndoState] {
    guard let journal = try SwapJournal(of: target, files: files) else { return [] }
    return try KeptStates(in: journal).all()
  }

  /// Brings one of them back; what is there now is kept in its stead, as the newest.
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
      patience: wait, onWait: events.waitingForLock, files: files, time: time)
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
    if let name = plan.database.flatMap(SwapPlan.name) {
      try request.waiting(time, events: events) { try databaseLock.take(name, in: journal.directory, isForced: false) }
      try databaseLock.take(name, in: try incoming(plan, folder: folder), isForced: false)
    }
    try describe(&plan, journal: journal, first: folder)
    try plan.checkDevices(files)
    try probe(plan, journal: journal, first: folder)
    if !isForced { try request.waiting(time, events: events) { try checkOpenFiles(plan) } }
    let programs = OpenPrograms(below: isForced ? openPlaces(plan) : [])
    try plan.write(SwapJournal.nextName, in: folder)
    try journal.directory.synchronize()
    if plan.database != nil {
      try request.waiting(time, events: events) { try BackupError.checkDatabaseOpen(target.database, files: files) }
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
      names: plan.sites.flatMap { $0.items.filter { $0.new != nil }.map(\.name) },
      removed: plan.sites.flatMap { $0.items.filter { $0.new == nil && $0.old != nil }.map(\.name) },
      backup: kept.plan.backup, at: kept.plan.at)
  }

  /// Sees to it, before the commit, that every name can be renamed.
  private func probe(_ plan: SwapPlan, journal: SwapJournal, first: OpenFile) throws {
    for (index, site) in plan.sites.enumerated() {
      guard let path = SwapPlan.path(site.path), let undo = SwapPlan.name(site.hidden) else {
        throw BackupError.journalUnreadable(site.path)
      }
      let place = index == 0 ? journal.directory : try OpenFile(path, mode: [.directory], files: files)
      let hidden = index == 0 ? first : try plan.openHidden(undo, of: index, in: place)
      try SwapProbe(plan, files: files).run(index, in: place, hidden: hidden)
    }
  }

  private func checkOpenFiles(_ plan: SwapPlan) throws {
    try BackupError.checkOpenFiles(below: openPlaces(plan))
  }

  /// What changes places beside the database.
  private func openPlaces(_ plan: SwapPlan) -> [FilePath] {
    plan.sites.flatMap { site in
      site.items.filter { $0.old != nil && $0.name != plan.database }.compactMap { item in
        guard let place = SwapPlan.path(site.path), let name = item.fileName else { return nil }
        return place.appending(name.path.components)
      }
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
  /// - Parameter number: only this one, 1 being the newest; nil: all.
  /// - Returns: bytes that came free; nil: there was nothing.
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
    for kept in try journal.kept().reversed() where try KeptStates(in: journal).expiry(of: kept) < time.nowNanoseconds {
      let bytes = try drop(kept, journal: journal)
      // Nothing was there to be kept, and nobody was told of it.
      guard kept.plan.replacesSomething else { continue }
      events.send(.notice("what the restore of \(kept.plan.at) had replaced is removed (\(ByteCount.text(bytes)))"))
    }
  }

  /// Bytes that an interrupted restore left, which nobody is at; nil: none did.
  package func abandonedBytes() throws -> Int64? {
    guard let folder = try SwapJournal(of: target, files: files)?.abandoned() else { return nil }
    return try KeptStates.allocatedBytes(of: folder)
  }

  private func incoming(_ plan: SwapPlan, folder: OpenFile) throws -> OpenFile {
    try OpenFile(FilePath(plan.incoming), at: folder.descriptor, mode: [.directory, .noFollow], files: files)
  }

  /// Says of every name what is there now and what comes in.
  private func describe(_ plan: inout SwapPlan, journal: SwapJournal, first: OpenFile) throws {
    for index in plan.sites.indices {
      guard let path = SwapPlan.path(plan.sites[index].path), let undo = SwapPlan.name(plan.sites[index].undo) else {
        throw BackupError.journalUnreadable(plan.sites[index].path)
      }
      let directory = try OpenFile(path, mode: [.directory], files: files)
      let hidden =
        try index == 0
        ? first : plan.openHidden(undo, of: index, in: directory)
      let folder = try incoming(plan, folder: hidden)
      var names = Set(plan.sites[index].items.compactMap(\.fileName))
      names.formUnion((plan.sites[index].names ?? []).compactMap(SwapPlan.name))
      if let spared = plan.sites[index].spared.map({ Set($0.compactMap(SwapPlan.name)) }) {
        names.formUnion(
          try files.entries(of: directory.descriptor).map(\.name).filter { !spared.contains($0) && !$0.isReserved })
      }
      // A WAL that was put away under a number is nobody's now.
      names.formUnion(
        try files.entries(of: folder.descriptor).map(\.name).filter { name in
          !plan.sites[index].items.contains { $0.fileName == name } && !isNumberedWAL(name, of: plan)
        })
      // What was never part of the swap stays out of it, whatever came in beside it.
      names.subtract((plan.sites[index].spared ?? []).compactMap(SwapPlan.name))
      if index == 0, let database = plan.database {
        names.formUnion(Swap.wals(of: database).compactMap(SwapPlan.name))
      }
      plan.sites[index].items = try names.sorted().compactMap {
        try SwapPlan.Item($0, in: directory, incoming: folder)
      }
      if index == 0 {
        plan.sites[index].hidden = SwapPlan.text(journal.committed)
        // It will be the newest; the other sites' folders keep their names.
        plan.sites[index].undo = SwapPlan.text(try journal.nextUndo())
        plan.oldHeaders = try plan.database.flatMap(SwapPlan.name).flatMap {
          try Swap.headers(of: $0, in: directory)
        }
        plan.headers = try plan.database.flatMap(SwapPlan.name).flatMap { try Swap.headers(of: $0, in: folder) }
      } else {
        plan.sites[index].hidden = plan.sites[index].undo
      }
    }
  }

  private func isNumberedWAL(_ name: FileName, of plan: SwapPlan) -> Bool {
    guard let database = plan.database else { return false }
    let text = SwapPlan.text(name)
    return Swap.wals(of: database).contains { text.hasPrefix($0 + ".") }
  }
}
