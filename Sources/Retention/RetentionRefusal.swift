/// Why a run that nobody watches deletes nothing at all.
package enum RetentionRefusal: Sendable, Equatable {
  /// The clock jumped, so every age is in doubt; so many backups would have been deleted.
  case clockJumped(deleting: Int)
  /// Too many would be deleted at once: how many, and how many verified ones there are.
  case tooMany(deleting: Int, verified: Int)

  /// The refusal as full sentences for people.
  package var sentence: String {
    switch self {
    case .clockJumped(let count):
      "The clock jumped, so nothing is deleted. The rules would have deleted \(Self.backups(count))."
    case .tooMany(let count, let verified):
      "The rules would delete \(Self.backups(count)), more than half as many as are verified (\(verified)). "
        + "Run it by hand to confirm this."
    }
  }

  private static func backups(_ count: Int) -> String { count == 1 ? "1 backup" : "\(count) backups" }
}
