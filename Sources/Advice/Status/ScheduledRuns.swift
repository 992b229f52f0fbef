internal import Calendars
package import Files
internal import Jobs
internal import Settings
package import Stacks

/// When jobs of a stack were run last, whoever ran them: a scheduler, or cron with `hrp scheduler run --once`.
package struct ScheduledRuns {
  private static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000

  /// When the newest run began, in nanoseconds since 1970 UTC; nil when none is known.
  package let newest: Int64?
  /// Whether that is as recent as the schedule asks.
  package let isRecent: Bool

  /// Looks; what cannot be read is not known.
  package init(of stack: Stack, files: any FileSystem, time: any TimeSource) {
    let catalogue = Catalogue.ifPresent(of: stack, files: files, time: time)
    newest = forPeople { try catalogue?.slots(limit: 1).first?.beganAt } ?? nil
    let interval = stack.settings.schedule.jobs.map { Int64($0.schedule.rule.nominalSeconds) }.min() ?? 0
    let now = time.nowNanoseconds
    isRecent = newest.map { now - $0 < interval * 1_000_000_000 + Self.dayNanoseconds } ?? false
  }
}
