/// Starts the writing out of what was written, a step at a time, and waits for the step before.
package struct WritebackPace {
  /// Bytes of one step: enough for the disk to be quick, little enough for a commit of others to slip in between.
  package static let stepBytes: Int64 = 8 << 20

  private var start: Int64 = 0
  private var end: Int64 = 0
  private var previous: Range<Int64>?

  package init() {}

  /// Notes a write; at the end of a step, starts its writing out and waits for the one before.
  package mutating func wrote(_ count: Int, at offset: Int64, to file: OpenFile) throws(SystemError) {
    if offset != end { start = offset }
    end = offset + Int64(count)
    guard end - start >= Self.stepBytes else { return }
    if let previous {
      try file.files.waitForWriteback(
        file.descriptor, offset: previous.lowerBound, length: previous.upperBound - previous.lowerBound)
    }
    try file.files.startWriteback(file.descriptor, offset: start, length: end - start)
    previous = start..<end
    start = end
  }
}
