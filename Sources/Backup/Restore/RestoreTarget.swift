internal import DuckDBFile
package import Files
internal import MLflow
package import SystemPackage

/// Where the parts of a stack lie, or will lie, with their last links resolved.
package struct RestoreTarget: Sendable {
  /// Where an MLflow store goes.
  enum Store: Sendable, Equatable {
    /// A directory, which is exchanged as a whole.
    case folder(FilePath)
    /// A directory that cannot be renamed, such as a mount point: what is in it is exchanged, name by name.
    case contents(FilePath)
    /// Names among other things in a directory.
    case names(FilePath)

    /// The directory in which the store's files lie.
    var path: FilePath {
      switch self {
      case .folder(let path), .contents(let path), .names(let path): path
      }
    }

    /// The directory in which names change places, and in which a restore is staged.
    var place: FilePath {
      switch self {
      case .folder(let path): path.folder
      case .contents(let path), .names(let path): path
      }
    }
  }

  /// The directory that the user means; its advisory lock is taken.
  package let directory: FilePath
  /// The DuckDB file.
  package let database: FilePath
  /// The MLflow store that is there now; nil: none is, and the backup's layout decides.
  private let current: Store?

  /// The stack of a data directory, wherever its parts lie.
  package init(_ stack: Stack, files: any FileSystem) throws {
    directory = stack.dataDirectory
    database = try Self.resolved(stack.database, files)
    // A store that is named and not there is where the restore puts it.
    let store = (try? stack.mlflow(files: files)) ?? nil
    current = try store.map { try Self.store($0, files) }
  }

  /// A directory that holds a stack in the guide's layout, or will.
  package init(_ directory: FilePath, files: any FileSystem) throws {
    self.directory = directory
    database = try Self.resolved(directory.appending("hrp.duckdb"), files)
    let own = directory.appending("mlflow")
    current = try files.exists(own) ? Self.folder(own, files) : nil
  }

  /// Where the store of a backup goes.
  func store(of metadata: BackupMetadata?) -> Store {
    current ?? (metadata?.mlflowLayout == "flat" ? .names(directory) : .folder(directory.appending("mlflow")))
  }

  private static func store(_ store: MLflowStore, _ files: any FileSystem) throws -> Store {
    store.layout == .flat ? .names(store.directory) : try folder(store.directory, files)
  }

  private static func folder(_ path: FilePath, _ files: any FileSystem) throws -> Store {
    let path = try resolved(path, files)
    guard let status = try? files.status(path, at: nil) else { return .folder(path) }
    let isMount = try files.status(path.folder, at: nil).identity.device != status.identity.device
    return isMount || ThisProcess.isMountPoint(path) ? .contents(path) : .folder(path)
  }

  private static func resolved(_ path: FilePath, _ files: any FileSystem) throws(SystemError) -> FilePath {
    guard try files.exists(path) else { return path }
    var last = path
    for _ in 0..<40 {
      guard (try? files.status(last, at: nil).kind) == .link else { return last.lexicallyNormalized() }
      let target = FilePath(bytes: try files.linkTarget(last, at: nil))
      last = target.isAbsolute ? target : last.removingLastComponent().pushing(target)
    }
    throw SystemError("open", .tooManySymbolicLinkLevels, path: path.text)
  }
}
