/// Decides which backups stay, and why.
///
/// Pure: it reads no file and no clock. `Rotation` finds the facts and carries the decisions out (D1, D2 and D5, at the
/// head of `Rotation.swift`).
package struct RetentionPolicy: Sendable {
  /// The days that backups are kept when nothing else is asked for.
  package static let defaultKeepDays = 30
  private static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000
  /// D2: so many good backups stay, whatever their age.
  package static let minimumKept = 2

  /// Backups that are older than this timestamp may be deleted.
  private let limit: Int64

  /// - Parameter now: in nanoseconds since 1970 UTC.
  package init(keepDays: Int, now: Int64) {
    limit = now - Int64(keepDays) * Self.dayNanoseconds
  }

  /// What is known of one backup.
  package struct Facts: Sendable {
    /// When it was made, in nanoseconds since 1970 UTC; nil when nothing tells.
    package var timestamp: Int64?
    /// The same time, taken from its name; nil when its name has another form than `hrp` gives.
    package var timestampInName: Int64?
    /// Why it cannot be judged, as a clause; nil when everything that a decision needs could be read.
    package var problem: String?
    package var pin: Pin
    package var reading: Reading

    package init(
      timestamp: Int64?, timestampInName: Int64?, problem: String? = nil, pin: Pin = .none, reading: Reading = .unread
    ) {
      self.timestamp = timestamp
      self.timestampInName = timestampInName
      self.problem = problem
      self.pin = pin
      self.reading = reading
    }
  }

  /// Whether it is pinned.
  package enum Pin: Sendable, Equatable {
    case none, pinned
    /// It cannot be told: why, as a clause.
    case unreadable(String)
  }

  /// What reading all of it showed.
  package enum Reading: Sendable, Equatable {
    /// It was not read: enough good ones are newer.
    case unread
    case good
    /// It cannot be relied on: why, as a clause.
    case doubtful(String)
  }

  /// What becomes of a backup.
  package enum Decision: Sendable, Equatable {
    case delete
    /// It is younger than what may go.
    case young
    /// It stays although it is old enough to be deleted.
    case keep(because: String)
    /// It stays, and something is wrong with it.
    case keepInDoubt(because: String)
  }

  /// Whether a backup is old enough to be deleted; when none is, nothing else about them is needed.
  package func isOld(_ timestamp: Int64?) -> Bool { timestamp ?? .min < limit }

  /// Why it cannot be told how old a backup is, as a clause; nil when its name and its metadata agree.
  static func doubtAboutAge(_ timestamp: Int64?, inName named: Int64?) -> String? {
    guard let timestamp else { return "nothing says how old it is" }
    guard let named else { return "its name is not one that hrp gives" }
    return abs(named - timestamp) > dayNanoseconds ? "its name and its metadata differ by more than a day" : nil
  }

  package func decision(on facts: Facts) -> Decision {
    guard isOld(facts.timestamp) else { return .young }
    if let problem = facts.problem { return .keepInDoubt(because: problem) }
    if let doubt = Self.doubtAboutAge(facts.timestamp, inName: facts.timestampInName) { return .keep(because: doubt) }
    switch facts.pin {
    case .none: break
    case .pinned: return .keep(because: "it is pinned")
    case .unreadable(let why): return .keepInDoubt(because: "whether it is pinned cannot be told (\(why))")
    }
    switch facts.reading {
    case .unread: return .delete
    case .good: return .keep(because: "it is one of the newest \(Self.minimumKept) good ones")
    case .doubtful(let why): return .keepInDoubt(because: "\(why); look at it before you delete it")
    }
  }
}
