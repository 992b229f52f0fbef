internal import Backup
internal import Files
internal import Jobs
package import Settings

/// Whether a stack is protected, and if not, why and since when; it reads no file and no clock.
package struct Protection: Sendable {
  /// One reason why a stack is not protected.
  package struct Reason: Sendable, Equatable {
    /// Stable, for scripts: "backup.too-old".
    package let code: String
    /// What is wrong, as a clause.
    package let message: String
    /// Since when, in nanoseconds since 1970 UTC; nil when nothing tells.
    package let since: Int64?
    /// What to do.
    package let remedy: String

    /// What it is about: "backup", "proof", "job".
    ///
    /// "None" and "too old" are one subject: people are told once of both.
    package var subject: String { String(code.prefix { $0 != "." }) }
  }

  private static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000
  /// Where no job is configured, backups are expected as often as the guide makes them.
  private static let standardIntervalSeconds: Int64 = 7 * 86_400
  /// Growth below this is nobody's concern, in bytes.
  private static let smallGrowthBytes: Int64 = 64 << 20

  /// The reasons, the gravest first; empty when the stack is protected.
  package let reasons: [Reason]

  package var isProtected: Bool { reasons.isEmpty }

  /// That of a stack that cannot be looked at.
  /// - Parameter why: as a clause.
  package init(unknown why: String) {
    reasons = [Reason(code: "unknown", message: "it cannot be told: \(why)", since: nil, remedy: "hrp doctor")]
  }

  /// - Parameter now: in nanoseconds since 1970 UTC.
  package init(_ facts: ProtectionFacts, limits: ProtectionLimits, now: Int64) {
    var reasons = facts.unreadable.map {
      Reason(code: "unknown", message: "it cannot be told: \($0)", since: nil, remedy: "hrp doctor")
    }
    if let why = facts.damage {
      reasons.append(
        Reason(
          code: "database.unusable", message: "the database cannot be used: \(why)", since: nil, remedy: "hrp recover"))
    }
    if let why = facts.lostMLflow {
      reasons.append(Reason(code: "mlflow.lost", message: why, since: nil, remedy: "hrp recover"))
    }
    if let why = facts.switchedOff {
      reasons.append(
        Reason(
          code: "backup.switched-off", message: "no backups are made: \(why)", since: nil, remedy: "hrp config show"))
    }
    reasons += Self.ageOfBackup(facts, limits: limits, now: now)
    reasons += Self.ageOfProof(facts, limits: limits, now: now)
    reasons += Self.runs(facts)
    if facts.isServiceIdle {
      reasons.append(
        Reason(
          code: "service.not-running", message: "the scheduler is installed as a service, and does not run", since: nil,
          remedy: "hrp service status"))
    }
    reasons += Self.size(facts, limits: limits)
    self.reasons = reasons
  }

  private static func ageOfBackup(_ facts: ProtectionFacts, limits: ProtectionLimits, now: Int64) -> [Reason] {
    guard let newest = facts.newestBackup else {
      // Whether there is one cannot be told.
      guard facts.unreadable.isEmpty else { return [] }
      return [
        Reason(code: "backup.none", message: "there is no verified backup", since: nil, remedy: "hrp backup create")
      ]
    }
    let days = limits.backupDays.value.map { $0 * dayNanoseconds }
    let limit = days ?? (facts.intervalSeconds ?? standardIntervalSeconds) * 1_000_000_000 + dayNanoseconds
    guard now - newest.timestamp > limit else { return [] }
    return [
      Reason(
        code: "backup.too-old",
        message: "the newest verified backup, \(newest.name), is \(Age.words(since: newest.timestamp, now: now)) old; "
          + "at most \(Age.words(since: 0, now: limit)) are allowed",
        since: newest.timestamp + limit, remedy: "hrp backup create")
    ]
  }

  private static func ageOfProof(_ facts: ProtectionFacts, limits: ProtectionLimits, now: Int64) -> [Reason] {
    // Where there is no backup, that is the reason.
    guard facts.newestBackup != nil else { return [] }
    guard let newest = facts.newestProof else {
      return [
        Reason(
          code: "proof.none", message: "no backup was ever drilled: nothing proves that one restores", since: nil,
          remedy: "hrp backup drill")
      ]
    }
    let limit = limits.proofDays.value * dayNanoseconds
    guard now - newest.timestamp > limit else { return [] }
    return [
      Reason(
        code: "proof.too-old",
        message: "the newest drill that passed, of \(newest.name), is "
          + "\(Age.words(since: newest.timestamp, now: now)) old; "
          + "at most \(Age.words(since: 0, now: limit)) are allowed",
        since: newest.timestamp + limit, remedy: "hrp backup drill")
    ]
  }

  private static func runs(_ facts: ProtectionFacts) -> [Reason] {
    facts.lastRuns.compactMap { run in
      let again = "hrp scheduler run-now \(run.job)"
      switch run.state {
      case .failed:
        return Reason(
          code: "job.failed", message: "the last run of \(run.job) failed: \(run.message)",
          since: facts.failingSince[run.job] ?? run.endedAt,
          remedy: again)
      case .running where !facts.isJobRunning:
        return Reason(
          code: "job.interrupted", message: "the last run of \(run.job) was interrupted", since: run.beganAt,
          remedy: again)
      case .completed, .partial, .running: return nil
      }
    }
  }

  private static func size(_ facts: ProtectionFacts, limits: ProtectionLimits) -> [Reason] {
    guard let (newest, before) = facts.sizes, newest > 0, before > 0 else { return [] }
    let factor = Double(newest) / Double(before)
    let hasGrown = factor > limits.sizeFactor.value && newest - before > smallGrowthBytes
    guard hasGrown || factor < 1 / limits.sizeFactor.value else { return [] }
    return [
      Reason(
        code: hasGrown ? "size.grown" : "size.shrunk",
        message: "the newest backup has \(ByteCount.text(newest)), the one before \(ByteCount.text(before))",
        since: facts.newestBackup?.timestamp, remedy: "See what changed: hrp backup show latest")
    ]
  }
}
