/// What a decision needs to know of the moment and of whoever asks.
package struct RetentionRun {
  /// The time, in nanoseconds since 1970 UTC.
  package let now: Int64
  /// Whether nobody watches.
  package let isUnattended: Bool
  /// Whether the clock was seen to jump; this matters only when nobody watches.
  package let clockJumped: Bool
  /// The hour that a local clock shows at a timestamp.
  package let localHour: (Int64) -> LocalHour

  /// Describes a run.
  package init(
    now: Int64, isUnattended: Bool = false, clockJumped: Bool = false, localHour: @escaping (Int64) -> LocalHour
  ) {
    self.now = now
    self.isUnattended = isUnattended
    self.clockJumped = clockJumped
    self.localHour = localHour
  }
}
