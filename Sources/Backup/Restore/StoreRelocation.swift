internal import Files
internal import MLflow
internal import SystemPackage

/// Makes a staged MLflow store name the place that it is going to.
///
/// Locations that name the MLflow directory of the backup's source are rewritten, in its databases, in the records of
/// its file stores and in its models; nothing else is. What lies elsewhere in the source's data directory did not come
/// with the backup: those locations stay, and are counted.
struct StoreRelocation {
  private static let artifactLocation = FilePath("mlflow.artifactLocation")
  /// What MLflow writes into one record; a larger file of such a name is somebody's data, and stays as it is.
  private static let maximumRecordBytes: Int64 = 2 << 20

  private let relocation: Relocation
  private let folder: OpenFile
  private let path: EntryPath
  private let files: any FileSystem

  /// What was rewritten, and what the user should know.
  struct Result {
    var relocated: [RestoreResult.Relocated] = []
    /// Locations that stay, for what they name did not come with the backup.
    var left = 0
    var mentioned = 0
  }

  /// - Parameter store: where the store's files will lie, as the user names it.
  init(
    of metadata: BackupMetadata?, store: FilePath, in folder: OpenFile, at path: EntryPath,
    files: any FileSystem
  ) {
    let place = { (text: String?) in text.flatMap { ByteText.bytes(of: $0.utf8) }.map { FilePath(bytes: $0) } }
    let realStore = ThisProcess.realPathOfWhatExists(store)
    let sources = [place(metadata?.sourceDirectory), place(metadata?.realSourceDirectory)].compactMap { $0 }
    // What a program found by way of links it may have recorded without them.
    var pairs = [
      (place(metadata?.mlflowDirectory), store), (place(metadata?.realMLflowDirectory), realStore),
    ]
    // The Python tool does not say where the store was: it took `mlflow` in the data directory.
    if metadata?.mlflowDirectory == nil { pairs = sources.map { ($0.appending("mlflow"), store) } }
    var moved = pairs.compactMap { old, new in old.map { (old: $0, new: new) } }
    if metadata?.mlflowLayout == "flat" {
      // Only these names of the directory came with the backup.
      moved = moved.flatMap { old, new in
        ["mlruns", "mlartifacts"].map { (old: old.appending($0), new: new.appending($0)) }
      }
    }
    relocation = Relocation(moved, leaving: sources)
    self.folder = folder
    self.path = path
    self.files = files
  }

  /// Rewrites; does nothing where the store comes back to its own place.
  /// - Throws: `SQLiteError`, `SystemError`.
  func run() throws -> Result {
    var result = Result()
    guard !relocation.isEmpty else { return result }
    let root: OpenFile
    if path.isRoot {
      root = folder
    } else {
      guard try files.exists(path.name.path, at: folder.descriptor) else { return result }
      root = try OpenFile(
        path.name.path, at: folder.descriptor, [.directory, .noFollow],
        shown: folder.path.appending(path.name.path.components), files: files)
    }
    for name in try MLflowLinks.databases(in: root) { try rewriteDatabase(name, in: root, &result) }
    try rewriteFiles(below: root, &result)
    return result
  }

  private func rewriteDatabase(_ name: FileName, in root: OpenFile, _ result: inout Result) throws {
    let file = try OpenFile(name.path, at: root.descriptor, [.noFollow], files: files)
    let permissions = try file.status().permissions
    try files.setPermissions(file.descriptor, permissions | 0o600)
    // By its own path: SQLite has no way to take a descriptor. The staging folder is ours alone.
    let done = try TrackingRelocation.run(relocation, on: root.path.appending(name.path.components))
    try files.setPermissions(file.descriptor, permissions)
    for (place, count) in done.rewritten {
      result.relocated.append(.init(place: "\(ByteText.escaped(name.bytes)): \(place)", count: count))
    }
    result.mentioned += done.mentioned
    result.left += done.left
  }

  private func rewriteFiles(below root: OpenFile, _ result: inout Result) throws {
    var counts: [String: Int] = [:]
    try TreeWalk(files: files).walk(root) { step in
      guard case .entry(let entry) = step, entry.status.kind == .regular else { return true }
      let isOurs = entry.name == Self.artifactLocation
      if !isOurs, Self.usersFolders.contains(entry.path.parent.name.path.string) {
        try countMention(entry, &result)
        return true
      }
      let isYAML = entry.name == "meta.yaml" || entry.name == "MLmodel"
      guard isYAML || isOurs, entry.status.size <= Self.maximumRecordBytes else { return true }
      try Interruption.check()
      let file = try OpenFile(entry.name, at: entry.directory, [.noFollow], files: files)
      let bytes = try file.read(count: Int(entry.status.size), at: 0)
      if isYAML { result.left += relocation.left(yaml: bytes) }
      let rewritten =
        isYAML
        ? relocation.rewrite(yaml: bytes)
        : relocation.rewrite(String(decoding: bytes, as: UTF8.self)).map { (Array($0.utf8), 1) }
      guard let (new, count) = rewritten else { return true }
      counts[entry.name.string, default: 0] += count
      try replace(entry, with: new)
      return true
    }
    result.relocated += counts.sorted { $0.key < $1.key }.map { .init(place: $0.key, count: $0.value) }
  }

  /// Folders of a file store in which each file holds a value of the user's.
  private static let usersFolders: Set = ["params", "tags"]

  private func countMention(_ entry: TreeEntry, _ result: inout Result) throws {
    guard entry.status.size <= 1 << 20 else { return }
    let bytes = try OpenFile(entry.name, at: entry.directory, [.noFollow], files: files)
      .read(count: Int(entry.status.size), at: 0)
    if relocation.isMentioned(in: String(decoding: bytes, as: UTF8.self)) { result.mentioned += 1 }
  }

  private func replace(_ entry: TreeEntry, with bytes: [UInt8]) throws {
    let staged = FilePath(".hrp-relocated.partial")
    // The folder may have come without the right to write in it; it is ours, and keeps what it has.
    let folder = try OpenFile(".", at: entry.directory, [.directory], files: files)
    let status = try folder.status()
    if status.permissions & 0o200 == 0 { try files.setPermissions(folder.descriptor, status.permissions | 0o700) }
    let file = try OpenFile(
      staged, at: entry.directory, [.write, .create, .exclusive], permissions: 0o600, files: files)
    try file.write(bytes, at: 0)
    try files.give(file.descriptor, to: entry.status.owner)
    try files.setPermissions(file.descriptor, entry.status.permissions)
    try files.setModified(file.descriptor, nanoseconds: entry.status.modifiedNanoseconds)
    try file.close()
    try files.renameReplacing(staged, at: entry.directory, to: entry.name, at: entry.directory)
    try files.setModified(folder.descriptor, nanoseconds: status.modifiedNanoseconds)
    if status.permissions & 0o200 == 0 { try files.setPermissions(folder.descriptor, status.permissions) }
  }
}
