package import Calendars

/// A backup job of the schedule, as it is configured.
package struct JobSettings: Sendable {
  /// How often a scheduled backup is drilled.
  package enum DrillPolicy: String, Sendable, CaseIterable {
    case always, daily, weekly, monthly, never

    /// A drill that is younger than so many seconds is not repeated; nil when none is made.
    package var minimumAgeSeconds: Int64? {
      switch self {
      case .always: 0
      case .daily: 86_400
      case .weekly: 7 * 86_400
      case .monthly: 30 * 86_400
      case .never: nil
      }
    }
  }

  /// The id that list-jobs and the history show: "weekly_backup".
  package var id: String
  /// When it is due, and by whose clock.
  package var schedule: Schedule
  /// Whether MLflow's directory is part of the backup.
  package var includesMLflow: Bool
  package var drill: DrillPolicy
  /// Whether old backups are rotated afterwards.
  package var rotates: Bool
  /// Whether the backup is copied to the second places.
  package var copies: Bool
  /// After so many minutes without progress, those in which the machine slept left out, a run is ended.
  package var timeoutMinutes: Int64
  /// The seconds before a run that failed is tried again; before the last try it is five times as long.
  package var retrySeconds: Int64

  package init(
    id: String, schedule: Schedule, includesMLflow: Bool = true, drill: DrillPolicy = .weekly, rotates: Bool = true,
    copies: Bool = true, timeoutMinutes: Int64 = standardTimeoutMinutes,
    retrySeconds: Int64 = standardRetrySeconds
  ) {
    self.id = id
    self.schedule = schedule
    self.includesMLflow = includesMLflow
    self.drill = drill
    self.rotates = rotates
    self.copies = copies
    self.timeoutMinutes = timeoutMinutes
    self.retrySeconds = retrySeconds
  }

  /// The timeout when nothing else is asked for.
  package static let standardTimeoutMinutes: Int64 = 60
  /// The seconds before the second try when nothing else is asked for.
  package static let standardRetrySeconds: Int64 = 60

  /// The id of the job that the guide has.
  package static let standardID = "weekly_backup"

  /// The id in words: "Weekly Backup".
  package var title: String {
    id.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: " ")
  }

  /// Whether a text may be an id: small letters, digits, `_` and `-`, at most 64.
  static func isID(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      }
  }
}
