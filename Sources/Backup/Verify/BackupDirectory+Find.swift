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
      return named
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
  /// `latest-valid` is the newest proven backup that verifies, else the newest that verifies. A backup whose drill
  /// failed does not count; when only a checkpoint failed, it is the last choice.
  ///
  /// Those that are passed over are named.
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
    let judged = backups.map { (backup: $0, trust: BackupTrust($0, for: part)) }
    for (backup, _) in judged.filter({ $0.trust == nil }) {
      let name = ByteText.escaped(backup.name.bytes)
      events.send(.warning("\(name) is passed over: \(backup.proof.value?.failure ?? "")"))
    }
    let inOrder = BackupTrust.allCases.flatMap { trust in judged.filter { $0.trust == trust } }
    for (backup, trust) in inOrder {
      let name = ByteText.escaped(backup.name.bytes)
      if let words = try problem(of: backup, for: part, time) {
        events.send(.warning("\(name) \(words)"))
        continue
      }
      if let doubt = backup.proof.value?.failure ?? backup.proof.problem {
        events.send(.warning("\(name) is the best there is; \(doubt)"))
      }
      let newer = judged.first { $0.trust == .unproven && ($0.backup.timestamp ?? .min) > (backup.timestamp ?? .min) }?
        .backup
      if trust == .proven, let newer {
        events.send(
          .notice(
            "\(name) is the newest that a drill has proven; \(ByteText.escaped(newer.name.bytes)) is newer, and can be "
              + "named"))
      }
      return backup.path
    }
    throw BackupError(
      "backup.none-valid", kind: .failed,
      message: "none of the \(backups.count + unlisted.count) backups in \(path.text) verifies",
      remedy: "Check the disk for errors (dmesg, smartctl -a) and try your copies elsewhere; hrp doctor --report FILE "
        + "writes what a bug report needs.")
  }

  /// Why a backup should not be restored, as the rest of a sentence; nil when it verifies.
  private func problem(of backup: ListedBackup, for part: StackPart?, _ time: any TimeSource) throws -> String? {
    do {
      let report = try Verification(files: files, time: time, events: EventStream()).verify(
        backup.open(), level: .structure)
      return report.findings(of: part).first.map { "does not verify: \($0.line)" }
    } catch let stopped as Interruption.Stopped {
      throw stopped
    } catch {
      // A backup that cannot be read says nothing about older ones: those are tried next.
      return "cannot be verified: \(BackupError(error, doing: "verifying it").message)"
    }
  }
}
