package import Files
package import SystemPackage

/// Looks at a database in use again and again: without an engine, and without a lock on it.
///
/// A look opens the file for an instant and closes it again. It takes milliseconds, since what was whole in the WAL the
/// last time is not read again. For one thread at a time.
package final class DatabaseWatch {
  /// How often a WAL that does not fit is looked at again, and the pause between: together they are longer than a
  /// running program needs to put the new WAL in the place of the old one.
  private static let attempts = 4
  private static let pause: Duration = .milliseconds(50)
  /// Wrong bytes that stay for so long are not being written any more.
  private static let writingTime: Duration = .seconds(1)

  private let path: FilePath
  private let files: any FileSystem
  private let time: any TimeSource
  private var progress: (main: WALProgress?, checkpoint: WALProgress?)
  /// What may be damage, and when it was seen first.
  private var suspect: (damage: WALDamage, since: Int64)?

  package init(_ path: FilePath, files: any FileSystem, time: any TimeSource) {
    self.path = path
    self.files = files
    self.time = time
  }

  /// Looks.
  /// - Throws: `HotCopyError` for what no engine can open, or only a newer one; `SystemError`, also when there is no
  ///   file.
  package func look() throws -> LiveLook {
    let database = try DatabaseFile(path, files: files, time: time)
    defer { ignoringFailure { try database.file.close() } }
    let main = try database.mainHeader()
    let contents = try main.isEncrypted ? nil : contents(of: database)
    return LiveLook(
      fileBytes: try database.file.status().size, storageVersion: main.storageVersion, holder: try holder(of: database),
      contents: contents)
  }

  private func holder(of database: DatabaseFile) throws(SystemError) -> LiveLook.Holder? {
    if let pid = try database.writer() { return LiveLook.Holder(pid: pid, mayWrite: true) }
    return try files.lockHolder(database.file.descriptor, against: .exclusive).map {
      LiveLook.Holder(pid: $0, mayWrite: false)
    }
  }

  private func contents(of database: DatabaseFile) throws -> LiveLook.Contents {
    var state = try database.state()
    var problem: HotCopyError?
    for attempt in 1...Self.attempts {
      if attempt > 1 {
        time.sleep(Self.pause)
        state = try database.state()
      }
      do {
        let (wal, commits) = try LiveWALReader(of: database).judge(for: state, after: &progress)
        suspect = nil
        guard state.hasSameHeaders(as: try database.headers()) else { continue }
        return Self.contents(state, walBytes: wal.byteCount, commits: commits)
      } catch LiveWALReader.Failure.changedWhileRead {
        problem = nil
      } catch LiveWALReader.Failure.mismatch(let why) {
        problem = .foreignWAL(path, why)
      } catch LiveWALReader.Failure.damaged(let damage) {
        try judge(damage, in: database)
        problem = nil
      } catch LiveWALReader.Failure.unknownEntry(let entry) {
        problem = .unknownEntry(path, type: entry.type, offset: entry.offset)
      } catch let error as FormatError {
        problem = .damaged(WALNames.wal(of: path), "\(error)")
      }
    }
    // It changed while it was read, each time: somebody is writing, and a later look sees what came of it.
    if let problem { throw problem }
    return Self.contents(state, walBytes: 0, commits: 0, isSettling: true)
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

  private static func contents(
    _ state: StorageState, walBytes: Int64, commits: Int, isSettling: Bool = false
  ) -> LiveLook.Contents {
    LiveLook.Contents(
      iteration: state.header.iteration, blockSize: state.geometry.allocationSize,
      blocksInUse: state.freeList.inUse.count, blocksFree: state.freeList.free.count, walBytes: walBytes,
      walCommits: commits, isSettling: isSettling)
  }
}
