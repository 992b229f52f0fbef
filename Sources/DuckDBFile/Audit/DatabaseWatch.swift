package import Files
package import SystemPackage

/// Looks at a database in use again and again: without an engine, and without a lock on it.
///
/// A look opens the file for an instant and closes it again. It takes milliseconds, since what was whole in the WAL the
/// last time is not read again. For one thread at a time.
package final class DatabaseWatch {
  /// What was seen is wrong unless somebody is writing it just now: to be looked at again, a little later.
  package struct Unsettled: Error {
    /// nil when it changed while it was read.
    package let problem: HotCopyError?
  }

  /// How often what may be being written is read again within one look: together some milliseconds.
  static let attempts = 10
  /// Wrong bytes that stay for so long are not being written any more.
  private static let writingTime: Duration = .seconds(1)

  private let path: FilePath
  private let files: any FileSystem
  private let time: any TimeSource
  private var progress: (main: WALProgress?, checkpoint: WALProgress?)
  /// What may be damage of the WAL, and when it was seen first.
  private var suspect: (damage: WALDamage, since: Int64)?
  /// Since when the header, or the list of free blocks, has been torn.
  private var tornSince: Int64?

  package init(_ path: FilePath, files: any FileSystem, time: any TimeSource) {
    self.path = path
    self.files = files
    self.time = time
  }

  /// Looks.
  /// - Throws: `Unsettled`; `HotCopyError` for what no engine can open, or only a newer one; `SystemError`, also when
  ///   there is no file.
  package func look() throws -> LiveLook {
    let database = try DatabaseFile(path, attempts: Self.attempts, files: files, time: time)
    defer { ignoringFailure { try database.file.close() } }
    let main = try database.mainHeader()
    let contents = try main.isEncrypted ? nil : contents(of: database)
    return LiveLook(
      identity: database.identity, fileBytes: try database.file.status().size,
      holder: try holder(of: database),
      contents: contents)
  }

  private func holder(of database: DatabaseFile) throws(SystemError) -> LiveLook.Holder? {
    if let pid = try database.writer() { return LiveLook.Holder(pid: pid, mayWrite: true) }
    return try files.lockHolder(database.file.descriptor, against: .exclusive).map {
      LiveLook.Holder(pid: $0, mayWrite: false)
    }
  }

  private func contents(of database: DatabaseFile) throws -> LiveLook.Contents {
    let state = try state(of: database)
    try checkLength(of: database, state: state)
    do {
      let (wal, commits) = try LiveWALReader(of: database).judge(for: state, after: &progress)
      suspect = nil
      guard state.hasSameHeaders(as: try database.headers()) else { throw Unsettled(problem: nil) }
      return LiveLook.Contents(
        iteration: state.header.iteration, blocksInUse: state.freeList.inUse.count, walBytes: wal.byteCount,
        walCommits: commits)
    } catch LiveWALReader.Failure.changedWhileRead {
      throw Unsettled(problem: nil)
    } catch LiveWALReader.Failure.mismatch(let why) {
      throw Unsettled(problem: .foreignWAL(path, why))
    } catch LiveWALReader.Failure.damaged(let damage) {
      try judge(damage, in: database)
      throw Unsettled(problem: nil)
    } catch LiveWALReader.Failure.unknownEntry(let entry) {
      throw Unsettled(problem: .unknownEntry(path, type: entry.type, offset: entry.offset))
    } catch let error as FormatError {
      throw Unsettled(problem: .damaged(WALNames.wal(of: path), "\(error)"))
    }
  }

  /// A file that ends before its last block in use was cut off, unless a load is writing it just now.
  private func checkLength(of database: DatabaseFile, state: StorageState) throws {
    guard let last = state.freeList.inUse.last,
      try database.file.status().size < state.geometry.offset(of: last + 1), try database.writerPresence() == .nobody
    else { return }
    throw HotCopyError.damaged(path, "the file ends before block \(last), which is in use")
  }

  /// Headers and free list; torn ones are damage at once where nobody writes, and else when they stay.
  private func state(of database: DatabaseFile) throws -> StorageState {
    do {
      let state = try database.state()
      tornSince = nil
      return state
    } catch HotCopyError.damaged(let path, let why) {
      let now = time.monotonicNanoseconds
      let since = tornSince ?? now
      tornSince = since
      if try now - since >= Self.writingTime.nanoseconds || database.writerPresence() == .nobody {
        throw HotCopyError.damaged(path, why)
      }
      throw Unsettled(problem: nil)
    } catch HotCopyError.doesNotSettle {
      throw Unsettled(problem: nil)
    }
  }

  /// Damage is damage at once where nobody writes, and else when it stays.
  private func judge(_ damage: WALDamage, in database: DatabaseFile) throws {
    let now = time.monotonicNanoseconds
    let isOld = suspect.map { damage.isStill($0.damage) && now - $0.since >= Self.writingTime.nanoseconds } ?? false
    if try isOld || database.writerPresence() == .nobody {
      throw HotCopyError.walDamaged(path, offset: damage.offset, commitsBehind: damage.commitsBehind)
    }
    if suspect.map({ !damage.isStill($0.damage) }) ?? true { suspect = (damage, now) }
  }
}
