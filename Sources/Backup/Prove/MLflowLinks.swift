internal import Files
internal import MLflow
internal import SystemPackage

/// Looks at a restored MLflow store.
///
/// Its databases are right, ready models have their artifacts, and what DuckDB names of it is there.
struct MLflowLinks {
  /// The most missing things that are named one by one.
  private static let maximumNamed = 1000

  /// The store as it was restored; nil: there is none.
  private let root: FilePath?
  /// Where the store was when it was backed up: its records still name that place.
  private let recorded: FilePath?
  private let isFlat: Bool
  private let files: any FileSystem

  init(restored target: FilePath, _ metadata: BackupMetadata?, files: any FileSystem) {
    self.files = files
    isFlat = metadata?.mlflowLayout == "flat"
    let root = isFlat ? target : target.appending("mlflow")
    self.root = metadata?.includesMLflow == false || (try? files.exists(root)) != true ? nil : root
    recorded = metadata?.mlflowDirectory.flatMap { ByteText.bytes(of: $0.utf8) }.map { FilePath(bytes: $0) }
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
    var ids = try idsOfFileStore(root)
    for database in try databases(in: root) {
      let path = BackupLayout.mlflow / database
      let place = root.appending(database.path.components)
      do throws(SQLiteError) {
        findings += try SQLiteFile.integrityProblems(of: place).map { Finding(.sqlite, path, $0) }
        findings += try SQLiteFile.foreignKeyProblems(of: place).map { Finding(.sqlite, path, $0) }
        let records = try TrackingRecords(place)
        ids.formUnion(records.ids)
        findings += records.ready.compactMap { missing($0, root) }
      } catch {
        findings.append(Finding(.sqlite, path, error.message))
      }
    }
    for (table, named) in experiments {
      findings += named.filter { !ids.contains($0) }.map {
        Finding(.link, BackupLayout.database, "\(table) names \($0), which is no experiment or run in MLflow")
      }
    }
    return Array(findings.prefix(Self.maximumNamed))
  }

  /// The SQLite databases at the top of the store.
  private func databases(in root: FilePath) throws -> [FileName] {
    let folder = try OpenFile(root, [.directory], files: files)
    return try files.entries(of: folder.descriptor).map(\.name).sorted().filter { name in
      guard let file = try? OpenFile(name.path, at: folder.descriptor, [.noFollow], files: files),
        (try? file.status().kind) == .regular
      else { return false }
      return try file.read(count: SQLiteFile.magic.count, at: 0) == SQLiteFile.magic
    }
  }

  /// A ready model whose artifacts belong to the store and are not there.
  private func missing(_ artifacts: TrackingRecords.Artifacts, _ root: FilePath) -> Finding? {
    guard let recorded, let path = ArtifactSurvey.localPath(of: artifacts.location), path.starts(with: recorded)
    else { return nil }
    var rest = path
    guard rest.removePrefix(recorded), (try? files.exists(root.pushing(rest))) == false,
      let shown: EntryPath = EntryPath(validating: rest.bytes).flatMap({ BackupLayout.mlflow / $0 })
    else { return nil }
    return Finding(.missing, shown, "the artifacts of \(artifacts.name)")
  }

  /// Names of experiments' and runs' folders, by which a file store knows them.
  private func idsOfFileStore(_ root: FilePath) throws -> Set<String> {
    var ids: Set<String> = []
    for store in [root, root.appending("mlruns")] where try files.exists(store) {
      for experiment in try folders(in: store) {
        let place = store.appending(experiment.path.components)
        guard try files.exists(place.appending("meta.yaml")) else { continue }
        ids.insert(ByteText.escaped(experiment.bytes))
        for run in try folders(in: place) { ids.insert(ByteText.escaped(run.bytes)) }
      }
    }
    return ids
  }

  private func folders(in path: FilePath) throws -> [FileName] {
    let folder = try OpenFile(path, [.directory], files: files)
    return try files.entries(of: folder.descriptor).filter { $0.kind == .directory || $0.kind == .unknown }.map(\.name)
  }
}
