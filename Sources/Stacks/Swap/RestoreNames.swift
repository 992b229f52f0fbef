package import Files
internal import MLflow
package import Store
internal import SystemPackage

/// Decides which names of a backup are restored, and under which names, since the backup may be a stranger's.
///
/// At the top of a backup only the database and its WALs belong to a stack. Of a store that lies among other things
/// only the tracking database, `mlruns/` and `mlartifacts/` do; the target says what the tracking database is called.
package struct RestoreNames {
  /// What a store keeps beside its tracking database, where it has no directory of its own.
  package static let storeFolders = [FileName("mlruns"), FileName("mlartifacts")]

  /// The last bytes of a rollback journal that names another file, which SQLite then deletes
  /// (https://www.sqlite.org/fileformat.html and `aJournalMagic` in `pager.c`).
  private static let journalMagic: [UInt8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]

  /// The tracking database of a store among other things: its name in the backup and at the target.
  private let tracking: (stored: FileName, target: FileName)?
  /// Journals that would make SQLite delete a file elsewhere.
  private let journals: Set<FileName>

  package init(_ store: RestoreTarget.Store, in backup: any StoredBackup) throws {
    var names: [FileName] = []
    var journals: Set<FileName> = []
    var databases: [FileName] = []
    for folder in BackupLayout.stores where try backup.status(of: folder)?.kind == .directory {
      for name in try backup.entries(of: folder).map(\.name).sorted() {
        names.append(name)
        if try Self.isDatabase(folder / name, in: backup) { databases.append(name) }
        if name.bytes.suffix(8).elementsEqual("-journal".utf8), try Self.namesAnotherFile(folder / name, in: backup) {
          journals.insert(name)
        }
      }
    }
    self.journals = journals
    if case .names(_, let database) = store {
      // The backup has only one tracking database, whatever its name was at the source.
      let stored = names.contains(database) || databases.count != 1 ? database : databases[0]
      tracking = (stored, database)
    } else {
      tracking = nil
    }
  }

  private static func isDatabase(_ path: EntryPath, in backup: any StoredBackup) throws -> Bool {
    guard try backup.status(of: path)?.kind == .regular else { return false }
    return try backup.contents(of: path).read(count: SQLiteFile.magic.count, at: 0) == SQLiteFile.magic
  }

  private static func namesAnotherFile(_ path: EntryPath, in backup: any StoredBackup) throws -> Bool {
    guard let status = try backup.status(of: path), status.kind == .regular, status.size >= 16 else { return false }
    return try backup.contents(of: path).read(count: 8, at: status.size - 8) == journalMagic
  }

  /// Where an entry of the store goes; nil when it is not restored.
  /// - Parameter path: as it lies in the backup's store.
  package func place(of path: EntryPath) -> EntryPath? {
    guard let first = path.components.first, !first.isReserved, !journals.contains(first) else { return nil }
    guard let tracking else { return path }
    if Self.storeFolders.contains(first) { return path }
    for suffix in [""] + SQLiteFile.sidecars
    where first.bytes.elementsEqual(tracking.stored.bytes + Array(suffix.utf8)) && path.depth == 1 {
      return EntryPath.root / FileName(bytes: tracking.target.bytes + Array(suffix.utf8))
    }
    return nil
  }

  /// What comes after the database's name in the names that belong to it.
  package static let databaseSuffixes = [""] + Swap.walSuffixes
}
