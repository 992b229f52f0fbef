internal import Files
internal import MLflow
internal import Store
internal import SystemPackage

/// Looks at an MLflow store that nobody writes to: a restored one, or the one in a backup.
///
/// Its databases must be right, ready models must have their artifacts and runs their directories, and the ids that
/// DuckDB names must exist. Runs and models that were not finished are not reported.
package struct MLflowLinks {
  /// The most missing things that are named one by one.
  private static let maximumNamed = 1000

  /// The folder of the store; nil when there is no store.
  private let root: FilePath?
  /// What its files are called in a finding.
  private let displayPath: EntryPath
  /// Where the store was when it was backed up: its records still name that place.
  private let recorded: [FilePath]
  private let files: any FileSystem

  /// The store as a restore put it into a directory.
  init(restored target: FilePath, _ metadata: BackupMetadata?, files: any FileSystem) throws {
    let isFlat = metadata?.mlflowLayout == "flat"
    try self.init(
      isFlat ? target : target.appending("mlflow"), displayPath: BackupLayout.mlflow, metadata: metadata, files: files)
  }

  /// The store in a backup.
  init(backup: any StoredBackup, _ metadata: BackupMetadata?, files: any FileSystem) throws {
    let store = try backup.store()
    try self.init(
      store.map { try backup.materialize($0) }, displayPath: store ?? BackupLayout.mlflow, metadata: metadata,
      files: files)
  }

  private init(_ root: FilePath?, displayPath: EntryPath, metadata: BackupMetadata?, files: any FileSystem) throws {
    self.files = files
    self.displayPath = displayPath
    let isThere = try metadata?.includesMLflow != false && root.map { try files.exists($0) } ?? false
    self.root = isThere ? root : nil
    recorded = [metadata?.mlflowDirectory, metadata?.realMLflowDirectory].compactMap { text in
      text.flatMap { ByteText.bytes(of: $0.utf8) }.map { FilePath(bytes: $0) }
    }
  }

  /// Everything that is wrong.
  /// - Parameter experiments: the ids that DuckDB names, by table.
  func findings(_ experiments: [(table: String, ids: [String])], notices: inout [String]) throws -> [Finding] {
    guard let root else {
      if !experiments.isEmpty {
        notices.append("the backup holds no MLflow directory: ids in DuckDB were not looked up")
      }
      return []
    }
    var findings: [Finding] = []
    var ids: Set<String> = []
    for database in try MLflowStore.databases(in: OpenFile(root, mode: [.directory], files: files)) {
      let path = displayPath / database
      let place = root.appending(database.path.components)
      do throws(SQLiteError) {
        findings += try SQLiteFile.integrityProblems(of: place).map { Finding(.sqlite, path: path, detail: $0) }
        findings += try SQLiteFile.foreignKeyProblems(of: place).map { Finding(.sqlite, path: path, detail: $0) }
        let records = try TrackingRecords(place)
        ids.formUnion(records.ids)
        findings += records.ready.compactMap { missing($0, root: root) }
      } catch {
        findings.append(Finding(.sqlite, path: path, detail: error.message))
      }
    }
    var store = FileStoreLinks(root, displayPath: displayPath, tracked: ids, files: files) {
      missing($0, root: root, mayBeEmpty: $1)
    }
    try store.read()
    findings += store.findings
    ids.formUnion(store.ids)
    for (table, named) in experiments {
      findings += named.filter { !ids.contains($0) }.map {
        Finding(
          .link, path: BackupLayout.database,
          detail: "\(table) names \($0), which is not an experiment or run in MLflow")
      }
    }
    return Array(findings.prefix(Self.maximumNamed))
  }

  /// A ready model whose artifacts belong to the store and are not there.
  private func missing(
    _ artifacts: TrackingRecords.Artifacts, root: FilePath, mayBeEmpty: Bool = false
  ) -> Finding? {
    guard let path = ArtifactScan.localPath(of: artifacts.location),
      let recorded = recorded.first(where: { path.starts(with: $0) })
    else { return nil }
    var rest = path
    guard rest.removePrefix(recorded), !holdsSomething(root.pushing(rest), mayBeEmpty: mayBeEmpty),
      let displayPath: EntryPath = EntryPath(validating: rest.bytes).flatMap({ displayPath / $0 })
    else { return nil }
    return Finding(.missing, path: displayPath, detail: "the artifacts of \(artifacts.name)")
  }

  /// Whether there is a file, or a folder that is not empty: artifacts always have contents.
  private func holdsSomething(_ path: FilePath, mayBeEmpty: Bool) -> Bool {
    do {
      guard let status = try files.statusIfPresent(path) else { return false }
      if mayBeEmpty || status.kind != .directory { return true }
      // The variable keeps the folder open until its names are read.
      let folder = try OpenFile(path, mode: [.directory], files: files)
      let isEmpty = try files.entries(of: folder.descriptor).isEmpty
      try folder.close()
      return !isEmpty
    } catch {
      // The walk beside the lists reports what cannot be read.
      return true
    }
  }
}
