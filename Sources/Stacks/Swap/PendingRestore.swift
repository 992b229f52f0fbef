package import Files
package import Store
internal import SystemPackage

/// Finishes a restore that a crash interrupted after its commit; the first command that looks at the target does this.
package struct PendingRestore {
  /// What there was to finish.
  package enum Finished: Sendable { case nothing, restore, undo }

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

  /// Whether there is one; nothing is done about it.
  package static func isThere(_ target: RestoreTarget, files: any FileSystem) throws(SystemError) -> Bool {
    try SwapJournal(of: target, files: files)?.isPending() ?? false
  }

  /// Finishes it, where there is one, and says so.
  ///
  /// - Throws: `BackupError` `restore.busy`, `restore.database-in-use`, `restore.journal-unreadable`,
  ///   `restore.interfered`.
  @discardableResult
  package func finish() throws -> Finished {
    guard let journal = try SwapJournal(of: target, files: files), try journal.isPending() else { return .nothing }
    let (plan, notices) = try journal.finish()
    let what = plan.backup.isEmpty ? "an undo" : "the restore of \(plan.backup)"
    events.send(.notice("\(what) from \(plan.at) had been interrupted, and is finished now"))
    for notice in notices { events.send(.warning(notice)) }
    return plan.backup.isEmpty ? .undo : .restore
  }
}
