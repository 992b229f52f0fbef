internal import Backup
internal import DuckDBEngine
internal import DuckDBFile
internal import Files
internal import Stacks
internal import Store
internal import SystemPackage

extension Diagnosis {
  /// The size of a WAL that is suspicious, in bytes.
  ///
  /// DuckDB makes a checkpoint by itself when the WAL reaches 16 MB (`checkpoint_threshold`). A WAL of several times
  /// that size occurs only while a transaction stays open.
  private static let largeWALBytes: Int64 = 64 << 20

  /// The library that proofs and questions need.
  func engine() throws -> [DiagnosisRow] {
    do {
      let (version, library) = try EngineRun(files: files).identify()
      return [DiagnosisRow("engine", state: .good, detail: "DuckDB \(version), \(library)")]
    } catch let error as EngineError {
      let error = BackupError(error, doing: "loading DuckDB's library")
      return [
        DiagnosisRow(
          "engine", state: .warning, detail: "\(error.message): backups work, drills and validation do not",
          remedy: error.remedy)
      ]
    }
  }

  /// Checks that the database can be read, which DuckDB wrote it, and which process has it open.
  func database() throws -> [DiagnosisRow] {
    guard try files.exists(stack.database) else {
      guard let former = try formerHolder() else { throw BackupError.sourceNotFound(stack.database) }
      return [
        DiagnosisRow(
          "database", state: .failure, detail: "there is no database at \(stack.database.text)", remedy: "hrp recover"),
        former,
      ]
    }
    let found = try Inspection(stack.database, files: files, time: time)
    let written =
      "\(stack.database.text), \(ByteCount.text(found.fileBytes)), storage version \(found.main.storageVersion)"
      + (found.main.libraryVersion.isEmpty ? "" : ", written by DuckDB \(found.main.libraryVersion)")
    guard found.state != nil else {
      return [
        DiagnosisRow(
          "database", state: .warning, detail: "\(written), encrypted: it is backed up only while nobody has it open")
      ]
    }
    return [try reading(written), try formerHolder() ?? holders(found)]
  }

  /// What the engine says of a hot copy.
  private func reading(_ written: String) throws -> DiagnosisRow {
    let health = try LiveDatabase(stack, files: files, time: time).health(expecting: .found)
    if health.isReadable {
      let rows = health.tables.reduce(0) { $0 + $1.count }
      return DiagnosisRow(
        "database", state: .good,
        detail: "\(written); \(ItemCount.text(health.tables.count, of: "table")), \(rows) rows")
    }
    // Without a library the headers were still read, and a backup works.
    if health.known == .engineUnavailable || health.known == .executableNotFound {
      return DiagnosisRow(
        "database", state: .good, detail: "\(written); its tables were not counted without the engine")
    }
    let words = String(health.database.dropFirst("error: ".count))
    return DiagnosisRow(
      "database", state: .failure, detail: "\(written); \(EngineWords(words).map { "\($0.cause): " } ?? "")\(words)",
      remedy: health.remedy ?? "See how much of it is whole: hrp duckdb inspect \(ShellWord.quoted(stack.database))")
  }

  /// A program that has the database open that was here before; nil when there is none.
  private func formerHolder() throws -> DiagnosisRow? {
    try FormerHolders(of: stack.database, files: files).words.map {
      DiagnosisRow(
        "lock", state: .failure, detail: $0,
        remedy: "Save the rows from it, if you need them (EXPORT DATABASE 'DIR'), and close it before you restore.")
    }
  }

  private func holders(_ found: Inspection) -> DiagnosisRow {
    let words = [("writer", found.writer), ("reader", found.writer == nil ? found.holder : nil)]
      .compactMap { kind, pid in pid.map { "\(OtherProcess.name(of: $0)) has it open as \(kind)" } }
    return DiagnosisRow(
      "lock", state: .good,
      detail: words.first.map { "\($0): backups work, and a restore waits until it closes" } ?? "nobody has it"
    )
  }

  /// Checks the WAL: one that only grows means that a transaction stays open.
  func log() throws -> [DiagnosisRow] {
    guard try files.exists(stack.database) else { return [] }
    let found = try Inspection(stack.database, files: files, time: time)
    switch found.wal {
    case .none: return [DiagnosisRow("log", state: .good, detail: "empty: everything is in the database file")]
    case .torn:
      return [DiagnosisRow("log", state: .good, detail: "nothing but a torn header, which every engine ignores")]
    case .unreadable(let why):
      return [
        DiagnosisRow(
          "log", state: .failure, detail: why,
          remedy: "Keep a copy of database and WAL (cp -a) before any program opens them; then hrp backup list.")
      ]
    case .damaged(_, let damage):
      let error = HotCopyError.walDamaged(
        stack.database, offset: damage.offset, commitsBehind: damage.commitsBehind)
      return [DiagnosisRow("log", state: .failure, detail: error.message, remedy: error.remedy)]
    case .found(let scan, let bytes):
      let file = try files.status(stack.database, at: nil)
      let words =
        "\(ByteCount.text(bytes)), \(scan.commits) commits; the database file was last written "
        + "\(age(of: file.modifiedNanoseconds)) ago"
      guard bytes >= Self.largeWALBytes else { return [DiagnosisRow("log", state: .good, detail: words)] }
      let program = found.writer.map(OtherProcess.name) ?? "the program that writes"
      return [
        DiagnosisRow(
          "log", state: .warning,
          detail: "\(words): it only grows while a transaction stays open (or checkpoint_threshold was raised)",
          remedy: "Commit or end the open transaction in \(program), then run CHECKPOINT there.")
      ]
    }
  }
}
