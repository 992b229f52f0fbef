package import Files
internal import SystemPackage

/// Makes a store name the place that it is going to: in its databases, in the records of its file stores and in its
/// models.
///
/// Nobody else may use the store meanwhile. What lies elsewhere in the source's data directory did not come with it:
/// those locations stay, and are counted.
package struct StoreRelocation {
  private static let artifactLocation = FilePath("mlflow.artifactLocation")
  /// What MLflow writes into one record; a larger file of such a name is somebody's data, and stays as it is.
  private static let maximumRecordBytes: Int64 = 2 << 20

  private let relocation: Relocation
  private let root: OpenFile
  private var files: any FileSystem { root.files }

  /// What was rewritten, and what the user should know.
  package struct Result {
    /// Records of one kind and how many of them name the new place now, such as "mlflow.db: runs.artifact_uri".
    package var rewritten: [(place: String, count: Int)] = []
    /// Locations that stay, for what they name did not come with the store.
    package var left = 0
    /// Parameters, tags and datasets of the user's that mention the old place, and stay.
    package var mentioned = 0

    package init() {}
  }

  /// - Parameter root: the open directory of the store.
  package init(_ relocation: Relocation, of root: OpenFile) {
    self.relocation = relocation
    self.root = root
  }

  /// Rewrites.
  /// - Throws: `SQLiteError`, `SystemError`, `Interruption.Stopped`.
  package func run() throws -> Result {
    var result = Result()
    for name in try MLflowStore.databases(in: root) { try rewriteDatabase(name, result: &result) }
    try rewriteFiles(&result)
    return result
  }

  private func rewriteDatabase(_ name: FileName, result: inout Result) throws {
    let file = try OpenFile(name.path, at: root.descriptor, mode: [.noFollow], files: files)
    let permissions = try file.status().permissions
    try files.setPermissions(file.descriptor, to: permissions | 0o600)
    // By its own path: SQLite has no way to take a descriptor. The staging folder is ours alone.
    let done = try TrackingRelocation.run(relocation, on: root.path.appending(name.path.components))
    try files.setPermissions(file.descriptor, to: permissions)
    for (place, count) in done.rewritten {
      result.rewritten.append(("\(ByteText.escaped(name.bytes)): \(place)", count))
    }
    result.mentioned += done.mentioned
    result.left += done.left
  }

  private func rewriteFiles(_ result: inout Result) throws {
    var counts: [String: Int] = [:]
    try TreeWalk(files: files).walk(root) { step in
      guard case .entry(let entry) = step, entry.status.kind == .regular else { return true }
      let isOurs = entry.name == Self.artifactLocation
      if !isOurs, Self.usersFolders.contains(entry.path.parent.name.path.string) {
        try countMention(entry, result: &result)
        return true
      }
      let isYAML = entry.name == "meta.yaml" || entry.name == "MLmodel"
      guard isYAML || isOurs, entry.status.size <= Self.maximumRecordBytes else { return true }
      try Interruption.check()
      let file = try OpenFile(entry.name, at: entry.directory, mode: [.noFollow], files: files)
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
    result.rewritten += counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Folders of a file store in which each file holds a value of the user's.
  private static let usersFolders: Set = ["params", "tags"]

  private func countMention(_ entry: TreeEntry, result: inout Result) throws {
    guard entry.status.size <= 1 << 20 else { return }
    let bytes = try OpenFile(entry.name, at: entry.directory, mode: [.noFollow], files: files)
      .read(count: Int(entry.status.size), at: 0)
    if relocation.isMentioned(in: String(decoding: bytes, as: UTF8.self)) { result.mentioned += 1 }
  }

  private func replace(_ entry: TreeEntry, with bytes: [UInt8]) throws {
    let staged = FilePath(".hrp-relocated.partial")
    // The folder may have come without the right to write in it; it is ours, and keeps what it has.
    let folder = try OpenFile(".", at: entry.directory, mode: [.directory], files: files)
    let status = try folder.status()
    if status.permissions & 0o200 == 0 { try files.setPermissions(folder.descriptor, to: status.permissions | 0o700) }
    let file = try OpenFile(
      staged, at: entry.directory, mode: [.write, .create, .exclusive], permissions: 0o600, files: files)
    try file.write(bytes, at: 0)
    try files.give(file.descriptor, to: entry.status.owner)
    try files.setPermissions(file.descriptor, to: entry.status.permissions)
    try files.setModified(file.descriptor, nanoseconds: entry.status.modifiedNanoseconds)
    try file.close()
    try files.renameReplacing(staged, at: entry.directory, to: entry.name, at: entry.directory)
    try files.setModified(folder.descriptor, nanoseconds: status.modifiedNanoseconds)
    if status.permissions & 0o200 == 0 { try files.setPermissions(folder.descriptor, to: status.permissions) }
  }
}
