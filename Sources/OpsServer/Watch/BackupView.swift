internal import Files
internal import Store

/// What is shown of one backup.
package struct BackupView: Sendable {
  /// How far a backup is proven.
  package enum ProofState: String, Sendable {
    /// A drill has restored it, and read all of it.
    case proven
    /// Every byte was read back and compared.
    case verified
    /// Only its lists say what is in it.
    case unverified
    /// A drill or a verification failed.
    case failed
    /// It cannot be told.
    case unknown
  }

  package let name: String
  /// In nanoseconds since 1970 UTC; nil when nothing tells.
  package let timestamp: Int64?
  package let sizeBytes: Int64?
  /// Bytes that it shares with an earlier backup by hard links.
  package let sharedBytes: Int64
  package let durationSeconds: Double?
  package let filesCount: Int?
  package let isComplete: Bool
  package let isPinned: Bool
  package let proof: ProofState
  /// When the proof was made, ISO 8601 with offset.
  package let provenAt: String?
  /// When a drill of it passed last, in nanoseconds since 1970 UTC.
  package let drilledAt: Int64?
  /// The tables as its last drill read them; empty when there was none.
  package let tables: [TableRows]
  /// What is wrong with it; nil when nothing is.
  package let problem: String?
  package let includesMLflow: Bool
  /// Whether it is of this stack, as far as can be told: a directory may hold the backups of others too.
  package let isOfStack: Bool

  /// A table and its rows.
  package struct TableRows: Sendable, Equatable {
    package let name: String
    package let rows: Int64

    package init(name: String, rows: Int64) {
      self.name = name
      self.rows = rows
    }
  }

  /// A verified and complete backup, as tests need it.
  package init(
    name: String, timestamp: Int64, sizeBytes: Int64, sharedBytes: Int64, durationSeconds: Double, proof: ProofState,
    drilledAt: Int64?, tables: [TableRows]
  ) {
    self.name = name
    self.timestamp = timestamp
    self.sizeBytes = sizeBytes
    self.sharedBytes = sharedBytes
    self.durationSeconds = durationSeconds
    self.proof = proof
    self.drilledAt = drilledAt
    self.tables = tables
    (filesCount, isComplete, isPinned, provenAt, problem, includesMLflow) = (nil, true, false, nil, nil, false)
    isOfStack = true
  }

  init(_ backup: ListedBackup, isOfStack: Bool) {
    self.isOfStack = isOfStack
    let metadata = backup.metadata
    let noted = backup.proof
    name = ByteText.escaped(backup.name.bytes)
    timestamp = backup.timestamp
    sizeBytes = metadata?.sizeBytes
    sharedBytes = metadata?.sharedBytes ?? 0
    durationSeconds = metadata?.durationSeconds
    filesCount = metadata?.filesCount
    isComplete = metadata?.complete ?? (metadata != nil)
    isPinned = backup.pin.mayBeThere
    includesMLflow = metadata?.includesMLflow ?? false
    provenAt = noted.value?.at
    drilledAt = noted.value?.drilledAt
    let tables = noted.value.map { $0.tables.isEmpty ? $0.passed?.tables ?? [] : $0.tables } ?? []
    self.tables = tables.map { TableRows(name: $0.shortName, rows: $0.rows) }
    problem =
      backup.problem ?? noted.problem
      ?? noted.value.flatMap { proof in
        proof.isOK ? nil : (proof.failure ?? "its proof failed") + (proof.findings.first.map { ": \($0)" } ?? "")
      }
    if backup.problem != nil || noted.problem != nil {
      proof = .unknown
    } else if let value = noted.value {
      proof = value.isOK ? (value.level == .drill || value.passed != nil ? .proven : .verified) : .failed
    } else {
      proof = metadata?.verified == true ? .verified : .unverified
    }
  }
}
