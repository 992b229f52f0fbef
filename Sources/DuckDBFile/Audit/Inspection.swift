package import Files
package import SystemPackage

/// What can be seen of a DuckDB file from outside, without an engine and without a lock.
package struct Inspection: Sendable {
  package let main: MainHeader
  /// What the current header says; nil: the file is encrypted, and only its main header is plain.
  package let state: StorageState?
  /// Bytes of the main file.
  package let fileBytes: Int64
  /// Who holds the engine's write lock: the PID; 0 = in another container; nil = nobody.
  package let writer: Int32?
  /// Who holds any lock on it, a reader too.
  package let holder: Int32?
  package let log: LogState
  package let checkpointLog: LogState

  /// What a log looks like.
  package enum LogState: Sendable {
    case none
    /// Nothing but a torn header.
    case torn
    case unreadable(String)
    case found(LogScan, bytes: Int64)
  }

  /// Looks.
  /// - Throws: `HotCopyError` for what is no database that hrp knows; `SystemError`.
  package init(_ path: FilePath, files: any FileSystem, time: any TimeSource) throws {
    let database = try DatabaseFile(path, files: files, time: time)
    main = try database.mainHeader()
    state = try main.isEncrypted ? nil : database.state()
    fileBytes = try database.file.status().size
    writer = try database.writer()
    holder = try files.lockHolder(database.file.descriptor, against: .exclusive)
    let base = try database.logBase()
    log = try Self.state(of: LogNames.log(of: base), files)
    checkpointLog = try Self.state(of: LogNames.checkpointLog(of: base), files)
  }

  private static func state(of path: FilePath, _ files: any FileSystem) throws -> LogState {
    do {
      guard let log = try LogFile.open(path, buffer: IOBuffer(), files: files) else { return .none }
      guard let scan = log.scan else { return .torn }
      return .found(scan, bytes: try log.file.status().size)
    } catch let error as FormatError {
      return .unreadable("\(error)")
    }
  }
}
