package import Files
internal import Retention
package import Stacks
package import Store
internal import SystemPackage

/// The backups of a stack, as they were when they were listed, and which of them can be relied on by what is noted.
package struct StackBackups: Sendable {
  /// All of them, newest first; those that may be of the stack count.
  private let all: [ListedBackup]
  /// In nanoseconds since 1970 UTC.
  private let now: Int64

  /// Lists the backups; there are none where there is no directory yet.
  /// - Throws: `BackupError`, `SystemError` when they cannot be listed.
  package init(of stack: Stack, files: any FileSystem, time: any TimeSource) throws {
    now = time.nowNanoseconds
    let isThere = try files.exists(stack.backupDirectory)
    all =
      try isThere ? BackupDirectory(stack.backupDirectory, files: files).list().filter { $0.isOf(stack) != false } : []
  }

  /// The date of the newest one, also when it lies after now, in nanoseconds since 1970 UTC; nil when none has a date.
  package var newestTimestamp: Int64? { all.compactMap(\.timestamp).max() }

  /// The newest one; nil when there is none.
  package var newest: ListedBackup? { all.first }

  /// The verified and complete ones that are not dated after now, newest first.
  ///
  /// One whose proof or metadata cannot be read is none of them: it may have failed.
  /// - Parameter holdingMLflow: whether only those with an MLflow directory count.
  package func verified(holdingMLflow: Bool) -> [(backup: ListedBackup, timestamp: Int64)] {
    all.compactMap { backup in
      guard let timestamp = backup.timestamp, timestamp <= now, backup.problem == nil, backup.hasDatabase,
        backup.metadata?.complete != false, !(holdingMLflow && backup.lacks(.mlflow)),
        RetentionFacts.Condition(notedOf: backup) == .verified
      else { return nil }
      return (backup, timestamp)
    }
  }

  /// The newest drill that passed and is not dated after now; nil when none is known.
  package var newestDrill: (backup: ListedBackup, at: Int64)? {
    all.compactMap { backup in backup.proof.value?.drilledAt.map { (backup, $0) } }
      .filter { $0.1 <= now }.max { $0.1 < $1.1 }
  }
}
