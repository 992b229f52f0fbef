internal import DuckDBFile
internal import Files
internal import MLflow
internal import Store
internal import SystemPackage

/// Looks into the files of a backup while they are hashed: DuckDB's blocks and WAL, SQLite's databases.
struct StructureCheck: Sendable {
  let backup: FilePath
  let files: any FileSystem
  let time: any TimeSource

  func read(_ file: OpenFile, stored: ContentsCheck.File, reader: ContentsReader) throws -> ContentsCheck.Reading {
    if stored.path == BackupLayout.database { return try readDatabase(file, stored: stored, reader: reader) }
    var findings: [Finding] = []
    if stored.path == BackupLayout.wal, let problem = try problem(ofWAL: file) {
      findings.append(Finding(.wal, path: stored.path, detail: problem))
    }
    findings += try sqliteFindings(file, path: stored.path)
    return .init(digest: try reader.digest(of: file, size: stored.status.size), findings: findings)
  }

  private func readDatabase(
    _ file: OpenFile, stored: ContentsCheck.File, reader: ContentsReader
  ) throws -> ContentsCheck.Reading {
    let reading = try reader.readDatabase(file, size: stored.status.size, at: stored.path)
    return .init(
      digest: reading.digest, findings: reading.findings,
      notice: reading.notice.map { "\($0): only its checksum was compared" })
  }

  /// What is wrong with the WAL of the backup's database.
  private func problem(ofWAL file: OpenFile) throws -> String? {
    var database: StorageState?
    do {
      let path = backup.appending(BackupLayout.database.name.path.components)
      let opened = try OpenFile(path, mode: [.noFollow], files: files)
      database = try DatabaseFile(sealed: opened, time: time).state()
    } catch let error as HotCopyError {
      switch error {
      // Such a database hides its WAL as well.
      case .encrypted, .unknownVersion: return nil
      // Its damage is told where it is read, and the WAL has its own checksums.
      default: break
      }
    } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {
      // The WAL still has its own checksums.
    }
    return try WALAudit.problem(of: file, state: database)
  }

  /// Checks a database that lies at the top of the MLflow directory, where tracking databases do.
  private func sqliteFindings(_ file: OpenFile, path: EntryPath) throws -> [Finding] {
    guard path.isDirectly(in: BackupLayout.mlflow) || path.isDirectly(in: BackupLayout.legacyMLflow) else { return [] }
    let head = try file.read(count: SQLiteFile.magic.count, at: 0)
    guard head == SQLiteFile.magic else {
      // Nothing else is ever called that; an empty one is what SQLite makes before its first table.
      guard path.name == FileName("mlflow.db"), !head.isEmpty else { return [] }
      return [Finding(.sqlite, path: path, detail: "it does not begin as an SQLite database does")]
    }
    do throws(SQLiteError) {
      return try SQLiteFile.integrityProblems(of: backup.pushing(FilePath(bytes: path.bytes)))
        .map { Finding(.sqlite, path: path, detail: $0) }
    } catch {
      return [Finding(.sqlite, path: path, detail: error.message)]
    }
  }
}
