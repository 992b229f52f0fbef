/// Why the date of a backup is not believed.
package enum DateDoubt: Sendable, Equatable {
  /// Nothing says when it was made.
  case absent
  /// Its name is not one that `hrp` gives: somebody renamed it.
  case foreignName
  /// Its name and its metadata differ by more than a day.
  case disagrees
  /// It was made later than now: a clock is or was wrong.
  case future

  /// The doubt as a clause.
  package var clause: String {
    switch self {
    case .absent: "nothing says how old it is"
    case .foreignName: "its name is not one that hrp gives"
    case .disagrees: "its name and its metadata differ by more than a day"
    case .future: "its date is in the future"
    }
  }
}
