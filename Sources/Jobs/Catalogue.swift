package import Backup
package import Files
internal import GRDB
private import MLflow
package import Stacks
package import Store
package import SystemPackage

// An index of backups and proofs, and the history of jobs: an SQLite database in the data directory.
//
//   C1  No operation depends on it: the facts are in the backup directory. Listing, verifying and restoring never need
//       it, and no operation fails when it is missing or cannot be read. It remembers where backups were made, so that
//       a disk that is not mounted is not taken for a new place (`BackupPlace`).
//   C2  When it is lost or damaged, it is created again from the backup directory. A damaged one is set aside, and the
//       history tells when it begins. Example: somebody deletes `hrp-catalogue.db`. The next job lists all backups in a
//       new one, and says that the history of jobs begins now.
//   C3  It does not grow without limit: only the newest jobs are kept.

/// The catalogue of a data directory.
package final class Catalogue: Sendable {
  /// The name in the data directory.
  package static let name = FilePath("hrp-catalogue.db")
  /// C3.
  private static let maximumJobs = 10_000

  let queue: DatabaseQueue
  private let backups: FilePath
  private let files: any FileSystem
  let time: any TimeSource

  /// Set when history was lost: what to tell the user.
  package let loss: String?

  /// Opens the catalogue, or makes it anew (C2).
  ///
  /// - Parameter backups: the directory that it is made anew from.
  /// - Throws: what SQLite says; nobody's operation depends on it (C1).
  package init(in dataDirectory: FilePath, backups: FilePath, files: any FileSystem, time: any TimeSource) throws {
    let path = dataDirectory.appending(Self.name.components)
    self.backups = RealPath.ofWhatExists(backups)
    self.files = files
    self.time = time
    let wasThere = try files.exists(path)
    var loss: String?
    do {
      queue = try Self.open(path)
    } catch let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
      loss = "the catalogue was damaged and is set aside: the history of jobs begins anew"
      try Self.setAside(path, files: files)
      queue = try Self.open(path)
    }
    // What root makes in a user's stack is the user's to go on with.
    if !wasThere { try files.give(path, at: nil, to: files.status(dataDirectory.appending("."), at: nil).owner) }
    let isNew =
      try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM setting WHERE name = 'history_since'") ?? 0 }
      == 0
    if isNew {
      // There are backups and no catalogue: it was lost, or the Python tool made the backups.
      if !wasThere, forPeople({ try BackupDirectory(backups, files: files).list().isEmpty }) == false {
        loss = "there was no catalogue: the history of jobs begins now"
      }
      try queue.write {
        try $0.execute(
          sql: "INSERT INTO setting VALUES ('history_since', ?)",
          arguments: [LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset])
      }
    }
    self.loss = loss
    // The end of each job keeps it up to date.
    if isNew { try index() }
  }

  private static func open(_ path: FilePath) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(5)
    configuration.label = "hrp.catalogue"
    let queue = try DatabaseQueue(path: path.string, configuration: configuration)
    try queue.write { database in
      guard try String.fetchOne(database, sql: "PRAGMA quick_check(1)") == "ok" else {
        throw DatabaseError(resultCode: .SQLITE_CORRUPT)
      }
      try database.execute(
        sql: """
          CREATE TABLE IF NOT EXISTS setting(name TEXT PRIMARY KEY, value TEXT NOT NULL);
          CREATE TABLE IF NOT EXISTS backup(
            path TEXT PRIMARY KEY, directory TEXT NOT NULL, created_at REAL, size_bytes INTEGER,
            verified INTEGER NOT NULL, complete INTEGER NOT NULL, pinned INTEGER NOT NULL,
            proof_at TEXT, proof_ok INTEGER, proof_engine TEXT);
          CREATE TABLE IF NOT EXISTS job(
            id INTEGER PRIMARY KEY AUTOINCREMENT, operation TEXT NOT NULL, status TEXT NOT NULL, pid INTEGER NOT NULL,
            began_at TEXT NOT NULL, ended_at TEXT, code TEXT, message TEXT NOT NULL);
          """ + slotTable + copyTable + noticeTable)
    }
    return queue
  }

  private static func setAside(_ path: FilePath, files: any FileSystem) throws {
    try files.renameReplacing(path, at: nil, to: FilePath(path.string + ".damaged"), at: nil)
    for suffix in SQLiteFile.sidecars where try files.exists(FilePath(path.string + suffix)) {
      try files.remove(FilePath(path.string + suffix), at: nil)
    }
  }

  /// Why the catalogue of a data directory cannot be used, for what depends on its records alone.
  /// - Parameter error: what opening it, reading it or writing to it said.
  package static func unusable(in dataDirectory: FilePath, error: any Error) -> BackupError {
    let path = ShellWord.quoted(dataDirectory.appending(name.components))
    return BackupError(
      "catalogue.unusable", kind: .failed,
      message: "the records of the scheduler cannot be used: \(dataDirectory.appending(name.components).text)",
      remedy:
        "Make the file readable and writable for the user who runs hrp (ls -l \(path)), or move it away: hrp makes "
        + "another one.", cause: "\(error)")
  }

  /// Opens the catalogue of a stack, or makes it anew (C2).
  /// - Throws: what SQLite says; nobody's operation depends on it (C1).
  package convenience init(of stack: Stack, files: any FileSystem, time: any TimeSource) throws {
    try self.init(in: stack.dataDirectory, backups: stack.backupDirectory, files: files, time: time)
  }

  /// The catalogue of a stack; nil when there is none: a command that only looks does not create one.
  /// - Throws: `SystemError`; what SQLite says.
  package static func existing(of stack: Stack, files: any FileSystem, time: any TimeSource) throws -> Catalogue? {
    guard try files.exists(stack.dataDirectory.appending(Self.name.components)) else { return nil }
    return try Catalogue(of: stack, files: files, time: time)
  }

  /// The catalogue of a stack, if there is one that can be read (C1).
  package static func ifPresent(of stack: Stack, files: any FileSystem, time: any TimeSource) -> Catalogue? {
    forPeople { try existing(of: stack, files: files, time: time) } ?? nil
  }

  /// Changes what only the catalogue of a stack knows, such as a pause.
  /// - Throws: `BackupError` `catalogue.unusable`.
  package static func change<Result>(
    _ stack: Stack, files: any FileSystem, time: any TimeSource, body: (Catalogue) throws -> Result
  ) throws(BackupError) -> Result {
    do {
      return try body(Catalogue(of: stack, files: files, time: time))
    } catch {
      throw unusable(in: stack.dataDirectory, error: error)
    }
  }

  /// Records what is in the backup directory now; the old record stays when the directory cannot be reached.
  ///
  /// The old record stays, too, when none of the known backups is there: it may be an empty mount point.
  package func index() throws {
    let found: [ListedBackup]
    do { found = try BackupDirectory(backups, files: files).list() } catch { return }
    try queue.write { database in
      let known = try Self.known(in: backups, database)
      guard known.isEmpty || found.contains(where: known.contains) else { return }
      try database.execute(sql: "DELETE FROM backup WHERE directory = ?", arguments: [backups.text])
      for backup in found { try write(backup, in: database) }
      try noteIndexed(database)
    }
  }

  private func write(_ backup: ListedBackup, in database: Database) throws {
    let proof = backup.proof.value
    try database.execute(
      sql: "INSERT OR REPLACE INTO backup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        backup.path.text, backups.text, backup.timestamp.map { Double($0) / 1e9 }, backup.metadata?.sizeBytes,
        backup.metadata?.verified ?? false, backup.metadata?.complete ?? true, backup.pin.mayBeThere, proof?.at,
        proof?.isOK, proof?.engine,
      ])
  }

  private func noteIndexed(_ database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO setting VALUES ('indexed_at', ?)", arguments: [String(time.nowNanoseconds)])
  }

  /// Brings the catalogue up to date after a job: only what is new is read.
  package func refresh() throws {
    let directory = BackupDirectory(backups, files: files)
    guard let names = forPeople({ try directory.names() }) else { return }
    let known = try queue.read { try String.fetchAll($0, sql: Self.paths, arguments: [backups.text]) }
    let paths = Dictionary(names.map { (backups.appending($0.path.components).text, $0) }) { left, _ in left }
    let since = try queue.read { try Int64.fetchOne($0, sql: "SELECT value FROM setting WHERE name = 'indexed_at'") }
    // After a rename, a move, or a change of pins or proofs, everything must be read again.
    guard let since, !directory.notesHaveChanged(since: since), known.contains(where: { paths[$0] != nil }) else {
      return try index()
    }
    let isKnown = Set(known)
    let read = names.filter { !isKnown.contains(backups.appending($0.path.components).text) }
    let found = try read.compactMap { try directory.backup($0) }
    try queue.write { database in
      for path in known where paths[path] == nil {
        try database.execute(sql: "DELETE FROM backup WHERE path = ?", arguments: [path])
      }
      for backup in found { try write(backup, in: database) }
      try noteIndexed(database)
    }
  }

  private static let paths = "SELECT path FROM backup WHERE directory = ?"

  /// What was seen in a directory.
  ///
  /// A directory is known by where it really is: it may be named through a symlink the next time.
  package func known(in directory: FilePath) throws -> KnownBackups {
    try queue.read { database in
      let here = try Self.known(in: RealPath.ofWhatExists(directory), database)
      return try here.isEmpty ? Self.known(in: directory, database) : here
    }
  }

  private static func known(in directory: FilePath, _ database: Database) throws -> KnownBackups {
    KnownBackups(
      try Row.fetchAll(
        database, sql: "SELECT path, created_at, size_bytes FROM backup WHERE directory = ? ORDER BY created_at DESC",
        arguments: [directory.text]
      ).map { (path: $0["path"], createdAt: $0["created_at"], sizeBytes: $0["size_bytes"]) })
  }

  /// Forgets what was seen in a directory: it begins anew.
  package func forget(_ directory: FilePath) throws {
    try queue.write {
      try $0.execute(sql: "DELETE FROM backup WHERE directory = ?", arguments: [directory.text])
    }
  }

  /// When the history begins, ISO 8601 with offset.
  package func historySince() throws -> String? { try setting("history_since") }

  /// What is noted under a name; nil when nothing is.
  func setting(_ name: String) throws -> String? {
    try queue.read { try String.fetchOne($0, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name]) }
  }

  /// Notes a text under a name, in place of the one before.
  func write(_ text: String, toSetting name: String) throws {
    try queue.write {
      try $0.execute(sql: "INSERT OR REPLACE INTO setting VALUES (?, ?)", arguments: [name, text])
    }
  }

  // MARK: - Jobs

  /// Notes that an operation of this process begins.
  /// - Returns: its number.
  func begin(_ operation: String, at timestamp: Int64) throws -> Int64 {
    try queue.write { database in
      try database.execute(
        sql: "INSERT INTO job(operation, status, pid, began_at, message) VALUES (?, 'running', ?, ?, '')",
        arguments: [operation, ThisProcess.pid, LocalTime(nanoseconds: timestamp).iso8601WithOffset])
      let id = database.lastInsertedRowID
      try database.execute(sql: "DELETE FROM job WHERE id <= ?", arguments: [id - Int64(Self.maximumJobs)])
      return id
    }
  }

  /// Notes how it ended.
  /// - Parameter code: the code of its error; nil when it did not fail.
  func end(_ id: Int64, code: String?, message: String, at timestamp: Int64) throws {
    try queue.write {
      try $0.execute(
        sql: "UPDATE job SET status = ?, code = ?, message = ?, ended_at = ? WHERE id = ?",
        arguments: [
          code == nil ? "completed" : "failed", code, message, LocalTime(nanoseconds: timestamp).iso8601WithOffset, id,
        ])
    }
  }

  /// The newest jobs, newest first.
  package func jobs(limit: Int) throws -> [Job] {
    try queue.read { database in
      try Row.fetchAll(database, sql: "SELECT * FROM job ORDER BY id DESC LIMIT ?", arguments: [limit]).map { row in
        // A status word that only a newer program knows counts as completed.
        let status = Job.Status(rawValue: row["status"]) ?? .completed
        let isGone = status == .running && !OtherProcess.isAlive(row["pid"])
        return Job(
          id: row["id"], operation: row["operation"], status: isGone ? .interrupted : status,
          beganAt: row["began_at"], endedAt: row["ended_at"], code: row["code"], message: row["message"])
      }
    }
  }
}
