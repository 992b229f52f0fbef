/// What DuckDB's own error texts mean, and what to do.
///
/// The texts are those of the sources and were seen with 1.4.5, 1.5.6 and 2.0.0 (`single_file_block_manager.cpp`,
/// `storage_info.cpp`, `wal_replay.cpp`, `local_file_system.cpp`, `error_data.cpp`).
package struct EngineWords: Sendable, Equatable {
  /// What it is, in a few words.
  package let cause: String
  /// What to do: a sentence with a command.
  package let remedy: String
  /// Whether the database is at fault, and not the machine or the program.
  package let isOfDatabase: Bool

  private struct Known {
    /// Any of these in the text.
    let marks: [String]
    let cause: String
    let remedy: String
    var isOfDatabase = true
  }

  /// The first entry that matches counts, so special texts come before general ones.
  private static let known = [
    Known(
      marks: ["Could not set lock on file", "Conflicting lock is held"],
      cause: "another process has the database open",
      remedy: "Close the program that it names (see hrp duckdb inspect FILE), or leave it open: "
        + "hrp's own commands work beside it.", isOfDatabase: false),
    Known(
      marks: ["newer version of DuckDB", "we can only read version", "not compatible with the current version"],
      cause: "the database was written by another version of DuckDB, and is not damaged",
      remedy: "Use a newer DuckDB; hrp duckdb inspect FILE says which version wrote it.", isOfDatabase: false),
    Known(
      marks: ["WAL checkpoint iteration does not match", "does not match the database file"],
      cause: "the WAL beside the database belongs to another state of it, as after a restore of the database alone",
      remedy: "Do not delete the WAL yet. Restore database and WAL together: hrp recover"),
    Known(
      marks: ["replaying WAL", "Corrupt WAL", "Corrupt Encrypted WAL"],
      cause: "the WAL cannot be replayed: it is damaged, or a bug of DuckDB wrote it",
      remedy: "Keep a copy of both files (cp -a), try the newest DuckDB on that copy, "
        + "else restore: hrp recover"),
    Known(
      marks: ["not a valid DuckDB database file"],
      cause: "the file is not a DuckDB database, or its header was overwritten",
      remedy: "Check the path (HRP_DB_PATH, HRP_DATA_DIR). Was it a database once: hrp recover"),
    Known(
      marks: ["Corrupt database file", "Corrupted ", "Database is corrupted", "Failed to read block", "Corrupt file"],
      cause: "a block of the database is damaged",
      remedy: "Keep the file as it is, check the disk (dmesg, smartctl -a), then: hrp recover"),
    Known(
      marks: ["has been invalidated"],
      cause: "a program hit a fatal error and gave the database up until it is opened again",
      remedy: "Restart that program; the first error in its log says what happened. Then run hrp doctor."),
    Known(
      marks: ["database does not exist", "No such file or directory"],
      cause: "there is no database at that path",
      remedy: "Check the path (HRP_DB_PATH, HRP_DATA_DIR); if it was deleted: hrp recover"),
    Known(
      marks: ["could not allocate", "Out of Memory", "failed to allocate"],
      cause: "the engine ran out of memory",
      remedy: "Close other programs or raise memory_limit; nothing is damaged.", isOfDatabase: false),
    Known(
      marks: ["No space left on device", "Could not write file"],
      cause: "the disk is full",
      remedy: "See what is full with df -h; nothing is damaged.", isOfDatabase: false),
  ]

  /// Returns nil when the text is none of those that are known.
  package init?(_ text: String) {
    let known = Self.known.first { known in known.marks.contains { text.contains($0) } }
    guard let known else { return nil }
    cause = known.cause
    remedy = known.remedy
    isOfDatabase = known.isOfDatabase
  }
}
