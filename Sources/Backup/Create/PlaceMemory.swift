internal import Files
package import Store
package import SystemPackage

/// What is remembered of backup directories, even when they cannot be reached now.
///
/// Nothing depends on it: a memory that knows nothing returns nil, and then no place is refused.
package protocol PlaceMemory: Sendable {
  /// The backups that were seen in a directory; nil when none were, or when it cannot be told.
  func known(in directory: FilePath) -> KnownBackups?
  /// Forgets what was seen in a directory: it begins anew.
  func forget(_ directory: FilePath)
  /// Looks at the backup directory again, after a backup was made.
  func update()
}

/// The backups that were seen in a directory.
package struct KnownBackups: Sendable {
  /// Newest first.
  package let paths: [String]
  /// When each was made and its size: what was renamed is known by these.
  private let marks: Set<[Double]>

  /// - Parameter backups: newest first; when they were made in seconds since 1970 UTC.
  package init(_ backups: [(path: String, createdAt: Double?, sizeBytes: Int64?)]) {
    paths = backups.map(\.path)
    marks = Set(
      backups.compactMap { backup in
        guard let createdAt = backup.createdAt, let size = backup.sizeBytes else { return nil }
        return [createdAt, Double(size)]
      })
  }

  package var isEmpty: Bool { paths.isEmpty }

  /// Whether a backup is one of them.
  package func contains(_ backup: ListedBackup) -> Bool {
    if paths.contains(backup.path.text) { return true }
    guard let timestamp = backup.timestamp, let size = backup.metadata?.sizeBytes else { return false }
    return marks.contains([Double(timestamp) / 1e9, Double(size)])
  }
}
