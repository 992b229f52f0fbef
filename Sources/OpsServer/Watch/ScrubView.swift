internal import Backup
internal import DuckDBFile

/// How far the walk over the blocks of the database is, and what it found.
struct ScrubView: Sendable {
  /// The most blocks that are named one by one.
  private static let maximumNamed = 20

  let position: BlockScrub.Position
  let blocksInUse: Int
  let damaged: [Int]
  /// Why the walk does not go on; nil when it does.
  let problem: String?
  private let isEncrypted: Bool

  init(_ scrub: BlockScrub, problem: String?) {
    position = scrub.position
    blocksInUse = scrub.blocksInUse
    damaged = scrub.damaged.sorted()
    self.problem = problem
    isEncrypted = scrub.isEncrypted
  }

  /// The share of this pass that is done, from 0 to 1; nil when nothing is known of the database.
  var progress: Double? { blocksInUse > 0 ? min(1, Double(position.blocks) / Double(blocksInUse)) : nil }

  var check: StackReadiness.Check {
    guard damaged.isEmpty else {
      let named = damaged.prefix(Self.maximumNamed).map { "\($0)" }.joined(separator: ", ")
      let more = damaged.count > Self.maximumNamed ? " and \(damaged.count - Self.maximumNamed) more" : ""
      return StackReadiness.Check(
        "blocks",
        state: .failure(
          damaged.count == 1
            ? "block \(named) is damaged: its checksum does not match, read three times"
            : "blocks \(named)\(more) are damaged: their checksums do not match, read three times"))
    }
    if isEncrypted {
      return StackReadiness.Check("blocks", state: .unknown("the database is encrypted: its checksums cannot be read"))
    }
    if let problem { return StackReadiness.Check("blocks", state: .unknown(problem)) }
    return StackReadiness.Check("blocks", state: .good)
  }
}
