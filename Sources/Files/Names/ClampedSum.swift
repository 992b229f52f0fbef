extension Int64 {
  /// The sum, or the largest number: sizes that a stranger wrote down may be any.
  package func addingClamped(_ other: Int64) -> Int64 {
    let (sum, isBeyond) = addingReportingOverflow(other)
    return isBeyond ? (other < 0 ? .min : .max) : sum
  }
}
