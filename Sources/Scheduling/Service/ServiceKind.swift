/// What runs as a service of the user.
package enum ServiceKind: String, Sendable, CaseIterable {
  case scheduler, ops

  /// What people call it.
  package var title: String {
    switch self {
    case .scheduler: "scheduler"
    case .ops: "ops server"
    }
  }

  /// The words of the command line that it runs.
  var words: [String] {
    switch self {
    case .scheduler: ["scheduler", "run", "--log-lines"]
    case .ops: ["ops"]
    }
  }

  /// The words of the command line that does once what the service does all the time; nil when that makes no sense.
  var wordsOnce: [String]? { self == .scheduler ? ["scheduler", "run", "--once", "-q"] : nil }
}
