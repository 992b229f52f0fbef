/// What a pass over the entries of a log finds: how far it is committed, and where a checkpoint left its marks.
///
/// Pure: the bytes come in pieces from ``LogScanner``'s caller, and a log of any length costs the same memory.
package struct LogScan: Sendable, Equatable {
  /// A checkpoint marker, and the commit entry that follows it at once, if any.
  package struct Marker: Sendable, Equatable {
    /// From the marker's frame to the end of its own commit entry.
    package var range: Range<Int64>
    /// Root of the catalogue that the checkpoint is about to make current.
    package let metaBlock: UInt64
  }

  /// The most markers that a log is believed to hold; a checkpoint leaves at most one each time an engine dies in it.
  package static let maximumMarkers = 10_000

  package let header: LogHeader
  /// End of the last whole entry.
  package var end: Int64
  /// End of the last commit (entry of type 100); the length of the header when there is none.
  package var lastCommitEnd: Int64
  package var markers: [Marker] = []
  /// Where the first row-group entry lies: it names blocks outside of those in use.
  package var firstRowGroups: Int64?
  /// Whether bytes follow the last whole entry.
  package var hasTail = false
  /// Whole entries.
  package var entries = 0
  /// Commits.
  package var commits = 0

  package init(header: LogHeader) {
    self.header = header
    end = Int64(header.length)
    lastCommitEnd = Int64(header.length)
  }

  /// A marker that is followed by nothing but its own commit: the checkpoint runs, or has finished, or died just there.
  ///
  /// A marker with later entries is dead: the engine died in that checkpoint, was opened again and went on appending.
  /// Cutting at a dead marker would lose committed transactions (docs/formats/duckdb.md §3).
  package var finalMarker: Marker? {
    guard let last = markers.last, last.range.upperBound == end, !hasTail else { return nil }
    return last
  }

  /// The parts of the log to keep up to its last commit, without any marker.
  package var liveRanges: [Range<Int64>] {
    var ranges: [Range<Int64>] = []
    var start = Int64(header.length)
    let limit = finalMarker.map { min($0.range.lowerBound, lastCommitEnd) } ?? lastCommitEnd
    for marker in markers where marker.range.lowerBound < limit {
      if start < marker.range.lowerBound { ranges.append(start..<marker.range.lowerBound) }
      start = marker.range.upperBound
    }
    if start < limit { ranges.append(start..<limit) }
    return ranges
  }
}

