private import Files
private import GRDB
package import SystemPackage

/// Counts where a store's records say that artifacts are: in the store's directory, elsewhere on this machine, remote.
///
/// What is not in the directory is not in the backup, and is named.
package struct ArtifactScan: Sendable {
  /// Places outside that are named one by one; the rest is only counted.
  package static let maximumNamed = 20

  /// Records whose artifacts lie in the store's directory.
  package private(set) var inside = 0
  /// Records whose artifacts lie elsewhere on this machine.
  package private(set) var outside = 0
  /// Records whose artifacts are on another machine.
  package private(set) var remote = 0
  /// Whether there are records at all that name artifacts.
  package var hasRecords: Bool { inside + outside + remote > 0 }
  /// The places outside and remote ones, each once: a folder or bucket and how many records name it.
  package private(set) var places: [String: Int] = [:]

  private let roots: [FilePath]

  /// - Parameter roots: the store's directory, as configured and with its symlinks resolved.
  package init(roots: [FilePath]) { self.roots = roots }

  /// Counts one location, as MLflow records it: a path, a `file:` URI, another URI.
  package mutating func note(_ location: String) {
    switch Self.kind(of: location) {
    case .reference: return
    case .remote(let place):
      remote += 1
      name(place)
    case .local(let path):
      if roots.contains(where: { path.starts(with: $0) }) {
        inside += 1
      } else {
        outside += 1
        name(Self.place(of: path))
      }
    }
  }

  /// Counts the locations in a `meta.yaml` of a file store.
  package mutating func noteMeta(_ yaml: some Sequence<UInt8>) {
    let meta = MetaFile(yaml)
    for key in ["artifact_location", "artifact_uri"] { if let location = meta[key] { note(location) } }
  }

  /// Counts the locations in a tracking database that nobody writes to.
  package mutating func noteDatabase(_ path: FilePath) throws(SQLiteError) {
    let columns = [
      ("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"),
      ("model_versions", "storage_location"),
    ]
    var survey = self
    try SQLiteFile.reading(path) { database in
      let hasTraces =
        try database.tableExists("trace_info")
        && database.columns(in: "trace_info").contains { $0.name == "experiment_id" }
        ? " OR experiment_id IN (SELECT experiment_id FROM trace_info)" : ""
      for (table, column) in columns {
        guard try database.tableExists(table), try database.columns(in: table).contains(where: { $0.name == column })
        else { continue }
        // An experiment without runs and traces has no artifacts, such as the one that MLflow makes by itself.
        let isUsed =
          try table == "experiments" && database.tableExists("runs")
          && database.columns(in: "runs").contains { $0.name == "experiment_id" }
          ? " AND (experiment_id IN (SELECT experiment_id FROM runs)\(hasTraces))" : ""
        let rows = try Row.fetchCursor(
          database, sql: "SELECT \(column) FROM \(table) WHERE \(column) IS NOT NULL AND \(column) <> ''\(isUsed)")
        while let row = try rows.next() {
          if let location = String.fromDatabaseValue(row[0]) { survey.note(location) }
        }
      }
    }
    self = survey
  }

  /// The path that a location names on the machine that recorded it; nil when it is on another machine.
  package static func localPath(of location: String) -> FilePath? {
    guard case .local(let path) = kind(of: location) else { return nil }
    return path
  }

  private enum Kind { case local(FilePath), remote(String), reference }

  private static func kind(of location: String) -> Kind {
    if location.hasPrefix("models:/") || location.hasPrefix("runs:/") { return .reference }
    if location.hasPrefix("/") { return .local(FilePath(location).lexicallyNormalized()) }
    switch TrackingURI(location, workingDirectory: "/") {
    case .folder(let path) where location.hasPrefix("file:"): return .local(path)
    case .remote(let scheme):
      let host = location.dropFirst(scheme.count + 3).prefix { $0 != "/" }
      return .remote("\(scheme)://\(host.split(separator: "@").last ?? "")")
    default:
      // `mlflow-artifacts:/…` is served by a tracking server; anything else is a path relative to who knows what.
      return .remote(location.split(separator: ":").first.map { "\($0):" } ?? location)
    }
  }

  /// The store that a location belongs to: what comes before the experiment's and the run's own folders.
  private static func place(of path: FilePath) -> String {
    var components = Array(path.components)
    if let index = components.lastIndex(where: { $0.string == "mlruns" || $0.string == "mlartifacts" }) {
      components = Array(components[...index])
    } else {
      components = Array(components.prefix(3))
    }
    return "/" + components.map(\.string).joined(separator: "/")
  }

  private mutating func name(_ place: String) {
    guard places[place] != nil || places.count < Self.maximumNamed else { return }
    places[place, default: 0] += 1
  }
}
