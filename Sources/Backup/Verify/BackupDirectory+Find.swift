package import Files
internal import Stacks
package import Store
package import SystemPackage

extension BackupDirectory {
  /// Finds the backup that a user means: a path, a name, a number from the list, or `latest`.
  /// - Throws: `BackupError` `backup.not-found`.
  package func find(_ text: String) throws -> FilePath {
    if text.contains("/") || text == "." || text == ".." {
      let named = Stack.absolute(text)
      guard try files.exists(named) else {
        throw BackupError(
          "backup.not-found", kind: .notFound, message: "Backup directory not found: \(named.text)",
          remedy: "See what there is: hrp backup list")
      }
      // What is noted of a backup lies beside the backup, not beside a symlink to it.
      return try files.statusIfPresent(named)?.kind == .link ? RealPath.ofWhatExists(named) : named
    }
    // A name needs no list, so it works even when another backup's metadata cannot be read.
    if text.hasPrefix(BackupLayout.prefix), try files.exists(path.appending(FilePath(text).components)) {
      return path.appending(FilePath(text).components)
    }
    let backups = try list()
    if text == "latest", let newest = backups.first { return newest.path }
    if let number = Int(text), number >= 1, number <= backups.count { return backups[number - 1].path }
    let here = Stack.absolute(text)
    if try files.exists(here.appending("checksums.txt")) { return here }
    throw BackupError.backupNotFound(text, in: path)
  }

  /// Finds the backup that a user means.
  ///
  /// `latest-valid` is what ``BackupChoice`` chooses; those that are passed over are named.
  /// - Parameter part: only those that hold it count for `latest-valid`.
  /// - Throws: `BackupError` `backup.not-found`, `backup.none-valid`.
  package func find(
    _ text: String, holding part: StackPart? = nil, time: any TimeSource, events: EventStream
  ) throws -> FilePath {
    guard text == "latest-valid" else { return try find(text) }
    let backups = try list().filter { backup in part.map { !backup.lacks($0) } ?? true }
    let unlisted = try unlisted()
    for name in unlisted { events.send(.warning("\(name) does not verify: checksums.txt is missing")) }
    guard !backups.isEmpty || !unlisted.isEmpty else { throw BackupError.backupNotFound(text, in: path) }
    let chosen = try BackupChoice(in: self, time: time, events: events).best(of: backups, for: part)
    for remark in chosen.remarks { events.send(.notice(remark)) }
    return chosen.backup.path
  }
}
