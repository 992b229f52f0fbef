/// What becomes of one backup.
package enum RetentionOutcome: Sendable, Equatable {
  /// It stays, for every one of these reasons; there is at least one.
  case keep([KeepReason])
  /// It may be deleted.
  case delete(DeleteReason)

  /// Whether it stays.
  package var isKept: Bool {
    if case .keep = self { true } else { false }
  }

  /// The reasons as one clause for people.
  package var clause: String {
    switch self {
    case .keep(let reasons): reasons.map(\.clause).joined(separator: "; ")
    case .delete(let reason): reason.clause
    }
  }
}
