/// One backup, and what becomes of it.
package struct RetentionDecision: Sendable, Equatable {
  /// The name of its folder.
  package let name: String
  /// When it was made, in nanoseconds since 1970 UTC; nil when nothing tells.
  package let timestamp: Int64?
  /// What becomes of it.
  package let outcome: RetentionOutcome

  /// The decision as a line for people.
  package var line: String { "\(name) \(outcome.isKept ? "stays" : "goes"): \(outcome.clause)" }
}
