internal import Files

/// Damage of a WAL: bytes behind its last whole entry that no crash of a writer explains.
///
/// DuckDB ends a WAL at an entry that is cut short, and refuses one whose checksum is wrong (docs/formats/duckdb.md
/// §2.1 has the table). This is stricter where DuckDB loses data silently: a commit behind the wrong bytes proves
/// that they were whole once.
package struct WALDamage: Sendable, Equatable {
  /// Where the first wrong byte is at the earliest: the end of the last whole entry.
  package let offset: Int64
  /// Commits that lie behind it and would be lost.
  package let commitsBehind: Int
  /// Space that a storage format of 2.0 and later may have reserved: zeros up to the end.
  private let isReservedSpace: Bool
  /// The first bytes, to tell damage from what a writer is writing just now.
  private let head: [UInt8]

  private static let headLength = 4096
  /// A commit as it lies in the WAL: size 5, its checksum, the entry of type 100 (the same in 1.0 … 2.0).
  private static let commit: [UInt8] = [
    0x05, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0xfe, 0x7d, 0x72, 0x2f, 0xed, 0x3d, 0x5e, 0x64, 0, 0x64, 0xff, 0xff,
  ]

  /// Looks at what follows the last whole entry; returns nil when that is the ordinary end of a WAL.
  /// - Parameter size: bytes of the WAL when it was walked; what was appended since proves nothing.
  init?(behind scan: WALScan, in file: OpenFile, size: Int64, buffer: IOBuffer) throws {
    guard scan.tail != .nothing else { return nil }
    offset = scan.end
    let rest = try Self.search(file, from: offset, to: size, buffer: buffer)
    commitsBehind = rest.commits
    isReservedSpace = scan.tail == .empty && rest.isZero
    // Fewer bytes than an entry has, or one that is longer than the file: that is how a crash ends a WAL.
    if scan.tail == .cutShort, commitsBehind == 0 { return nil }
    head = try file.read(count: Self.headLength, at: offset)
  }

  /// Whether an engine that writes a storage version takes it for damage.
  package func isDamage(inStorageVersion version: UInt64) -> Bool {
    !(isReservedSpace && version >= StorageVersion.reservesWALSpace)
  }

  /// Whether two looks saw the same wrong bytes: a writer would have finished them in the meantime.
  package func isStill(_ earlier: WALDamage) -> Bool { offset == earlier.offset && head == earlier.head }

  /// Counts the commits behind an offset, wherever they lie, and looks whether there is anything but zeros.
  private static func search(
    _ file: OpenFile, from start: Int64, to end: Int64, buffer: IOBuffer
  ) throws -> (commits: Int, isZero: Bool) {
    var (commits, isZero) = (0, true)
    var position = start
    let overlap = commit.count - 1
    while true {
      try Interruption.check()
      let count = min(try file.read(into: buffer.bytes, at: position), Int(clamping: max(0, end - position)))
      let bytes = buffer.prefix(count)
      isZero = isZero && bytes.allSatisfy { $0 == 0 }
      commits += occurrences(in: bytes)
      guard count == buffer.bytes.count else { return (commits, isZero) }
      position += Int64(count - overlap)
    }
  }

  private static func occurrences(in bytes: UnsafeRawBufferPointer) -> Int {
    var found = 0
    var start = 0
    while start + commit.count <= bytes.count {
      // The rarest byte of the pattern leads to it: most of a WAL is never compared.
      guard let place = bytes[(start + 8)...].firstIndex(of: commit[8]) else { return found }
      let begin = place - 8
      if begin + commit.count <= bytes.count, bytes[begin..<(begin + commit.count)].elementsEqual(commit) {
        found += 1
        start = begin + commit.count
      } else {
        start = begin + 1
      }
    }
    return found
  }
}
