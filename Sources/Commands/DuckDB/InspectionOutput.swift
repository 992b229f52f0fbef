internal import DuckDBFile
internal import Store

/// What `hrp duckdb inspect --json` says.
struct InspectionOutput: Encodable {
  private let path: String
  private let storageVersion: UInt64
  private let compatibility: Nullable<UInt64>
  private let libraryVersion: String
  private let encrypted: Bool
  private let iteration: Nullable<UInt64>
  private let sizeBytes: Int64
  private let blockSize: Nullable<Int64>
  private let blocksInUse: Nullable<Int>
  private let blocksMetadata: Nullable<Int>
  private let blocksFree: Nullable<Int>
  private let wal: Nullable<WAL>
  private let walCheckpoint: Nullable<WAL>
  private let writerPid: Nullable<Int32>
  private let holderPid: Nullable<Int32>

  init(_ found: Inspection, path: String) {
    let state = found.state
    self.path = path
    storageVersion = found.main.storageVersion
    compatibility = Nullable(state?.header.compatibility)
    libraryVersion = found.main.libraryVersion
    encrypted = state == nil
    iteration = Nullable(state?.header.iteration)
    sizeBytes = found.fileBytes
    blockSize = Nullable(state?.geometry.allocationSize)
    blocksInUse = Nullable(state?.freeList.inUse.count)
    blocksMetadata = Nullable(state?.freeList.metadata.count)
    blocksFree = Nullable(state?.freeList.free.count)
    wal = Nullable(WAL(found.wal))
    walCheckpoint = Nullable(WAL(found.checkpointWAL))
    writerPid = Nullable(found.writer)
    holderPid = Nullable(found.holder)
  }

  /// One of the two WALs: each state has keys of its own.
  private struct WAL: Encodable, Sendable {
    private enum State: String, Encodable { case torn, unreadable, damaged, encrypted, readable }

    private let state: State
    private var why: String?
    private var sizeBytes: Int64?
    private var committedBytes: Int64?
    private var commits: Int?
    private var damageOffset: Int64?
    private var commitsBehind: Int?
    private var entries: Int?
    private var iteration: Nullable<UInt64>?
    private var rowGroups: Bool?
    private var marker: Bool?

    /// Returns nil when there is no WAL.
    init?(_ wal: Inspection.WALState) {
      switch wal {
      case .none: return nil
      case .torn: state = .torn
      case .unreadable(let reason):
        state = .unreadable
        why = reason
      case .damaged(let scan, let damage):
        state = .damaged
        committedBytes = scan.lastCommitEnd
        commits = scan.commits
        damageOffset = damage.offset
        commitsBehind = damage.commitsBehind
      case .found(let scan, let bytes) where scan.header.version == 3:
        state = .encrypted
        sizeBytes = bytes
        iteration = Nullable(scan.header.iteration)
      case .found(let scan, let bytes):
        state = .readable
        sizeBytes = bytes
        committedBytes = scan.lastCommitEnd
        commits = scan.commits
        entries = scan.entries
        iteration = Nullable(scan.header.iteration)
        rowGroups = scan.firstRowGroups != nil
        marker = scan.finalMarker != nil
      }
    }
  }
}
