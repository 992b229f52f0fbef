internal import Calendars
internal import Files
internal import Jobs
internal import Settings
internal import Store

/// What `hrp status --json` says.
package struct StatusOutput: Encodable {
  private struct Reason: Encodable {
    let code: String
    let message: String
    let since: Nullable<String>
    let remedy: String
  }

  private struct Event: Encodable {
    let name: String
    let at: String
  }

  private struct Pause: Encodable {
    let job: String
    let since: String
  }

  private struct LostNotice: Encodable {
    let channel: String
    let kind: String
    let at: String
    let why: String
  }

  private struct Place: Encodable {
    let name: String
    let newestCopy: Nullable<Event>
    let problem: Nullable<String>
  }

  private struct Run: Encodable {
    let job: String
    let at: String
  }

  private let protected: Bool
  private let reasons: [Reason]
  private let newestBackup: Nullable<Event>
  private let newestProof: Nullable<Event>
  private let nextRuns: [Run]
  private let schedulerRunning: Nullable<Bool>
  private let paused: [Pause]
  private let lostNotices: [LostNotice]
  private let places: [Place]
  private let copiesElsewhere: Nullable<Bool>

  /// - Parameter completed: makes a remedy one that can be run as it is.
  package init(_ status: StackStatus, completed: (String) -> String) {
    let words = { (timestamp: Int64) in LocalTime(nanoseconds: timestamp).iso8601WithOffset }
    let event = { (event: ProtectionFacts.Event) in Event(name: event.name, at: words(event.timestamp)) }
    protected = status.protection.isProtected
    reasons = status.protection.reasons.map {
      Reason(code: $0.code, message: $0.message, since: Nullable($0.since.map(words)), remedy: completed($0.remedy))
    }
    newestBackup = Nullable(status.facts.newestBackup.map(event))
    newestProof = Nullable(status.facts.newestProof.map(event))
    nextRuns = status.nextRuns.map { Run(job: $0.job.id, at: words($0.at)) }
    schedulerRunning = Nullable(status.hasScheduler)
    paused = status.pausedJobs.map { Pause(job: $0.job, since: $0.since) }
    lostNotices = status.lostNotices.map {
      LostNotice(channel: $0.channel, kind: $0.kind, at: $0.at, why: $0.words)
    }
    places = status.places.map {
      Place(name: $0.name, newestCopy: Nullable($0.newestCopy.map(event)), problem: Nullable($0.problem))
    }
    copiesElsewhere = Nullable(status.elsewhere.isPresent)
  }
}
