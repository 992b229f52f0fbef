/// How deep a check looks.
///
/// Each level holds the one before.
public enum VerificationLevel: String, Sendable, Comparable, CaseIterable {
  /// All bytes are those that were written; no file is missing, and none was added.
  case checksums
  /// Every DuckDB block in use carries its checksum, the WAL is whole, SQLite finds its databases right.
  case structure
  /// A copy opens in the engine, and everything in it can be read.
  case engine

  /// Whether the left level looks less deep.
  public static func < (left: VerificationLevel, right: VerificationLevel) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
