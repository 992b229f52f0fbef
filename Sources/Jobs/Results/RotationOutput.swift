package import Backup
internal import Files
package import Store

/// What `hrp backup rotate --json` says.
package struct RotationOutput: Encodable {
  private struct Reason: Encodable {
    let name: String
    let kept: Bool
    let why: String
  }

  private let deleted: [String]
  private let kept: [String]
  private let deletedCount: Int
  private let remaining: Int
  private let bytesFreed: Int64
  private let bytesInTrash: Int64
  private let reasons: [Reason]
  private let refusal: Nullable<String>
  private let dryRun: Bool

  package init(_ result: RotationResult, isDryRun: Bool) {
    deleted = result.deleted
    kept = result.kept
    deletedCount = result.deleted.count
    remaining = result.kept.count
    bytesFreed = result.bytesFreed
    bytesInTrash = result.bytesInTrash
    reasons = result.reasons.map { Reason(name: $0.name, kept: $0.isKept, why: $0.why) }
    refusal = Nullable(result.refusal)
    dryRun = isDryRun
  }
}

/// What `hrp backup trash list --json` says of one deleted backup.
package struct TrashOutput: Encodable {
  /// The name of its directory, in readable form.
  package let name: String
  private let deletedAt: Nullable<String>
  private let untilText: Nullable<String>

  /// Until when it stays, ISO 8601 with offset; nil when nothing says since when it is there.
  package var until: String? { untilText.value }

  private enum CodingKeys: String, CodingKey {
    case name, deletedAt
    case untilText = "until"
  }

  /// - Parameter days: for how many days a deleted backup stays.
  package init(_ entry: Trash.Entry, keptFor days: Int64) {
    name = ByteText.escaped(entry.name.bytes)
    let words = { (timestamp: Int64) in LocalTime(nanoseconds: timestamp).iso8601WithOffset }
    deletedAt = Nullable(entry.deletedAt.map(words))
    untilText = Nullable(entry.deletedAt.map { words($0 &+ days * 86_400 * 1_000_000_000) })
  }
}
