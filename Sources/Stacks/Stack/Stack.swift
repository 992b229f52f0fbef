package import Files
package import MLflow
package import Settings
package import Store
public import SystemPackage

/// What says where a stack is: flags and environment, as they stand.
public struct StackSettings: Sendable {
  /// `--data-dir`, else `HRP_DATA_DIR`.
  public var dataDirectory: String?
  /// `HRP_DB_PATH`.
  public var databasePath: String?
  /// `--backup-dir`, else `HRP_BACKUP_DIR`.
  public var backupDirectory: String?
  /// `MLFLOW_TRACKING_URI`.
  public var trackingURI: String?

  /// Flags win over the environment.
  public init(dataDirectory: String? = nil, backupDirectory: String? = nil) {
    self.dataDirectory = dataDirectory ?? ThisProcess.environment("HRP_DATA_DIR")
    self.backupDirectory = backupDirectory ?? ThisProcess.environment("HRP_BACKUP_DIR")
    trackingURI = ThisProcess.environment("MLFLOW_TRACKING_URI")
    databasePath = ThisProcess.environment("HRP_DB_PATH")
    if let dataDirectory, let path = databasePath, !Self.lies(path, in: dataDirectory) {
      // The flag speaks of one stack, the variable of another: the flag wins.
      databasePath = nil
    }
  }
}

extension StackSettings {
  /// Whether a path lies in a directory, by name or by where both really are.
  private static func lies(_ path: String, in directory: String) -> Bool {
    let (path, directory) = (Stack.absolute(path), Stack.absolute(directory))
    return path.starts(with: directory)
      || RealPath.ofWhatExists(path).starts(with: RealPath.ofWhatExists(directory))
  }
}

/// A research stack: one database, one MLflow store, and where their backups are.
///
/// All paths are absolute.
public struct Stack: Sendable {
  /// The directory of the stack.
  public let dataDirectory: FilePath
  /// The DuckDB file.
  public let database: FilePath
  /// Where the backups are.
  public private(set) var backupDirectory: FilePath
  /// What the environment and the configuration file say beside.
  package let settings: Settings
  /// Where MLflow is, as it was written; nil when nothing says it.
  package let trackingURI: String?
  let workingDirectory: FilePath
  /// What named the stack.
  private let named: StackSettings

  /// The same stack with what a configuration file says.
  package func reading(_ settings: Settings) -> Stack { Stack(named, read: settings) }

  /// The same stack, whose backups are looked for in another directory.
  package func looking(in directory: FilePath) -> Stack {
    var stack = self
    stack.backupDirectory = directory
    return stack
  }

  /// Applies the one rule that decides the stack everywhere (`docs/operations/commands.md`, "Environment").
  ///
  /// Touches no file.
  public init(_ settings: StackSettings) {
    self.init(settings, read: Settings(variables: ThisProcess.environmentNames) { ThisProcess.environment($0) })
  }

  /// The same, with what a configuration file says where flags and environment say nothing.
  init(_ settings: StackSettings, read: Settings) {
    self.settings = read
    named = settings
    let working = ThisProcess.workingDirectory
    let absolute = { (text: String) in working.pushing(FilePath(expandingTilde: text)).lexicallyNormalized() }
    let named = settings.databasePath.map(absolute)
    dataDirectory =
      settings.dataDirectory.map(absolute) ?? named?.removingLastComponent() ?? absolute("~/hrp-data")
    let data = dataDirectory
    // What stands in the file is relative to the data directory: it means the same for every program.
    let inData = { (text: String) in data.pushing(FilePath(expandingTilde: text)).lexicallyNormalized() }
    database = named ?? read.database.map { inData($0.value) } ?? dataDirectory.appending("hrp.duckdb")
    backupDirectory =
      settings.backupDirectory.map(absolute) ?? read.backupDirectory.map { inData($0.value) }
      ?? dataDirectory.appending("backups")
    trackingURI = settings.trackingURI ?? read.trackingURI?.value
    workingDirectory = working
  }

  /// Where copies that are thrown away go: in the data directory, else, where there is none, in `TMPDIR`.
  package var scratchDirectory: FilePath {
    // Where it cannot be told, the data directory is no place to write to.
    let isThere = forPeople { try Kernel().exists(dataDirectory) } == true
    return isThere && !isInBackup ? dataDirectory.appending("scratch") : Scratch.standard
  }

  /// Whether the data directory is a backup, or lies in one, which is sealed: nothing is written there.
  package var isInBackup: Bool {
    // What cannot be looked at is not written to either.
    do { return try BackupLayout.enclosingBackup(of: dataDirectory, files: Kernel()) != nil } catch { return true }
  }

  /// - Throws: `BackupError` `path.in-backup`: the data directory or the backup directory lies in a backup.
  package func checkOutsideOfBackups(files: any FileSystem) throws {
    for path in [dataDirectory, database.folder, backupDirectory] {
      try BackupError.checkOutsideOfBackups(path, files: files)
    }
  }

  /// Where its parts are, as errors call them.
  package var places: KnownPlaces {
    KnownPlaces(
      database: database, backups: backupDirectory, scratch: scratchDirectory, logs: dataDirectory.appending("logs"),
      data: dataDirectory)
  }

  /// What lies in the stack's directories and is no part of it.
  package var protected: [FilePath] {
    (backupDirectory == dataDirectory ? [] : [backupDirectory])
      + [dataDirectory.appending("logs"), dataDirectory.appending("scratch")]
  }

  /// The MLflow store of the stack; nil when the stack has none.
  package func mlflow(files: any FileSystem) throws -> MLflowStore? {
    try MLflowStore.find(
      dataDirectory: dataDirectory, trackingURI: trackingURI, workingDirectory: workingDirectory,
      home: ThisProcess.environment("HOME"), files: files)
  }

  /// An absolute path of a text that a user gave, `~` expanded.
  package static func absolute(_ text: String) -> FilePath {
    ThisProcess.workingDirectory.pushing(FilePath(expandingTilde: text)).lexicallyNormalized()
  }
}
