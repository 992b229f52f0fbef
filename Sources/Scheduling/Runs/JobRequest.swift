internal import Calendars
internal import Jobs
internal import Settings
internal import Stacks
internal import Store

/// What a job's process is asked to do.
package struct JobRequest: Codable, Sendable {
  /// Where the stack is, as flags and environment had it for the scheduler.
  private var dataDirectory: String?
  private var databasePath: String?
  private var backupDirectory: String?
  private var trackingURI: String?
  private var includesMLflow: Bool
  private var drill: String
  private var rotates: Bool
  private var copies: Bool
  private var keepDays: Int?
  private var retrySeconds: Int64

  /// The id of the job.
  let job: String
  /// When it is due, in nanoseconds since 1970 UTC.
  let due: Int64
  /// Whether its process was killed before.
  let wasKilled: Bool

  /// - Parameter keepDays: what `--backup-keep-days` said; nil when the configuration decides.
  init(_ job: JobSettings, slot: Slot, reason: SlotReason, settings: StackSettings, keepDays: Int?) {
    dataDirectory = settings.dataDirectory
    databasePath = settings.databasePath
    backupDirectory = settings.backupDirectory
    trackingURI = settings.trackingURI
    includesMLflow = job.includesMLflow
    drill = job.drill.rawValue
    rotates = job.rotates
    copies = job.copies
    retrySeconds = job.retrySeconds
    self.keepDays = keepDays
    self.job = slot.job
    due = slot.due
    wasKilled = reason == .killed
  }

  /// Where the stack is.
  var settings: StackSettings {
    var settings = StackSettings()
    settings.dataDirectory = dataDirectory
    settings.databasePath = databasePath
    settings.backupDirectory = backupDirectory
    settings.trackingURI = trackingURI
    return settings
  }

  var slot: Slot { Slot(job: job, due: due) }

  /// The steps of the job; when it is due next is the scheduler's affair.
  /// - Throws: what the calendar says of the rule.
  func jobSettings(in stack: Stack) throws -> JobSettings {
    JobSettings(
      id: job, schedule: try Schedule(.standard, in: stack.settings.zone.value), includesMLflow: includesMLflow,
      drill: JobSettings.DrillPolicy(rawValue: drill) ?? .weekly, rotates: rotates, copies: copies,
      retrySeconds: retrySeconds)
  }

  /// - Throws: `RetentionPolicyError`.
  func rotation(of stack: Stack) throws -> RetentionSettings { try stack.settings.rotation(keepingDays: keepDays) }
}
