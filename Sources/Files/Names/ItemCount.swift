/// A number of things, for people.
package enum ItemCount {
  /// The number and the noun: "1 file", "3 files".
  package static func text(_ count: Int, of noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
