private import Files
internal import GRDB
package import SystemPackage

/// A failure of SQLite on one database.
package struct SQLiteError: Error, Sendable, Equatable {
  /// The database, in readable form.
  package let path: String
  /// SQLite's result code, such as 5 for busy, 11 for corrupt.
  package let resultCode: Int32
  /// SQLite's own words.
  package let message: String

  /// Whether the database itself is damaged, or none: SQLITE_CORRUPT, SQLITE_NOTADB.
  ///
  /// Any other failure says nothing of the database.
  package var isDamage: Bool { resultCode == 11 || resultCode == 26 }
}

/// An SQLite database as a file: its mark, its sidecars, a copy of it while others write, a check of it.
///
/// SQLite's POSIX locks vanish when any descriptor of the file is closed in the same process, so the live file is only
/// ever opened by SQLite itself while SQLite has it open.
package enum SQLiteFile {
  /// The first 16 bytes of every SQLite database (https://www.sqlite.org/fileformat.html, 1.3).
  package static let magic = Array("SQLite format 3\0".utf8)

  /// The names that SQLite puts beside a database.
  package static let sidecars = ["-wal", "-shm", "-journal"]

  /// Copies a live database by SQLite's online backup: consistent, whoever writes.
  ///
  /// One step copies all pages under one read lock. The copy is left in `journal_mode=delete`, so that it is one file.
  /// Not durable yet. A writer that holds the database is waited for, up to 30 seconds.
  package static func copy(_ source: FilePath, to target: FilePath) throws(SQLiteError) {
    try translating(source) {
      var reading = Configuration()
      reading.readonly = true
      reading.busyMode = .timeout(30)
      reading.label = "hrp.source"
      let from = try DatabaseQueue(path: uri(source), configuration: reading)
      defer { ignoringFailure { try from.close() } }
      var writing = Configuration()
      writing.label = "hrp.copy"
      // The copy is hidden and thrown away after a crash: a journal for it would only cost time.
      writing.prepareDatabase { database in
        try database.execute(sql: "PRAGMA journal_mode = OFF")
        try database.execute(sql: "PRAGMA synchronous = OFF")
      }
      let to = try DatabaseQueue(path: uri(target), configuration: writing)
      try from.backup(to: to)
      try to.writeWithoutTransaction { database in
        let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = DELETE")
        guard mode == "delete" else {
          throw DatabaseError(resultCode: .SQLITE_ERROR, message: "the copy stays in journal mode \(mode ?? "?")")
        }
      }
      try to.close()
    }
  }

  /// What `PRAGMA integrity_check` complains of, at most 20 lines; empty when the database is right.
  ///
  /// The file is opened `immutable=1`: not a byte is written, no lock taken, no sidecar made.
  package static func integrityProblems(of path: FilePath) throws(SQLiteError) -> [String] {
    try reading(path) { database in
      try String.fetchAll(database, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
        .flatMap { $0.split(separator: "\n").map(String.init) }
    }
  }

  /// Rows that refer to nothing, at most 20, as `PRAGMA foreign_key_check` finds them; the file as above.
  package static func foreignKeyProblems(of path: FilePath) throws(SQLiteError) -> [String] {
    try reading(path) { database in
      let rows = try Row.fetchCursor(database, sql: "PRAGMA foreign_key_check")
      var problems: [String] = []
      while problems.count < 20, let row = try rows.next() {
        let (table, parent): (String?, String?) = (row[0], row[2])
        problems.append("a row of \(table ?? "?") refers to nothing in \(parent ?? "?")")
      }
      return problems
    }
  }

  /// Runs queries on a database that nobody writes to, without writing a byte.
  static func reading<Result>(_ path: FilePath, body: (Database) throws -> Result) throws(SQLiteError) -> Result {
    try guarded(path) { sentinel in
      var configuration = Configuration()
      configuration.readonly = true
      configuration.label = "hrp.check"
      configuration.prepareDatabase { try sentinel.protect($0) }
      let queue = try DatabaseQueue(path: uri(path, options: "?immutable=1"), configuration: configuration)
      defer { ignoringFailure { try queue.close() } }
      return try queue.read(body)
    }
  }

  /// Runs statements on a database that nobody uses yet, in one transaction; not durable.
  static func writing<Result>(_ path: FilePath, body: (Database) throws -> Result) throws(SQLiteError) -> Result {
    try guarded(path) { sentinel in
      var configuration = Configuration()
      configuration.label = "hrp.staged"
      // Foreign keys are not our task here, and a stranger could make their checks run without end.
      configuration.foreignKeysEnabled = false
      configuration.prepareDatabase { try sentinel.protect($0) }
      // A crash throws the staged database away: a journal on the disk would only cost time.
      configuration.prepareDatabase { database in
        try database.execute(sql: "PRAGMA journal_mode = MEMORY")
        try database.execute(sql: "PRAGMA synchronous = OFF")
      }
      let queue = try DatabaseQueue(path: uri(path), configuration: configuration)
      defer { ignoringFailure { try queue.close() } }
      return try queue.write(body)
    }
  }

  /// The path as a URI: so every byte of it can be said, and options can follow (https://www.sqlite.org/uri.html).
  private static func uri(_ path: FilePath, options: String = "") -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-_.~".utf8)
    return "file:" + path.bytes.map { plain.contains($0) ? String(UnicodeScalar($0)) : "%" + ByteText.hex($0) }.joined()
      + options
  }

  /// Runs something on a database that a stranger may have made.
  private static func guarded<Result>(
    _ path: FilePath, body: (SQLiteGuard) throws -> Result
  ) throws(SQLiteError) -> Result {
    let sentinel = try SQLiteGuard(bytes: size(of: path))
    do throws(SQLiteError) {
      let result = try translating(path) { try body(sentinel) }
      return withExtendedLifetime(sentinel) { result }
    } catch {
      guard sentinel.isOverdue else { throw error }
      throw SQLiteError(
        path: error.path, resultCode: error.resultCode,
        message: "it works on for much longer than a database of its size takes, and was stopped")
    }
  }

  private static func size(of path: FilePath) throws(SQLiteError) -> Int64 {
    do {
      return try Kernel().status(RealPath.ofWhatExists(path), at: nil).size
    } catch {
      // As SQLite says it of a file that it cannot open.
      throw SQLiteError(path: path.text, resultCode: 14, message: "\(error)")
    }
  }

  private static func translating<Result>(
    _ path: FilePath, body: () throws -> Result
  ) throws(SQLiteError) -> Result {
    do {
      return try body()
    } catch let error as DatabaseError {
      // Only SQLite's own words: the statement's arguments would be the user's data.
      throw SQLiteError(
        path: path.text, resultCode: error.resultCode.rawValue, message: error.message ?? "\(error.resultCode)")
    } catch {
      throw SQLiteError(path: path.text, resultCode: 1, message: "\(error)")
    }
  }
}
