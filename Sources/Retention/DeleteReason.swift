/// Why a backup may go; in each case no rule keeps it, and two verified backups stay.
package enum DeleteReason: Sendable, Equatable {
  /// It is verified and complete.
  case outlived
  /// It is damaged: why.
  case damaged(String)
  /// It is incomplete.
  case incomplete
  /// It was never verified.
  case notVerified

  /// The reason as a clause for people.
  package var clause: String {
    switch self {
    case .outlived: "no rule keeps it"
    case .damaged(let why): "it is damaged (\(why)), no rule keeps it, and a newer one is verified"
    case .incomplete: "it is incomplete, no rule keeps it, and a newer one is verified"
    case .notVerified: "it was never verified, no rule keeps it, and a newer one is verified"
    }
  }
}
