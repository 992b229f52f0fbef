internal import Backup
internal import Files
internal import MLflow
internal import SystemPackage

/// Looks whether the databases of an MLflow store in use can be read.
struct StoreProblem {
  /// What is wrong with the first unreadable database, as a sentence without a full stop; nil when all can be read.
  ///
  /// While others may write, SQLite alone may read a database: a copy of it is looked at.
  /// - Throws: `SystemError`, `BackupError` of the scratch directory.
  static func find(in store: MLflowStore, scratch: FilePath, files: any FileSystem) throws -> String? {
    let folder = try OpenFile(store.directory, mode: [.directory], files: files)
    let known = try Set(MLflowStore.databases(in: folder))
    for entry in try files.entries(of: folder.descriptor).sorted(by: { $0.name < $1.name })
    where entry.name.bytes.suffix(3).elementsEqual(".db".utf8) && store.holds(entry.name) {
      let status = try files.status(entry.name.path, at: folder.descriptor)
      guard status.kind == .regular, status.size > 0 else { continue }
      let path = store.directory.appending(entry.name.path.components)
      guard known.contains(entry.name) else { return "\(path.text) is not an SQLite database" }
      let scratch = try Scratch(in: scratch, files: files)
      defer { scratch.remove() }
      if let problem = try problem(of: path, copy: scratch.path.appending("copy.db")) {
        return "\(path.text): \(problem)"
      }
    }
    return nil
  }

  private static func problem(of path: FilePath, copy: FilePath) throws(SQLiteError) -> String? {
    do throws(SQLiteError) {
      try SQLiteFile.copy(path, to: copy)
      return try SQLiteFile.integrityProblems(of: copy).first
    } catch {
      // SQLITE_CORRUPT, SQLITE_NOTADB; what else stands against it says nothing of the database.
      guard error.resultCode == 11 || error.resultCode == 26 else { throw error }
      return error.message
    }
  }
}
