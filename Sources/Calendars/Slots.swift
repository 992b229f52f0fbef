/// The slots of one rule in one zone, in seconds since 1970 UTC.
protocol Slots: Sendable {
  /// The first slot that is strictly after a second.
  func next(afterSecond second: Int64) -> Int64
  /// The last slot that is not after a second.
  func latest(atOrBeforeSecond second: Int64) -> Int64
  /// How many slots are after one second and not after another, later one.
  func count(afterSecond first: Int64, throughSecond last: Int64) -> Int
}
