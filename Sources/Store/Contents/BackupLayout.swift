package import Files

/// The names in a backup directory.
package enum BackupLayout {
  package static let database = EntryPath("hrp.duckdb")
  package static let wal = EntryPath("hrp.duckdb.wal")
  /// Only beside an encrypted database whose last checkpoint died.
  package static let checkpointWAL = EntryPath("hrp.duckdb.wal.checkpoint")
  /// The MLflow directory, as the guide names it.
  package static let mlflow = EntryPath("mlruns")
  /// The MLflow directory in backups of the Python tool.
  package static let legacyMLflow = EntryPath("mlflow")
  package static let checksums = EntryPath("checksums.txt")
  package static let manifest = EntryPath("manifest.jsonl")
  package static let metadata = EntryPath("metadata.json")

  /// What describes the backup and is not listed in `checksums.txt`.
  package static let lists: Set<EntryPath> = [checksums, manifest, metadata]

  /// Where the MLflow directory may be in a backup.
  package static let stores = [mlflow, legacyMLflow]

  /// The part of a stack that a path of a backup belongs to.
  package static func part(of path: EntryPath) -> StackPart {
    stores.contains { path.isInside($0) } ? .mlflow : .duckdb
  }

  /// What every backup's name begins with.
  package static let prefix = "backup_"
  /// What a backup in the making, or what a crash left of one, ends with; its name begins with a dot.
  package static let partialSuffix = ".partial"

  /// The timestamp in a backup's name, which is local time, in nanoseconds since 1970 UTC.
  ///
  /// The form is `backup_YYYYMMDD_HHMMSS`; a suffix `_2` of a second backup in that second is passed over. nil for
  /// other names.
  package static func timestamp(ofName name: FileName) -> Int64? {
    let text = String(decoding: name.bytes, as: UTF8.self)
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.dropFirst().allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      parts.count == 3 || parts.count == 4, parts[0] == "backup", parts[1].count == 8, parts[2].count == 6,
      let date = UInt32(parts[1]), let clock = UInt32(parts[2]), parts.count == 3 || UInt16(parts[3]) != nil
    else { return nil }
    let (year, month, day) = (Int(date / 10_000), Int(date / 100 % 100), Int(date % 100))
    let (hour, minute, second) = (Int(clock / 10_000), Int(clock / 100 % 100), Int(clock % 100))
    guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61 else { return nil }
    return LocalTime.nanoseconds(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
  }
}
