package import Backup
internal import Files
internal import Store

/// What `hrp recover --json` says.
package struct RecoveryOutput: Encodable {
  private let scenario: String
  private let findings: [String]
  private let backup: Nullable<String>
  private let backupTimestamp: Nullable<String>
  private let part: Nullable<String>
  private let steps: [String]
  private let lost: [Losses.Row]
  private let notCompared: [String]
  private let missing: [SearchHit]
  private let stillMissing: [SearchHit]
  private let applied: Bool
  private let status: Nullable<String>

  /// - Parameters:
  ///   - steps: the commands of the plan, as they are to be run.
  /// - health: the state of the stack after the plan was carried out; nil when it was not carried out.
  package init(_ plan: RecoveryPlan, steps: [String], health: HealthReport?, stillMissing: [SearchHit]) {
    scenario = plan.scenario.rawValue
    findings = plan.findings
    backup = Nullable(plan.backup)
    backupTimestamp = Nullable(plan.timestamp.map { LocalTime(nanoseconds: $0).iso8601WithOffset })
    part = Nullable(plan.part?.rawValue)
    self.steps = steps
    lost = plan.losses?.rows ?? []
    notCompared = plan.losses?.notices ?? []
    missing = plan.missing
    self.stillMissing = stillMissing
    applied = health != nil
    status = Nullable(health?.status)
  }
}
