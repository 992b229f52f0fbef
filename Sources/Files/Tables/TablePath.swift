/// Where a table, a view or a sequence is in a database: its schemas from the outermost on, then its own name.
///
/// Two are the same when all their parts are the same. Joined by dots, different ones may look alike: names may hold
/// dots, and since DuckDB 2.0 a schema may hold schemas.
public struct TablePath: Hashable, Comparable, Codable, Sendable {
  /// The schemas, then the name.
  public let parts: [String]

  package init(_ parts: [String]) { self.parts = parts }

  /// For people: the parts with dots between; a part that could be misread stands in quotes, control characters as
  /// `%` and two digits.
  public var text: String { parts.map(Self.text).joined(separator: ".") }

  /// The same, without the schema when that is `main` alone.
  package var shortText: String {
    parts.count == 2 && parts[0] == "main" ? Self.text(parts[1]) : text
  }

  /// Compares part by part.
  public static func < (left: TablePath, right: TablePath) -> Bool {
    left.parts.lexicographicallyPrecedes(right.parts)
  }

  private static func text(_ part: String) -> String {
    let isPlain = !part.isEmpty && !part.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == 0x22 || $0 == 0x2E }
    return isPlain ? part : ByteText.escaped(Array(SQLText.name(part).utf8))
  }
}
