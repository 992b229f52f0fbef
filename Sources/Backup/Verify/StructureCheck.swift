internal import DuckDBFile
internal import Files
internal import MLflow
internal import Store
internal import SystemPackage

/// Looks into the files of a backup while they are hashed: DuckDB's blocks and WAL, SQLite's databases.
struct StructureCheck: Sendable {
  let backup: any StoredBackup
  let files: any FileSystem
  let time: any TimeSource

  func read(_ file: ContentsCheck.File, reader: ContentsReader) throws -> ContentsCheck.Reading {
    if file.path == BackupLayout.database { return try readDatabase(file, reader: reader) }
    var findings: [Finding] = []
    if file.path == BackupLayout.wal, let problem = try problemOfWAL() {
      findings.append(Finding(.wal, path: file.path, detail: problem))
    }
    findings += try sqliteFindings(file)
    return .init(digest: try reader.digest(of: file.contents, size: file.status.size), findings: findings)
  }

  /// Opens a file of the backup as one of this machine: its format is read at offsets.
  private func open(_ path: EntryPath) throws -> OpenFile {
    try OpenFile(
      backup.materialize(path), mode: [.noFollow], displayPath: FilePath(bytes: path.bytes), files: files)
  }

  private func readDatabase(_ file: ContentsCheck.File, reader: ContentsReader) throws -> ContentsCheck.Reading {
    let reading = try reader.readDatabase(open(file.path), size: file.status.size, at: file.path)
    return .init(
      digest: reading.digest, findings: reading.findings,
      notice: reading.notice.map { "\($0): only its checksum was compared" })
  }

  /// What is wrong with the WAL of the backup's database.
  private func problemOfWAL() throws -> String? {
    var database: StorageState?
    do {
      if try backup.status(of: BackupLayout.database) != nil {
        database = try DatabaseFile(sealed: open(BackupLayout.database), time: time).state()
      }
    } catch let error as HotCopyError {
      switch error {
      // The WAL of such a database cannot be read either.
      case .encrypted, .unknownVersion: return nil
      // Damage of the database is reported where it is read; the WAL has checksums of its own.
      default: break
      }
    }
    return try WALAudit.problem(of: open(BackupLayout.wal), state: database)
  }

  /// Checks a database that lies at the top of the MLflow directory, where tracking databases do.
  private func sqliteFindings(_ file: ContentsCheck.File) throws -> [Finding] {
    let path = file.path
    guard BackupLayout.stores.contains(where: { path.isDirectly(in: $0) }) else { return [] }
    let head = try file.contents.read(count: SQLiteFile.magic.count, at: 0)
    guard head == SQLiteFile.magic else {
      // Only a tracking database has this name; SQLite leaves it empty before its first table.
      guard path.name == FileName("mlflow.db"), !head.isEmpty else { return [] }
      return [Finding(.sqlite, path: path, detail: "it does not begin as an SQLite database does")]
    }
    let place = try backup.materialize(path)
    do throws(SQLiteError) {
      return try SQLiteFile.integrityProblems(of: place).map { Finding(.sqlite, path: path, detail: $0) }
    } catch {
      return [Finding(.sqlite, path: path, detail: error.message)]
    }
  }
}
