internal import Backup
internal import Files
internal import MLflow
internal import Store
internal import SystemPackage

/// Compares an MLflow store in use with backups of it, to find what its records still name and the store has lost.
///
/// The store is read once.
struct StoreComparison {
  /// What is gone that the backup has.
  struct Loss {
    /// Records, or folders of artifacts, that are gone: sentences without a full stop.
    var problems: [String] = []
    /// Single files that are gone, which a user may have deleted: sentences without a full stop.
    var notices: [String] = []
    /// The backup beside which the problems were seen: newer ones do not have what is lost.
    var seenIn: ListedBackup?
  }

  private static let maximumNamed = 5

  private let store: MLflowStore
  private let files: any FileSystem
  /// What the store's databases record, and how many runs it holds.
  private let live: [FileName: TrackingRecords]
  private let runs: Int64

  /// Reads the store.
  /// - Throws: `SystemError`, `SQLiteError`; `BackupError` of the scratch directory.
  init(_ store: MLflowStore, scratch: FilePath, files: any FileSystem) throws {
    self.store = store
    self.files = files
    let scratch = try Scratch(in: scratch, files: files)
    defer { scratch.remove() }
    live = try Self.databases(of: store.directory, copyingTo: scratch.path, files).filter { store.holds($0.key) }
    runs = try StoreRuns(store.directory, files: files).byExperiment(copyingTo: scratch.path).values.reduce(0, +)
  }

  /// Compares with a backup that has an MLflow directory.
  ///
  /// - Parameter comparesParts: whether databases and folders at the top are looked for. Where a user removed one for
  ///   good, older backups still have it.
  /// - Throws: `SystemError`, `SQLiteError`; `Interruption.Stopped`.
  func loss(beside backup: ListedBackup, comparesParts: Bool) throws -> Loss {
    guard let (folder, stored) = try storedFolder(of: backup) else { return Loss() }
    let name = ByteText.escaped(backup.name.bytes)
    var loss = Loss(seenIn: backup)
    let databases = try Self.databases(of: stored, copyingTo: nil, files)
    for (database, records) in databases.sorted(by: { $0.key < $1.key })
    where records.hasTables && live[database]?.hasTables == false {
      loss.problems.append(
        "\(place(.root / database).text) holds none of MLflow's tables, and \(name) has them"
      )
    }
    if comparesParts {
      for part in try LostParts.find(in: store, beside: backup, files: files) {
        let words = "\(part.text) is gone, and \(name) has it"
        let isEssential = part.lastComponent.map { LostParts.isEssential(FileName($0)) } ?? false
        if isEssential { loss.problems.append(words) } else { loss.notices.append(words) }
      }
    }
    guard loss.problems.isEmpty else { return loss }
    let then = try StoreRuns(stored, files: files).byExperiment(copyingTo: nil).values.reduce(0, +)
    if then > 0, runs == 0 { loss.problems.append("MLflow holds no run, and \(name) has \(then)") }
    try compareArtifacts(folder, of: backup, loss: &loss)
    return loss
  }

  /// The MLflow directory in the backup; nil when the backup has none.
  private func storedFolder(of backup: ListedBackup) throws -> (EntryPath, FilePath)? {
    for folder in BackupLayout.stores {
      let path = backup.path.appending(folder.name.path.components)
      if try files.exists(path) { return (folder, path) }
    }
    return nil
  }

  private static func databases(
    of root: FilePath, copyingTo scratch: FilePath?, _ files: any FileSystem
  ) throws -> [FileName: TrackingRecords] {
    let folder = try OpenFile(root, mode: [.directory], files: files)
    var records: [FileName: TrackingRecords] = [:]
    for (number, name) in try MLflowStore.databases(in: folder).enumerated() {
      var path = root.appending(name.path.components)
      if let scratch {
        let copy = scratch.appending("records.\(number).db")
        try SQLiteFile.copy(path, to: copy)
        path = copy
      }
      records[name] = try TrackingRecords(path)
    }
    return records
  }

