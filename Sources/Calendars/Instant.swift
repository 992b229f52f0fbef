/// Turns instants into whole seconds and back.
///
/// Nanoseconds in 64 bits reach from 1677 to 2262. Seconds in 64 bits do not overflow in the sums of this module.
enum Instant {
  private static let nanosecondsPerSecond: Int64 = 1_000_000_000

  /// The whole second that an instant lies in, in seconds since 1970 UTC.
  static func wholeSeconds(of nanoseconds: Int64) -> Int64 { nanoseconds.quotient(flooredBy: nanosecondsPerSecond) }

  /// An instant in nanoseconds since 1970 UTC; beyond their reach it is the last one (or the first) that there is.
  static func nanoseconds(ofSecond second: Int64) -> Int64 {
    let (product, isTooFar) = second.multipliedReportingOverflow(by: nanosecondsPerSecond)
    if isTooFar { return second < 0 ? .min : .max }
    return product
  }
}

extension Int64 {
  /// The quotient, rounded down; Swift's own rounds towards zero.
  package func quotient(flooredBy divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }

  /// What is left of a division that rounds down; it is never negative.
  package func remainder(flooredBy divisor: Int64) -> Int64 {
    let remainder = self % divisor
    return remainder < 0 ? remainder + divisor : remainder
  }
}
