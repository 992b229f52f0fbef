/// Bytes that are not what DuckDB writes: where, what was expected, what is there.
public struct FormatError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was being read: "database header", "block 17", "WAL entry".
  public let part: String
  /// Where it lies, in bytes from the start of the file; nil when that is not known.
  public let offset: Int64?
  /// What is wrong, as a clause: "checksum is 0x…, contents hash to 0x…".
  public let problem: String

  package init(_ part: String, at offset: Int64? = nil, problem: String) {
    self.part = part
    self.offset = offset
    self.problem = problem
  }

  /// Part, place and problem in one line.
  public var description: String {
    offset.map { "\(part) at byte \($0): \(problem)" } ?? "\(part): \(problem)"
  }
}
