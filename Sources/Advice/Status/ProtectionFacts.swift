package import Jobs
internal import Settings

/// What is known of a stack when it is judged whether it is protected.
package struct ProtectionFacts: Sendable {
  /// A backup, or the drill of one.
  package struct Event: Sendable, Equatable {
    /// The name of the backup.
    package var name: String
    /// In nanoseconds since 1970 UTC.
    package var timestamp: Int64

    package init(name: String, timestamp: Int64) {
      self.name = name
      self.timestamp = timestamp
    }
  }

  /// The newest verified backup; nil when there is none.
  package var newestBackup: Event?
  /// The newest backup, when it is incomplete, and what it lacks, as a clause; nil when the newest is complete.
  package var incomplete: (name: String, lacks: String)?
  /// The newest drill that passed; nil when none did.
  package var newestProof: Event?
  /// Bytes of the newest verified backup and of the one before it; nil when there are no two.
  package var sizes: (newest: Int64, before: Int64)?
  /// The newest run of each job.
  package var lastRuns: [SlotRecord]
  /// Since when each job has failed without a success between, in nanoseconds since 1970 UTC.
  package var failingSince: [String: Int64] = [:]
  /// Runs that no living process is making, though their records say that they are running.
  package var isJobRunning: Bool
  /// The shortest time between two runs of a job, in seconds; nil when no job is configured.
  package var intervalSeconds: Int64?
  /// Why no backups are made on this machine, as a clause; nil when they are made.
  package var switchedOff: String?
  /// Whether the scheduler is installed as a service of this stack, and does not run.
  package var isServiceIdle = false
  /// Why the database itself cannot be used, so that no more backups can be made, as a clause; nil when it can.
  package var damage: String?
  /// What MLflow has lost and a backup still has, as a clause; nil when nothing is lost.
  package var lostMLflow: String?
  /// What could not be read, each as a clause: whatever it hides, protection is not claimed on it.
  package var unreadable: [String]

  package init(
    newestBackup: Event? = nil, newestProof: Event? = nil, sizes: (newest: Int64, before: Int64)? = nil,
    switchedOff: String? = nil, lastRuns: [SlotRecord] = [], isJobRunning: Bool = false, intervalSeconds: Int64? = nil,
    unreadable: [String] = []
  ) {
    self.newestBackup = newestBackup
    self.switchedOff = switchedOff
    self.newestProof = newestProof
    self.sizes = sizes
    self.lastRuns = lastRuns
    self.isJobRunning = isJobRunning
    self.intervalSeconds = intervalSeconds
    self.unreadable = unreadable
  }
}
