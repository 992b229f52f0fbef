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

  /// Whether a name at the top of the directory belongs to the store.
  package func holds(_ name: FileName) -> Bool { names?.contains(name) ?? true }

  /// Finds the store of a stack; nil: there is none.
  ///
  /// It is the directory that a local tracking URI names, else `mlflow/` in the data directory, else `mlruns/` and
  /// `mlflow.db` there.
  /// - Throws: `SystemError` when a place cannot be looked at; a place that is not there is no error.
  package static func find(
    dataDirectory: FilePath, trackingURI: String?, workingDirectory: FilePath, files: any FileSystem
  ) throws -> MLflowStore? {
    var remote: String?
    switch trackingURI.map({ TrackingURI($0, workingDirectory: workingDirectory) }) {
    case .folder(let path):
      if let store = try Self.folder(path, dataDirectory: dataDirectory, files: files) { return store }
    case .sqlite(let path):
      if try files.exists(path) { return try beside(path, dataDirectory: dataDirectory, files: files) }
    case .remote(let scheme): remote = scheme
    case nil: break
    }
    let own = dataDirectory.appending("mlflow")
    if try files.isDirectory(own) {
      return MLflowStore(directory: own, layout: .directory, remoteScheme: remote)
    }
    return try flat(in: dataDirectory, database: FileName("mlflow.db"), remote: remote, files: files)
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
  /// Whether the path leads to a directory, links followed.
  fileprivate func isDirectory(_ path: FilePath) throws(SystemError) -> Bool {
    do {
      let file = try OpenFile(path, [.directory], files: self)
      try file.close()
      return true
    } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
      return false
    }
  }
}
