internal import DuckDBFile
internal import Files
internal import MLflow
internal import Stacks
internal import Store
internal import SystemPackage

// A dry run: what a run would meet, found out without writing anything.

extension BackupRun {
  /// Plans, and looks for everything that would refuse a run or leave its backup incomplete.
  ///
  /// - Returns: the plan, and the files of MLflow that cannot be read.
  /// - Throws: what `run` would throw, as far as that can be told before; not enough space is in the plan.
  package func rehearse() throws -> (plan: Plan, unread: [String]) {
    try AdvisoryLock.check(.shared, of: .stack, on: stack.dataDirectory, files: files)
    let plan = try plan()
    try checkEncrypted()
    try PathRights.checkWritable(OpenFile.nearestDirectory(of: stack.backupDirectory, files: files).path)
    let store = includesMLflow ? try stack.mlflow(files: files) : nil
    guard let store else { return (plan, includesMLflow ? try lostStore().map { [$0.path] } ?? [] : []) }
    return (plan, try unreadable(store) + lostParts(of: store).map(\.path))
  }

  /// Removes from the trash what must go for the backup to have room, the oldest first.
  func makeRoom(for plan: Plan) throws {
    let missing = Int64(clamping: plan.neededBytes) - Int64(clamping: plan.availableBytes)
    guard missing > 0 else { return }
    _ = try trash.makeRoom(missing, for: .backup, events: events)
  }

  /// An encrypted database can be copied only while nobody writes to it.
  private func checkEncrypted() throws {
    let source = try DatabaseFile(stack.database, files: files, time: time)
    guard try source.mainHeader().isEncrypted, let writer = try source.writer() else { return }
    throw HotCopyError.encryptedInUse(stack.database, writer: writer, program: OtherProcess.program(of: writer))
  }

  /// The files and folders of a store that cannot be opened, in readable form.
  private func unreadable(_ store: MLflowStore) throws -> [String] {
    events.send(.phase("looking at MLflow"))
    var unread: [String] = []
    let excluded = try excluded(from: store)
    try TreeWalk(files: files).walk(OpenFile(store.directory, mode: [.directory], files: files)) { step in
      try Interruption.check()
      switch step {
      case .directory(let entry):
        return !excluded.contains(entry.status.identity) && (!entry.path.parent.isRoot || store.holds(entry.path.name))
      case .entry(let entry):
        let isPart = !entry.path.parent.isRoot || store.holds(entry.path.name)
        guard isPart, entry.status.kind == .regular, !excluded.contains(entry.status.identity) else { return true }
        do throws(SystemError) {
          try OpenFile(entry.name, at: entry.directory, mode: [.noFollow], files: files).close()
        } catch {
          unread.append(entry.path.text)
        }
      case .unreadable(let path, _): unread.append(path.text)
      }
      return true
    }
    return unread
  }
}
