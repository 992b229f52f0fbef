internal import Files
package import Store

/// What `hrp backup show --json` says: all that the list says, and more.
package struct ShownBackupOutput: Encodable {
  private struct Part: Encodable {
    let name: String
    let files: Int
    let bytes: Int64
  }

  private struct PinOutput: Encodable {
    let at: String
    let reason: String
  }

  private struct Copy: Encodable {
    let place: String
    let path: Nullable<String>
    let present: Nullable<Bool>
    let copiedAt: Nullable<String>
  }

  private struct Table: Encodable {
    let name: String
    let rows: Int64
  }

  private struct ProofOutput: Encodable {
    let level: String
    let at: String
    let ok: Bool
    let engine: String
    let state: String
    let durationSeconds: Double
    let findings: [String]
    let tables: [Table]
  }

  private struct More: Encodable {
    let number: Nullable<Int>
    let sourceDir: Nullable<String>
    let hrpVersion: Nullable<String>
    let host: Nullable<String>
    let libraryVersion: Nullable<String>
    let method: Nullable<String>
    let iteration: Nullable<Int64>
    let sharedWith: Nullable<String>
    let sharedBytes: Nullable<Int64>
    let contents: [Part]
    let notCounted: [String]
    let pin: Nullable<PinOutput>
    let keptBecause: [String]
    let copies: [Copy]
    /// In full, in place of what the list says of it.
    let proof: Nullable<ProofOutput>
  }

  private let listed: ListedBackupOutput
  private let more: More

  /// - Parameter number: its place in the list, counted from 1.
  package init(
    _ backup: ListedBackup, number: Int?, contents: BackupContents, keptBecause reasons: [String],
    copies: [KnownCopy]
  ) {
    let metadata = backup.metadata
    listed = ListedBackupOutput(backup)
    more = More(
      number: Nullable(number), sourceDir: Nullable(metadata?.sourceDirectory),
      hrpVersion: Nullable(metadata?.hrpVersion), host: Nullable(metadata?.host),
      libraryVersion: Nullable(metadata?.libraryVersion), method: Nullable(metadata?.snapshotMethod),
      iteration: Nullable(metadata?.snapshotIteration), sharedWith: Nullable(metadata?.sharedWith),
      sharedBytes: Nullable(metadata?.sharedBytes),
      contents: contents.parts.map { Part(name: $0.name, files: $0.files, bytes: $0.bytes) },
      notCounted: contents.unread,
      pin: Nullable(backup.pin.value.map { PinOutput(at: $0.at, reason: $0.reason) }), keptBecause: reasons,
      copies: copies.map {
        Copy(
          place: $0.place, path: Nullable($0.path?.text), present: Nullable($0.isPresent),
          copiedAt: Nullable($0.copiedAt))
      },
      proof: Nullable(backup.proof.value.map(Self.proof)))
  }

  private static func proof(_ proof: Proof) -> ProofOutput {
    ProofOutput(
      level: proof.level.rawValue, at: proof.at, ok: proof.isOK, engine: proof.engine, state: proof.stateWord,
      durationSeconds: proof.durationSeconds, findings: proof.findings,
      tables: proof.tables.map { Table(name: $0.name, rows: $0.rows) })
  }

  package func encode(to encoder: any Encoder) throws {
    try listed.encode(to: encoder)
    try more.encode(to: encoder)
  }
}
