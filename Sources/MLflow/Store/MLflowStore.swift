package import Files
package import SystemPackage

/// Where the MLflow store of a stack is.
package struct MLflowStore: Sendable, Equatable {
  package enum Layout: String, Sendable {
    /// A directory of its own: everything in it belongs to the store.
    case directory
    /// `mlruns/` and `mlflow.db` lie among other things in the data directory: only they belong to it.
    case flat
  }

  /// The directory that holds the store, absolute.
  package let directory: FilePath
  package let layout: Layout
  /// With the layout `flat`: the names in the directory that belong to the store; else nil, for all.
  package let names: Set<FileName>?
  /// Set when the records are kept by a server that is not part of the backup: its scheme.
  package let remoteScheme: String?

  package init(
    directory: FilePath, layout: Layout, names: Set<FileName>? = nil, remoteScheme: String? = nil
  ) {
    self.directory = directory
    self.layout = layout
    self.names = names
    self.remoteScheme = remoteScheme
  }

  /// What a tracking database is called where nothing says otherwise.
  package static let databaseName = FileName("mlflow.db")

  /// Whether a name at the top of the directory belongs to the store.
  package func holds(_ name: FileName) -> Bool { names?.contains(name) ?? true }

  /// The places of the store: its directory or, with the layout `flat`, its names in that directory.
  ///
  /// They are given as they are named, and with all symlinks resolved.
  package var places: [FilePath] {
    let roots = [directory, RealPath.of(directory) ?? directory]
    guard let names else { return roots }
    return roots.flatMap { root in names.sorted().map { root.appending($0.path.components) } }
  }

  /// Finds the store of a stack; returns nil when there is none.
  ///
  /// It is the directory that a local tracking URI names, else `mlflow/` in the data directory, else `mlruns/` and
  /// `mlflow.db` there.
  /// - Throws: `Missing` when a named place is not there; `SystemError` when a place cannot be looked at.
  package static func find(
    dataDirectory: FilePath, trackingURI: String?, workingDirectory: FilePath, home: String? = nil,
    files: any FileSystem
  ) throws -> MLflowStore? {
    var remote: String?
    switch trackingURI.map({ TrackingURI($0, workingDirectory: workingDirectory, home: home) }) {
    case .folder(let path):
      guard let store = try Self.folder(path, dataDirectory: dataDirectory, files: files) else {
        throw Missing(path: path, named: "MLFLOW_TRACKING_URI")
      }
      return store
    case .sqlite(let path):
      guard try files.exists(path), let store = try beside(path, dataDirectory: dataDirectory, files: files) else {
        throw Missing(path: path, named: "MLFLOW_TRACKING_URI")
      }
      return store
    case .remote(let scheme): remote = scheme
    case nil: break
    }
    let own = dataDirectory.appending("mlflow")
    if try files.isDirectory(own) {
      return MLflowStore(directory: own, layout: .directory, remoteScheme: remote)
    }
    // A symlink to a disk that is not mounted, or a file of that name: there should be a store, and there is none.
    if try files.exists(own) { throw Missing(path: own, named: "the data directory") }
    return try flat(in: dataDirectory, database: FileName("mlflow.db"), remote: remote, files: files)
  }

  /// The error for a store that a setting names and that is missing: no backup is made without it.
  package struct Missing: Error, Equatable {
    package let path: FilePath
    /// Who names it.
    package let named: String
  }

  /// A file store named by a URI.
  ///
  /// `mlruns` in the data directory is the flat layout.
  private static func folder(
    _ path: FilePath, dataDirectory: FilePath, files: any FileSystem
  ) throws -> MLflowStore? {
    guard try files.isDirectory(path) else { return nil }
    if path.removingLastComponent() == dataDirectory, path.lastComponent?.string == "mlruns" {
      return try flat(in: dataDirectory, database: FileName("mlflow.db"), remote: nil, files: files)
    }
    if dataDirectory == path || dataDirectory.starts(with: path) {
      return try flat(in: path, database: FileName("mlflow.db"), remote: nil, files: files)
    }
    return MLflowStore(directory: path, layout: .directory)
  }

  /// The store around an SQLite database: its folder, or only the store's names where the stack lies there too.
  private static func beside(
    _ database: FilePath, dataDirectory: FilePath, files: any FileSystem
  ) throws -> MLflowStore? {
    let folder = database.removingLastComponent()
    guard dataDirectory == folder || dataDirectory.starts(with: folder) else {
      return MLflowStore(directory: folder, layout: .directory)
    }
    let name = database.lastComponent.map { FileName($0) } ?? FileName("mlflow.db")
    return try flat(in: folder, database: name, remote: nil, files: files)
  }

  private static func flat(
    in directory: FilePath, database: FileName, remote: String?, files: any FileSystem
  ) throws -> MLflowStore? {
    let names = try [FileName("mlruns"), FileName("mlartifacts"), database].filter {
      try files.exists(directory.appending($0.path.components))
    }
    guard names.contains(FileName("mlruns")) || names.contains(database) else { return nil }
    return MLflowStore(directory: directory, layout: .flat, names: Set(names), remoteScheme: remote)
  }
}

extension FileSystem {
  /// Whether the path leads to a directory, following symlinks.
  fileprivate func isDirectory(_ path: FilePath) throws(SystemError) -> Bool {
    do {
      let file = try OpenFile(path, mode: [.directory], files: self)
      try file.close()
      return true
    } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
      return false
    }
  }
}
