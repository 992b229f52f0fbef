package import Files
package import Stacks
internal import SystemPackage

/// When a scheduler of a stack began last: one that stays, or `hrp scheduler run --once`, as cron starts it.
///
/// Its lock file tells, which every scheduler writes to when it begins. A job that somebody ran by hand is none.
package struct SchedulerLife {
  /// cron starts one each minute, as hrp service install advises; whoever made that an hour is heard too.
  private static let recentNanoseconds: Int64 = 2 * 3600 * 1_000_000_000

  /// When it began, in nanoseconds since 1970 UTC; nil when none is known.
  package let newest: Int64?
  /// Whether that was within two hours: then cron may start one again, though none runs now.
  package let isRecent: Bool

  /// Looks; what cannot be read is not known.
  package init(of stack: Stack, files: any FileSystem, time: any TimeSource) {
    let path = stack.dataDirectory.appending(AdvisoryLock.Place.scheduler.rawValue)
    newest = forPeople { try files.statusIfPresent(path)?.modifiedNanoseconds } ?? nil
    let now = time.nowNanoseconds
    isRecent = newest.map { now - $0 < Self.recentNanoseconds } ?? false
  }
}
