package import Files
package import SystemPackage

/// What can be seen of a DuckDB file from outside, without an engine and without a lock.
package struct Inspection: Sendable {
  package let main: MainHeader
  /// What the current header says; nil when the file is encrypted, since then only its main header can be read.
  package let state: StorageState?
  /// Bytes of the main file.
  package let fileBytes: Int64
  /// The PID of the process that has it open for writing, with or without a lock.
  ///
  /// It is 0 when the process cannot be identified, and nil when no such process was seen.
  package let writer: Int32?
  /// Who holds any lock on it, a reader too.
  package let holder: Int32?
  package let wal: WALState
  package let checkpointWAL: WALState

  /// What a WAL looks like.
  package enum WALState: Sendable {
    case none
    /// Nothing but a torn header.
    case torn
    case unreadable(String)
    case found(WALScan, bytes: Int64)
    /// Every engine refuses it, or loses what lies behind the damage.
    case damaged(WALScan, WALDamage)
  }

  /// Looks.
  /// - Throws: `HotCopyError` for what is no database that hrp knows; `SystemError`.
  package init(_ path: FilePath, files: any FileSystem, time: any TimeSource) throws {
    let database = try DatabaseFile(path, files: files, time: time)
    main = try database.mainHeader()
    state = try main.isEncrypted ? nil : database.state()
    fileBytes = try database.file.status().size
    writer = if case .writer(let pid) = try database.writerPresence() { pid ?? 0 } else { nil }
    holder = try files.lockHolder(database.file.descriptor, against: .exclusive)
    let base = try database.walBase()
    wal = try Self.state(of: WALNames.wal(of: base), state, files: files)
    checkpointWAL = try Self.state(of: WALNames.checkpointWAL(of: base), state, files: files)
  }

  private static func state(
    of path: FilePath, _ state: StorageState?, files: any FileSystem
  ) throws -> WALState {
    do {
      guard let wal = try WALFile.open(path, buffer: IOBuffer(), files: files) else { return .none }
      guard let scan = wal.scan else { return .torn }
      // When the checkpoint of the last marker has finished, nothing in this WAL counts any more.
      let isObsolete = scan.finalMarker.map { $0.metaBlock == state?.header.metaBlock?.raw } ?? false
      if let damage = wal.damage, let state, !isObsolete, damage.isDamage(inStorageVersion: state.storageVersion) {
        return .damaged(scan, damage)
      }
      return .found(scan, bytes: try wal.file.status().size)
    } catch let error as FormatError {
      return .unreadable("\(error)")
    }
  }
}
