/// What is known of one backup when it is decided whether it stays.
package struct RetentionFacts: Sendable, Equatable {
  /// The name of its folder; no two backups of a directory have the same.
  package var name: String
  /// When it was made, in nanoseconds since 1970 UTC; nil when nothing tells.
  package var timestamp: Int64?
  /// The same time, taken from its name; nil when its name has another form than `hrp` gives.
  package var timestampInName: Int64?
  /// Why its metadata, its lock or anything else that decides cannot be read, as a clause; nil when all could be read.
  package var problem: String?
  /// Whether it is pinned.
  package var pin: Pin
  /// What is known of its contents.
  package var condition: Condition
  /// Whether everything that belongs to a backup is in it.
  package var isComplete: Bool
  /// Which file its database is; nil when that is unknown, and then it proves nothing.
  package var databaseIdentity: DatabaseIdentity?
  /// Whether another process uses it.
  package var isBeingRead: Bool

  /// Describes a backup; what is left out is the good case.
  package init(
    name: String, timestamp: Int64?, timestampInName: Int64?, problem: String? = nil, pin: Pin = .none,
    condition: Condition = .verified, isComplete: Bool = true, databaseIdentity: DatabaseIdentity? = nil,
    isBeingRead: Bool = false
  ) {
    self.name = name
    self.timestamp = timestamp
    self.timestampInName = timestampInName
    self.problem = problem
    self.pin = pin
    self.condition = condition
    self.isComplete = isComplete
    self.databaseIdentity = databaseIdentity
    self.isBeingRead = isBeingRead
  }

  /// The mark that keeps a backup, whatever its age is.
  package enum Pin: Sendable, Equatable {
    /// There is certainly no pin.
    case none
    /// There is one, with the words of the user; they may be empty.
    case pinned(String)
    /// It cannot be told: why, as a clause.
    case unreadable(String)
  }

  /// What the latest verification or drill of a backup showed.
  package enum Condition: Sendable, Equatable {
    /// It passed.
    case verified
    /// There was none.
    case notVerified
    /// It failed: why, as a clause.
    case failed(String)
    /// It cannot be told: why, as a clause.
    case unreadable(String)
  }

  /// What tells two files apart: two links to one file have the same identity.
  package struct DatabaseIdentity: Sendable, Hashable {
    /// The number of the file system.
    package var device: UInt64
    /// The number of the file in it.
    package var inode: UInt64

    /// Names a file.
    package init(device: UInt64, inode: UInt64) {
      self.device = device
      self.inode = inode
    }
  }
}

extension RetentionFacts {
  /// Whether its latest check failed.
  var isDamaged: Bool {
    if case .failed = condition { true } else { false }
  }

  /// Why its date cannot be believed; nil when it can be.
  func doubtAboutDate(now: Int64) -> DateDoubt? {
    guard let timestamp else { return .absent }
    guard let timestampInName else { return .foreignName }
    let (difference, isTooFar) = timestamp.subtractingReportingOverflow(timestampInName)
    if isTooFar || difference.magnitude > RetentionPolicy.dayNanoseconds.magnitude { return .disagrees }
    return timestamp > now ? .future : nil
  }
}
