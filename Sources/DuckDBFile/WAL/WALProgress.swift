internal import Files

/// How far a WAL was walked, so that the next look at it need not begin again.
package struct WALProgress: Sendable {
  /// Bytes before the last commit that must still be the same.
  private static let tailLength: Int64 = 4096

  private let identity: FileIdentity
  private let head: [UInt8]
  private let tail: [UInt8]
  /// As it was at the end of a commit: what follows a commit may be taken back by the engine.
  let scanner: WALScanner

  /// - Returns: nil when the last whole entry is no commit.
  init?(_ scanner: WALScanner, in file: OpenFile, identity: FileIdentity, head: [UInt8]) throws(SystemError) {
    guard scanner.scan.end == scanner.scan.lastCommitEnd else { return nil }
    var scanner = scanner
    scanner.rewind()
    self.scanner = scanner
    self.identity = identity
    self.head = Array(head.prefix(scanner.scan.header.length))
    tail = try Self.tail(of: file, before: scanner.scan.lastCommitEnd)
  }

  /// Whether a WAL is the one that was walked, and has only grown since.
  ///
  /// An inode may be used again, so the bytes at both ends are compared too.
  func isBeginning(of file: OpenFile, identity: FileIdentity, head: [UInt8]) throws(SystemError) -> Bool {
    guard identity == self.identity, head.starts(with: self.head) else { return false }
    return try Self.tail(of: file, before: scanner.scan.lastCommitEnd) == tail
  }

  private static func tail(of file: OpenFile, before end: Int64) throws(SystemError) -> [UInt8] {
    let start = max(0, end - tailLength)
    return try file.read(count: Int(end - start), at: start)
  }
}
