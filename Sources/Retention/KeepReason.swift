/// Why a backup stays.
package enum KeepReason: Sendable, Equatable {
  /// Somebody pinned it, with these words.
  case pinned(String)
  /// It cannot be told whether it is pinned: why.
  case pinUnreadable(String)
  /// Something that decides cannot be read: why.
  case unreadable(String)
  /// It cannot be told what its latest check showed: why.
  case conditionUnreadable(String)
  /// Its date is not believed.
  case doubtfulDate(DateDoubt)
  /// Another backup in the list has the same name, so it cannot be told which one is meant.
  case sharedName
  /// Another process uses it.
  case beingRead
  /// It is one of the newest two verified backups.
  case newestVerified
  /// Its database is, or may be, the second copy that the newest verified backups do not have.
  case secondCopy
  /// No verified backup is newer, so nothing else may hold what it holds.
  case nothingNewerVerified
  /// It is younger than so many days.
  case young(Int)
  /// It is within an age of the newest verified backup.
  case within(RetentionAge)
  /// It is the last verified backup of an hour, a day …, which is named.
  case lastOf(RetentionPeriod, String)
  /// No backup of its hour, day … is verified, so none can stand for the others.
  case noneVerified(RetentionPeriod, String)
  /// It is the oldest verified backup, and the rule could keep more than there are.
  case oldest(RetentionPeriod)
  /// Fewer than two verified backups exist, so nothing is deleted.
  case tooFewVerified
  /// Nothing is deleted in this run.
  case refused

  /// The reason as a clause for people.
  package var clause: String {
    switch self {
    case .pinned(let words): "it is pinned" + (words.isEmpty ? "" : ": \(words)")
    case .pinUnreadable(let why): "it may be pinned: its pin cannot be read (\(why))"
    case .unreadable(let why): "it cannot be judged: \(why)"
    case .conditionUnreadable(let why): "it cannot be told whether it is good (\(why))"
    case .doubtfulDate(let doubt): doubt.clause
    case .sharedName: "another backup has the same name"
    case .beingRead: "it is being read; for now"
    case .newestVerified: "it is one of the newest two verified"
    case .secondCopy: "it has, or may have, the second copy of the database"
    case .nothingNewerVerified: "no verified backup is newer"
    case .young(let days): "days: it is younger than \(days) days"
    case .within(let age): "within: it is within \(age.text) of the newest verified"
    case .lastOf(.last, _): "last: it is one of the last verified"
    case .lastOf(let period, let label): "\(period.rawValue): the last of \(label)"
    case .noneVerified(.last, _): "last: it is not verified, so it does not count as one of the last"
    case .noneVerified(let period, let label): "\(period.rawValue): no backup of \(label) is verified, so all stay"
    case .oldest(let period): "\(period.rawValue): the oldest, as there are fewer than are to be kept"
    case .tooFewVerified: "fewer than two verified backups exist"
    case .refused: "nothing is deleted in this run"
    }
  }

  /// Whether it is a rule of the policy that keeps the backup.
  package var isRule: Bool {
    switch self {
    case .young, .within, .lastOf, .noneVerified, .oldest: true
    default: false
    }
  }

  /// Whether something is wrong with the backup, so that somebody should look at it.
  package var isDoubt: Bool {
    switch self {
    case .pinUnreadable, .unreadable, .conditionUnreadable, .doubtfulDate, .sharedName: true
    default: false
    }
  }
}
