internal import Backup
internal import Files
package import Store

/// What `hrp backup list --json` says of one backup.
package struct ListedBackupOutput: Encodable {
  private struct ProofOutput: Encodable {
    let level: String
    let at: String
    let ok: Bool
    let engine: String
    let state: String
  }

  private let name: String
  private let path: String
  private let timestamp: Nullable<String>
  private let sizeBytes: Nullable<Int64>
  private let sizeMb: Nullable<Double>
  private let filesCount: Nullable<Int>
  private let verified: Bool
  private let complete: Bool
  private let sharesStorage: Bool
  private let sourceDir: Nullable<String>
  private let pinned: Bool
  private let proof: Nullable<ProofOutput>
  // Only there when there is something to say.
  private let problem: String?
  private let pinError: String?
  private let proofError: String?

  package init(_ backup: ListedBackup) {
    let metadata = backup.metadata
    name = ByteText.escaped(backup.name.bytes)
    path = backup.path.text
    timestamp = Nullable(backup.timestamp.map { LocalTime(nanoseconds: $0).iso8601WithOffset })
    sizeBytes = Nullable(metadata?.sizeBytes)
    sizeMb = Nullable(metadata?.sizeBytes.map(ByteCount.roundedMegabytes))
    filesCount = Nullable(metadata?.filesCount)
    verified = metadata?.verified ?? false
    complete = metadata?.complete ?? (metadata != nil)
    sharesStorage = metadata?.sharesStorage ?? false
    sourceDir = Nullable(metadata?.sourceDirectory)
    pinned = backup.pin.mayBeThere
    proof = Nullable(
      backup.proof.value.map {
        ProofOutput(level: $0.level.rawValue, at: $0.at, ok: $0.isOK, engine: $0.engine, state: $0.stateWord)
      })
    problem = backup.problem
    pinError = backup.pin.problem
    proofError = backup.proof.problem
  }
}
