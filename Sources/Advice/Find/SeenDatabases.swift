internal import Files
internal import Store

/// What the databases held that were looked into for one text: many backups have the same one.
final class SeenDatabases {
  /// What makes two databases the same: the SHA-256 that the lists say of them and of their WALs, and their size.
  private struct Identity: Hashable {
    var digests: [EntryPath: Digest] = [:]
    let size: Int64
  }

  private var hits: [Identity: [SearchHit]] = [:]

  /// What the database of a backup holds, from one that is the same and was looked into, or else by looking.
  ///
  /// - Parameter status: of the database.
  /// - Parameter look: looks into it, and says whether all of it could be looked into.
  func hits(
    of backup: any StoredBackup, status: FileStatus, look: () throws -> (hits: [SearchHit], isWhole: Bool)
  ) throws -> [SearchHit] {
    let identity = identity(of: backup, status: status)
    if let identity, let found = hits[identity] { return found }
    let (found, isWhole) = try look()
    if isWhole, let identity { hits[identity] = found }
    return found
  }

  /// Returns nil when it cannot be told, or when the database cannot be read: then the engine looks, and says what is
  /// in the way.
  private func identity(of backup: any StoredBackup, status: FileStatus) -> Identity? {
    guard status.kind == .regular else { return nil }
    var identity = Identity(size: status.size)
    do {
      _ = try backup.contents(of: BackupLayout.database).read(count: 1, at: 0)
      let parts = [BackupLayout.database, BackupLayout.wal, BackupLayout.checkpointWAL]
      try backup.files(named: BackupLayout.database.text) { file in
        if parts.contains(file.path) { identity.digests[file.path] = file.digest }
      }
    } catch {
      return nil
    }
    return identity.digests[BackupLayout.database] == nil ? nil : identity
  }
}
