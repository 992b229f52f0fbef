// When people are told of the protection of a stack. A stack that is not protected must say so; who is told every hour
// stops reading.
//
//   L1  People are told once when protection is lost, and once when it is back.
//   L2  A reason that was not there before is told at once. Example: the newest backup is too old, and that was told;
//       then a job fails as well.
//   L3  As long as protection is lost, people are reminded once a day.
//   L4  A clock that was set back delays a reminder by a day at most, and repeats none.
//   L5  That a new stack is protected is told to nobody.
//   L6  What reached nobody is told again at the next look (`NoticeOffice`).

/// What people are told.
package enum Alarm: Equatable, Sendable {
  case unprotected
  case protected
  case reminder
}

/// Decides what people are told; it reads no file and no clock.
package enum AlarmRules {
  private static let dayNanoseconds: Int64 = 86_400 * 1_000_000_000

  /// - Parameter last: what was told before; nil when nothing was.
  /// - Parameter subjects: what the reasons are about why the stack is not protected now: "backup", "job".
  /// - Parameter now: in nanoseconds since 1970 UTC.
  /// - Returns: what is known from now on, and what people are told; nil when they are told nothing.
  package static func decide(
    after last: AlarmState?, subjects: Set<String>, now: Int64
  ) -> (state: AlarmState, alarm: Alarm?) {
    let before = Set(last?.subjects ?? [])
    let sorted = subjects.sorted()
    let told = { (alarm: Alarm) in
      (state: AlarmState(subjects: sorted, toldAt: now, lookedAt: now), alarm: Alarm?.some(alarm))
    }
    if subjects.isEmpty, !before.isEmpty { return told(.protected) }
    if !subjects.subtracting(before).isEmpty { return told(.unprotected) }
    // L4: what was told in the future was told now.
    let toldAt = min(last?.toldAt ?? now, now)
    if !subjects.isEmpty, now - toldAt >= dayNanoseconds { return told(.reminder) }
    return (AlarmState(subjects: sorted, toldAt: toldAt, lookedAt: now), nil)
  }
}
