internal import Files
internal import Store

/// What the databases held that were looked into for one text: many backups have the same one.
///
/// A database is the same when the lists say the same SHA-256 of it and of its WALs.
final class SeenDatabases {
  private var hits: [[Digest]: [SearchHit]] = [:]

  /// The digests of a backup's database and its WALs, as its list says; empty when it does not say.
  static func identity(of backup: any StoredBackup) throws -> [Digest] {
    var digests: [Digest] = []
    try backup.files(named: BackupLayout.database.text) { file in
      let parts = [BackupLayout.database, BackupLayout.wal, BackupLayout.checkpointWAL]
      if parts.contains(file.path) { digests.append(file.digest) }
    }
    return digests
  }

  /// What a database held; nil when it was not looked into.
  func hits(of identity: [Digest]) -> [SearchHit]? { identity.isEmpty ? nil : hits[identity] }

  func note(_ found: [SearchHit], of identity: [Digest]) { hits[identity] = found }
}