/// Walks the frames of a log (version 2) as its bytes come.
///
/// A frame is `u64 size, u64 checksum, payload`; the walk ends at the first frame that is cut short or whose checksum
/// is wrong, since nothing behind it can be trusted (docs/formats/duckdb.md §2).
package struct LogScanner {
  /// The entries that matter here (`src/include/duckdb/common/enums/wal_type.hpp`).
  private enum EntryType {
    static let rowGroups: UInt8 = 29
    static let checkpoint: UInt8 = 99
    static let commit: UInt8 = 100
  }

  /// Bytes of size and checksum before the payload.
  private static let frameHeaderLength: Int64 = 16
  /// Bytes of the payload that are kept to know its type and, in a marker, its pointer.
  private static let headLength = 32

  package private(set) var scan: LogScan
  /// Set once nothing behind can be read any more.
  package private(set) var isDone = false

  private var frameStart: Int64
  private var frameHeader: [UInt8] = []
  private var payloadLength: Int64 = 0
  private var payloadSeen: Int64 = 0
  private var stored: UInt64 = 0
  private var checksum = StreamingChecksum()
  private var head: [UInt8] = []

  package init(header: LogHeader) {
    scan = LogScan(header: header)
    frameStart = Int64(header.length)
  }

  /// Where the next bytes must come from.
  package var offset: Int64 {
    frameHeader.count < Self.frameHeaderLength
      ? frameStart + Int64(frameHeader.count) : frameStart + Self.frameHeaderLength + payloadSeen
  }

  /// Goes back to the end of the last whole entry, to look again at what was being written.
  package mutating func rewind() {
    isDone = false
    scan.hasTail = false
    beginFrame(at: scan.end)
  }

  /// Takes the next bytes.
  ///
  /// `limit` is the size of the log: no frame reaches beyond it.
  package mutating func consume(_ bytes: UnsafeRawBufferPointer, limit: Int64) {
    var rest = bytes
    while !isDone, !rest.isEmpty {
      let taken = frameHeader.count < Self.frameHeaderLength ? takeFrameHeader(rest, limit) : takePayload(rest)
      rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
      if frameHeader.count == Self.frameHeaderLength, payloadSeen == payloadLength { finishFrame() }
    }
  }

  /// Says that no more bytes come.
  package mutating func finish() {
    if offset != scan.end { stop() }
  }

  private mutating func takeFrameHeader(_ bytes: UnsafeRawBufferPointer, _ limit: Int64) -> Int {
    let count = min(Int(Self.frameHeaderLength) - frameHeader.count, bytes.count)
    frameHeader.append(contentsOf: bytes[..<count])
    guard frameHeader.count == Self.frameHeaderLength else { return count }
    let size = frameHeader.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    stored = frameHeader.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    // No payload is empty: it holds at least its type and its end.
    guard let length = Int64(exactly: size), length >= 5,
      length <= limit - frameStart - Self.frameHeaderLength
    else {
      stop()
      return count
    }
    payloadLength = length
    return count
  }

  private mutating func takePayload(_ bytes: UnsafeRawBufferPointer) -> Int {
    let count = Int(min(payloadLength - payloadSeen, Int64(bytes.count)))
    let part = UnsafeRawBufferPointer(rebasing: bytes[..<count])
    checksum.update(part)
    if head.count < Self.headLength { head.append(contentsOf: part.prefix(Self.headLength - head.count)) }
    payloadSeen += Int64(count)
    return count
  }

  private mutating func finishFrame() {
    let frameEnd = frameStart + Self.frameHeaderLength + payloadLength
    // Field 100 is the type in every entry.
    guard checksum.value == stored, head.count >= 3, head[0] == 100, head[1] == 0 else { return stop() }
    switch head[2] {
    case EntryType.commit: noteCommit(to: frameEnd)
    case EntryType.checkpoint: noteMarker(to: frameEnd)
    case EntryType.rowGroups: scan.firstRowGroups = scan.firstRowGroups ?? frameStart
    default: break
    }
    scan.entries += 1
    scan.end = frameEnd
    beginFrame(at: frameEnd)
  }

  private mutating func noteCommit(to frameEnd: Int64) {
    if let last = scan.markers.indices.last, scan.markers[last].range.upperBound == frameStart {
      // The marker's own commit: part of the marker, and no transaction.
      scan.markers[last].range = scan.markers[last].range.lowerBound..<frameEnd
    } else {
      scan.commits += 1
    }
    scan.lastCommitEnd = frameEnd
  }

  private mutating func noteMarker(to frameEnd: Int64) {
    guard let pointer = markerPointer, scan.markers.count < LogScan.maximumMarkers else { return stop() }
    scan.markers.append(LogScan.Marker(range: frameStart..<frameEnd, metaBlock: pointer))
  }

  /// `64 00 63 | 65 00 | 64 00 | varint pointer | …`: the pointer stands at byte 7.
  private var markerPointer: UInt64? {
    var cursor = BinaryCursor(head.span.bytes, part: "checkpoint marker")
    do {
      try cursor.skip(7)
      return try cursor.readVarint()
    } catch {
      return nil
    }
  }

  private mutating func stop() {
    isDone = true
    scan.hasTail = true
  }

  private mutating func beginFrame(at offset: Int64) {
    frameStart = offset
    frameHeader.removeAll(keepingCapacity: true)
    head.removeAll(keepingCapacity: true)
    payloadLength = 0
    payloadSeen = 0
    checksum = StreamingChecksum()
  }
}
