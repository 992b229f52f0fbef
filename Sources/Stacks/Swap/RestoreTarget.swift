package import Files
internal import MLflow
package import Store
package import SystemPackage

/// Where the parts of a stack lie, or will lie, with all symlinks resolved.
package struct RestoreTarget: Sendable {
  /// Where an MLflow store goes.
  package enum Store: Sendable, Equatable {
    /// A directory, which is exchanged as a whole.
    case folder(FilePath)
    /// A directory that cannot be renamed, such as a mount point: what is in it is exchanged, name by name.
    case contents(FilePath)
    /// Names among other things in a directory, and what the tracking database is called among them.
    case names(FilePath, database: FileName)

    /// The directory in which the store's files lie.
    package var path: FilePath {
      switch self {
      case .folder(let path), .contents(let path), .names(let path, _): path
      }
    }

    /// What its tracking database is called, when it has one.
    package var databaseName: FileName {
      guard case .names(_, let database) = self else { return MLflowStore.databaseName }
      return database
    }

    /// The directory in which names change places, and in which a restore is staged.
    package var place: FilePath {
      switch self {
      case .folder(let path): path.folder
      case .contents(let path), .names(let path, _): path
      }
    }
  }

  /// The directory that the user means; its advisory lock is taken.
  package let directory: FilePath
  /// The DuckDB file.
  package let database: FilePath
  /// The MLflow store at the target now; nil when there is none, and then the backup's layout decides.
  private let current: (store: Store, name: FilePath)?

  /// The stack of a data directory, wherever its parts lie.
  package init(_ stack: Stack, files: any FileSystem) throws {
    directory = stack.dataDirectory
    database = RealPath.ofWhatExists(stack.database)
    do {
      current = try stack.mlflow(files: files).map { (try Self.store($0, files: files), $0.directory) }
    } catch let missing as MLflowStore.Missing {
      // A store that is named and not there is where the restore puts it.
      let name = missing.path.extension == "db" ? missing.path.folder : missing.path
      let isDatabase = missing.path.extension == "db"
      guard name == stack.dataDirectory else {
        current = (.folder(RealPath.ofWhatExists(name)), name)
        return
      }
      current = isDatabase ? (.names(name, database: Self.lastName(of: missing.path)), name) : nil
    }
  }

  /// A directory that holds a stack in the guide's layout, or will.
  package init(_ directory: FilePath, files: any FileSystem) throws {
    self.directory = directory
    database = RealPath.ofWhatExists(directory.appending("hrp.duckdb"))
    let own = directory.appending("mlflow")
    current = try files.exists(own) ? (Self.folder(own, files: files), own) : nil
  }

  /// Where the store of a backup goes.
  package func store(of metadata: BackupMetadata?) -> Store {
    if let current { return current.store }
    let directory = RealPath.ofWhatExists(directory)
    return metadata?.mlflowLayout == "flat"
      ? .names(directory, database: MLflowStore.databaseName) : .folder(directory.appending("mlflow"))
  }

  /// The store's directory as the user names it; its symlinks are not resolved, since they may lead elsewhere later.
  package func storeName(of metadata: BackupMetadata?) -> FilePath {
    current?.name ?? (metadata?.mlflowLayout == "flat" ? directory : directory.appending("mlflow"))
  }

  private static func store(_ store: MLflowStore, files: any FileSystem) throws -> Store {
    guard store.layout == .flat else { return try folder(store.directory, files: files) }
    let database = store.names?.subtracting(RestoreNames.storeFolders).first
    return .names(store.directory, database: database ?? MLflowStore.databaseName)
  }

  private static func lastName(of path: FilePath) -> FileName {
    path.lastComponent.map { FileName($0) } ?? MLflowStore.databaseName
  }

  private static func folder(_ path: FilePath, files: any FileSystem) throws -> Store {
    let path = RealPath.ofWhatExists(path)
    guard let status = try files.statusIfPresent(path) else { return .folder(path) }
    let isMount = try files.status(path.folder, at: nil).identity.device != status.identity.device
    return try isMount || Mounts.isMountPoint(path) ? .contents(path) : .folder(path)
  }
}
