package import Files
internal import Retention
package import Settings
package import Store

/// Why a backup is kept, as far as that can be told without reading its contents.
package enum KeepReasons {
  /// The reasons, each as a clause; empty when the next rotation with this policy deletes the backup.
  ///
  /// - Parameter all: the backups of the same directory, newest first.
  package static func of(
    _ backup: ListedBackup, among all: [ListedBackup], retention: RetentionSettings, time: any TimeSource
  ) -> [String] {
    let run = retention.run(now: time.nowNanoseconds)
    let plan = RetentionPlan(
      of: all.filter { $0.retentionGroup == backup.retentionGroup }.map { RetentionFacts($0) },
      policy: retention.policy, run: run)
    let name = ByteText.escaped(backup.name.bytes)
    guard let decision = plan.decisions.first(where: { $0.name == name }) else { return [] }
    guard case .keep(let reasons) = decision.outcome else { return [] }
    return reasons.map(\.clause)
  }
}