  // MARK: - Artifacts

  /// A folder or a file that is gone, and how many files of the backup that is.
  private struct Gone {
    let path: EntryPath
    let isFolder: Bool
    var count: Int
  }

  /// Looks for every file that the backup has among the artifacts of what is recorded.
  private func compareArtifacts(_ folder: EntryPath, of backup: ListedBackup, loss: inout Loss) throws {
    let recorded = Set(live.values.flatMap { $0.runs + $0.ready }.flatMap { places(of: $0.location) })
    var gone: [Gone] = []
    var more = 0
    try backup.open().files { file in
      try Interruption.check()
      guard let path = file.path.relative(to: folder) else { return }
      if let last = gone.last, last.isFolder, path.isInside(last.path) {
        gone[gone.count - 1].count += 1
        return
      }
      guard try !files.exists(place(path)), let owner = try owner(of: path, recorded) else { return }
      if gone.count < 1000 { gone.append(try topmost(path, below: owner)) } else { more += 1 }
    }
    tell(gone, more: more, name: ByteText.escaped(backup.name.bytes), loss: &loss)
  }

  private func tell(_ gone: [Gone], more: Int, name: String, loss: inout Loss) {
    let folders = gone.filter(\.isFolder)
    for folder in folders.prefix(Self.maximumNamed) {
      loss.problems.append(
        "\(place(folder.path).text) is gone, which MLflow's records name; \(name) has \(folder.count) files of it")
    }
    if folders.count > Self.maximumNamed {
      loss.problems.append("and so are \(folders.count - Self.maximumNamed) more folders")
    }
    let single = gone.filter { !$0.isFolder }
    guard let first = single.first else { return }
    loss.notices.append(
      "\(single.count + more) files of artifacts are gone that \(name) has, such as \(place(first.path).text)")
  }

  /// The file-system path of an entry of the store.
  private func place(_ path: EntryPath) -> FilePath { store.directory.pushing(FilePath(bytes: path.bytes)) }

  /// The recorded folder of artifacts that contains a file; nil when no record names such a folder.
  private func owner(of path: EntryPath, _ recorded: Set<EntryPath>) throws -> EntryPath? {
    var folder = path.parent
    while !folder.isRoot {
      if recorded.contains(folder) { return folder }
      // A file store keeps the record in the folder above.
      if folder.name == FileName("artifacts"), try files.exists(place(folder.parent / FileName("meta.yaml"))) {
        return folder
      }
      folder = folder.parent
    }
    return nil
  }

  /// The topmost missing folder that contains a file, from its artifact folder downwards; otherwise the file itself.
  private func topmost(_ path: EntryPath, below owner: EntryPath) throws -> Gone {
    var chain = [path.parent]
    while let last = chain.last, last != owner, !last.isRoot { chain.append(last.parent) }
    for folder in chain.reversed() where try !files.exists(place(folder)) {
      return Gone(path: folder, isFolder: true, count: 1)
    }
    return Gone(path: path, isFolder: false, count: 1)
  }

  /// Where a location may lie in the store.
  private func places(of location: String) -> [EntryPath] {
    let served = "mlflow-artifacts:/"
    if location.hasPrefix(served) {
      // A tracking server keeps artifacts where it was configured to keep them; these are the usual places.
      let rest = String(location.dropFirst(served.count).drop { $0 == "/" })
      return ["mlartifacts/", "mlruns/", "artifacts/"].compactMap { EntryPath(validating: Array(($0 + rest).utf8)) }
    }
    guard let path = ArtifactScan.localPath(of: location) else { return [] }
    for root in [store.directory, RealPath.ofWhatExists(store.directory)] {
      var rest = path
      if rest.removePrefix(root), let place = EntryPath(validating: rest.bytes) { return [place] }
    }
    return []
  }
}
