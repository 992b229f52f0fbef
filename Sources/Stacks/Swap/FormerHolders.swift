internal import DuckDBFile
package import Files
internal import Store
package import SystemPackage

/// Programs that have a database open whose file was deleted or replaced, or moved while its WAL was open.
///
/// Such a program still holds every row. Those of other users and of other containers are not seen, nor is one whose
/// database and WAL were both moved. When it closes the database, DuckDB removes the WAL by its name: that is by
/// then the WAL of whatever was restored to that name, with all its commits (seen with DuckDB 2.0.1).
package struct FormerHolders {
  /// The first of them, when there is one.
  package let first: Int32?
  private let database: FilePath

  /// Looks; whoever has the file open that is there now is none of them.
  /// - Throws: `SystemError` when the processes cannot be listed.
  package init(of database: FilePath, files: any FileSystem) throws {
    self.database = database
    let real = RealPath.ofWhatExists(database)
    let names = [real, WALNames.wal(of: real), WALNames.checkpointWAL(of: real)]
    let seen = try FileHolders(ofNames: names).seen.map(\.pid)
    guard !seen.isEmpty, let now = try files.statusIfPresent(real) else {
      first = seen.first
      return
    }
    let current = Set(try FileHolders(of: now.identity).seen.map(\.pid))
    let others = seen.filter { !current.contains($0) }
    // One that closed the database between the two looks is none of them.
    let still = others.isEmpty ? [] : Set(try FileHolders(ofNames: names).seen.map(\.pid))
    first = others.first { still.contains($0) }
  }

  /// Which program it is and what it holds, as a sentence without a full stop; nil when there is none.
  package var words: String? {
    let name = database.lastComponent.map { "\($0)" } ?? "database"
    return first.map {
      "\(OtherProcess.name(of: $0)) still has the \(name) open that was here before, and may hold every row of it"
    }
  }

  /// - Throws: `BackupError` `restore.database-in-use`.
  package func check() throws {
    guard let first, let words else { return }
    throw BackupError(
      "restore.database-in-use", kind: .busy, message: "Database is locked: \(words)",
      remedy: "Save the rows from that program first, if they are newer than the backup (EXPORT DATABASE 'DIR'). Then "
        + "close it\(first > 0 ? " (kill \(first) asks it to end)" : ""), or wait for it: --wait 10m. When it closes, "
        + "DuckDB removes the WAL that lies here by then.",
      holder: OtherProcess.name(of: first))
  }
}
