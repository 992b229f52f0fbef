/// A stretch of time in which a zone keeps one offset.
struct OffsetSpan: Sendable, Equatable {
  /// Its first second, in seconds since 1970 UTC.
  let startSeconds: Int64
  /// The first second after it, in seconds since 1970 UTC.
  var endSeconds: Int64
  /// Seconds east of UTC.
  let offsetSeconds: Int64
}
