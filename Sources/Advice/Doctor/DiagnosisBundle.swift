internal import DuckDBFile
package import Files
package import Stacks
internal import Store
package import SystemPackage

/// Everything that a bug report needs in one text file, without names of people and machines and without contents.
package struct DiagnosisBundle {
  /// Bytes of the log's end that go in.
  private static let maximumLogBytes = 64 << 10

  private let stack: Stack
  private let files: any FileSystem
  private let time: any TimeSource

  package init(_ stack: Stack, files: any FileSystem, time: any TimeSource) {
    self.stack = stack
    self.files = files
    self.time = time
  }

  /// Writes the bundle to a new file that only its owner may read.
  /// - Throws: `SystemError`; an existing file is not replaced.
  package func write(_ rows: [DiagnosisRow], to path: FilePath) throws {
    try BackupError.checkOutsideOfBackups(path, files: files)
    let text = Redaction().apply(sections(rows).map { "== \($0.0)\n\($0.1)\n" }.joined(separator: "\n"))
    let file = try OpenFile(path, mode: [.write, .create, .exclusive], permissions: 0o600, files: files)
    try file.write(Array(text.utf8), at: 0)
    try file.synchronize()
    try file.close()
  }

  private func sections(_ rows: [DiagnosisRow]) -> [(String, String)] {
    let lines = rows.map { row in
      "\(row.state.mark) \(row.name): \(row.detail)" + (row.remedy.map { "\n    → \($0)" } ?? "")
    }
    return [
      ("hrp \(Version.current), \(LocalTime(nanoseconds: time.nowNanoseconds).iso8601WithOffset)", system),
      ("doctor", lines.joined(separator: "\n")), ("environment", environment), ("database", database),
      ("backups", backups), ("the end of logs/backup.log", log),
    ]
  }

  private var system: String {
    ["/etc/os-release", "/proc/version"].compactMap { path in
      forPeople { try OpenFile(path, files: files).read(count: 4096, at: 0) }
    }.map { String(decoding: $0, as: UTF8.self) }.joined()
  }

  /// Which of our variables are set; values only of those that hold paths.
  private var environment: String {
    let names = [
      "HRP_DATA_DIR", "HRP_DB_PATH", "HRP_BACKUP_DIR", "MLFLOW_TRACKING_URI", "HRP_DUCKDB_LIBRARY", "TMPDIR",
    ]
    return names.map { "\($0)=\(ThisProcess.environment($0) ?? "(not set)")" }.joined(separator: "\n")
  }

  private var database: String {
    do {
      let found = try Inspection(stack.database, files: files, time: time)
      let state = found.state
      return """
        bytes \(found.fileBytes), storage version \(found.main.storageVersion), library \(found.main.libraryVersion)
        iteration \(state.map { "\($0.header.iteration)" } ?? "-"), block size \(state?.geometry.allocationSize ?? 0)
        blocks in use \(state?.freeList.inUse.count ?? 0), metadata \(state?.freeList.metadata.count ?? 0), \
        free \(state?.freeList.free.count ?? 0)
        log \(found.wal)
        checkpoint log \(found.checkpointWAL)
        """
    } catch {
      return BackupError(error, doing: "reading the database").message
    }
  }

  private var backups: String {
    let all: [ListedBackup]
    do { all = try BackupDirectory(stack.backupDirectory, files: files).list() } catch {
      return BackupError(error, doing: "listing the backups").message
    }
    return all.prefix(50).map { backup in
      let metadata = backup.metadata
      let proof =
        backup.proof.value.map {
          ", \($0.level.rawValue) \($0.isOK ? "passed" : "failed") \($0.at) DuckDB \($0.engine)"
        } ?? ""
      return "\(ByteText.escaped(backup.name.bytes)): \(metadata?.sizeBytes ?? -1) bytes, "
        + "\(metadata?.filesCount ?? -1) files, verified \(metadata?.verified ?? false)\(proof)"
    }.joined(separator: "\n")
  }

  private var log: String {
    let path = stack.dataDirectory.appending("logs").appending("backup.log")
    do {
      guard let file = try OpenFile.ifPresent(path, mode: [.noFollow], files: files) else { return "none" }
      let start = max(0, try file.status().size - Int64(Self.maximumLogBytes))
      return String(decoding: try file.read(count: Self.maximumLogBytes, at: start), as: UTF8.self)
    } catch {
      return BackupError(error, doing: "reading the log").message
    }
  }
}
