internal import Files
internal import MLflow
internal import Store
internal import SystemPackage

/// Checks the part of a store that MLflow keeps in files: a folder for each experiment, in it one for each run.
///
/// The layout is that of `mlflow/store/tracking/file_store.py` and `mlflow/store/model_registry/file_store.py`, 2.x and
/// 3.x: `EXPERIMENT/meta.yaml`, `EXPERIMENT/RUN/meta.yaml`, `EXPERIMENT/models/MODEL/meta.yaml`,
/// `models/NAME/version-N/meta.yaml`.
struct FileStoreLinks {
  private static let metaName = FilePath("meta.yaml")
  /// 1 is RUNNING (`mlflow.entities.RunStatus`), 4 SCHEDULED.
  private static let unfinished: Set<String> = ["1", "4", "RUNNING", "SCHEDULED"]
  /// 2 is READY (`LoggedModelStatus`).
  private static let ready: Set<String> = ["2", "READY", "LOGGED_MODEL_READY"]

  /// Ids of experiments and runs.
  private(set) var ids: Set<String> = []
  private(set) var findings: [Finding] = []

  private let root: FilePath
  private let displayPath: EntryPath
  /// Ids that a database keeps: their folders here hold artifacts only.
  private let tracked: Set<String>
  private let files: any FileSystem
  private let missing: (TrackingRecords.Artifacts, _ mayBeEmpty: Bool) -> Finding?

  /// - Parameter missing: what is wrong when artifacts are not there.
  init(
    _ root: FilePath, displayPath: EntryPath, tracked: Set<String>, files: any FileSystem,
    missing: @escaping (TrackingRecords.Artifacts, _ mayBeEmpty: Bool) -> Finding?
  ) {
    self.root = root
    self.displayPath = displayPath
    self.tracked = tracked
    self.files = files
    self.missing = missing
  }

  /// Reads everything.
  /// - Throws: `SystemError`.
  mutating func read() throws {
    let inner = FileName("mlruns")
    for (store, path) in [(root, displayPath), (root.appending(inner.path.components), displayPath / inner)]
    where try files.exists(store) {
      for name in try files.folders(in: store) {
        let place = store.appending(name.path.components)
        if name == FileName("models") {
          try readRegistry(place)
        } else if try files.exists(place.appending(Self.metaName.components)) {
          try readExperiment(name, place: place, path: path / name)
        }
      }
    }
  }

  private mutating func readExperiment(_ name: FileName, place: FilePath, path: EntryPath) throws {
    ids.insert(ByteText.escaped(name.bytes))
    for folder in try files.folders(in: place) {
      let inner = place.appending(folder.path.components)
      if folder == FileName("models") {
        for model in try files.folders(in: inner) { try readModel(inner.appending(model.path.components), name: model) }
      } else if try files.exists(inner.appending(Self.metaName.components)) {
        ids.insert(ByteText.escaped(folder.bytes))
        try readRun(folder, place: inner)
      } else if Self.isRunID(folder), !tracked.contains(ByteText.escaped(folder.bytes)) {
        ids.insert(ByteText.escaped(folder.bytes))
        let run: EntryPath = path / folder
        findings.append(
          Finding(
            .missing, path: run / FileName("meta.yaml"), detail: "the record of run \(ByteText.escaped(folder.bytes))"))
      }
    }
  }

  /// A run has its directory of artifacts from its beginning.
  private mutating func readRun(_ name: FileName, place: FilePath) throws {
    guard let meta = try meta(in: place), !Self.unfinished.contains(meta["status"] ?? "1"),
      let location = meta["artifact_uri"]
    else { return }
    note(.init(name: "run \(ByteText.escaped(name.bytes))", location: location), mayBeEmpty: true)
  }

  private mutating func readModel(_ place: FilePath, name: FileName) throws {
    guard let meta = try meta(in: place), Self.ready.contains(meta["status"] ?? ""),
      let location = meta["artifact_location"]
    else { return }
    note(.init(name: "model \(ByteText.escaped(name.bytes))", location: location))
  }

  private mutating func readRegistry(_ place: FilePath) throws {
    for model in try files.folders(in: place) {
      let versions = place.appending(model.path.components)
      for version in try files.folders(in: versions) {
        guard let meta = try meta(in: versions.appending(version.path.components)), meta["status"] == "READY",
          let location = meta["storage_location"].flatMap({ $0.isEmpty ? nil : $0 }) ?? meta["source"]
        else { continue }
        let name = "model \(ByteText.escaped(model.bytes)), \(ByteText.escaped(version.bytes))"
        note(.init(name: name, location: location))
      }
    }
  }

  private mutating func note(_ artifacts: TrackingRecords.Artifacts, mayBeEmpty: Bool = false) {
    if let finding = missing(artifacts, mayBeEmpty) { findings.append(finding) }
  }

  private func meta(in folder: FilePath) throws -> MetaFile? {
    let path = folder.appending(Self.metaName.components)
    guard try files.exists(path) else { return nil }
    let file = try OpenFile(path, mode: [.noFollow], files: files)
    return MetaFile(try file.read(count: MetaFile.maximumBytes, at: 0))
  }

  /// 32 hexadecimal digits (`uuid.uuid4().hex`).
  private static func isRunID(_ name: FileName) -> Bool {
    name.bytes.count == 32
      && name.bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
