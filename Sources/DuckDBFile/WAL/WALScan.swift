/// What a pass over the entries of a WAL finds: how far it is committed, and where a checkpoint left its marks.
///
/// Pure: the bytes come in pieces from ``WALScanner``'s caller, and a WAL of any length costs the same memory.
package struct WALScan: Sendable, Equatable {
  /// A checkpoint marker, and the commit entry that follows it at once, if any.
  package struct Marker: Sendable, Equatable {
    /// From the marker's frame to the end of its own commit entry.
    package var range: Range<Int64>
    /// Root of the DuckDB catalog that the checkpoint is about to make current.
    package let metaBlock: UInt64
  }

  /// Bytes behind the last whole entry.
  package enum Tail: Sendable, Equatable {
    case nothing
    /// Fewer bytes than an entry's size and checksum take, or an entry that is longer than the rest of the WAL.
    case cutShort
    /// An entry of size 0: space that was reserved, or zeros of a crash.
    case empty
    /// A whole entry that is not what its checksum says, or no entry at all.
    case wrong
  }

  /// An entry of a type that is in no DuckDB up to 2.0.
  package struct UnknownEntry: Sendable, Equatable {
    package let type: UInt8
    /// Of its frame, in bytes from the start of the WAL.
    package let offset: Int64
  }

  /// The most markers that a WAL is believed to hold; a checkpoint leaves at most one each time an engine dies in it.
  package static let maximumMarkers = 10_000

  package let header: WALHeader
  /// End of the last whole entry.
  package var end: Int64
  /// End of the last commit (entry of type 100); the length of the header when there is none.
  package var lastCommitEnd: Int64
  package var markers: [Marker] = []
  /// Where the first row-group entry lies: it names blocks outside of those in use.
  package var firstRowGroups: Int64?
  /// What follows the last whole entry.
  package var tail = Tail.nothing
  /// Where the first entry lies that is of a type which this code does not know, and the type.
  package var firstUnknown: UnknownEntry?
  /// Whole entries.
  package var entries = 0
  /// Commits.
  package var commits = 0

  package init(header: WALHeader) {
    self.header = header
    end = Int64(header.length)
    lastCommitEnd = Int64(header.length)
  }

  /// A marker that no whole entry follows but its own commit: the checkpoint runs, or has finished, or died just there.
  ///
  /// A marker with later entries is dead: the engine died in that checkpoint, was opened again and went on appending.
  /// Cutting at a dead marker would lose committed transactions (docs/formats/duckdb.md §3). Torn bytes behind it
  /// change nothing: they were never committed, and with a marker that has come true nothing before it counts any
  /// more.
  package var finalMarker: Marker? {
    guard let last = markers.last, last.range.upperBound == end else { return nil }
    return last
  }

  /// An unknown entry among those that are replayed; what it means for the copy cannot be told.
  package var unknownLiveEntry: UnknownEntry? {
    firstUnknown.flatMap { entry in liveRanges.contains { $0.contains(entry.offset) } ? entry : nil }
  }

  /// The parts of the WAL to keep up to its last commit, without any marker.
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

/// Walks the frames of a WAL (version 2) as its bytes come.
///
/// A frame is `u64 size, u64 checksum, payload`; the walk ends at the first frame that is cut short or whose checksum
/// is wrong, since nothing behind it can be trusted (docs/formats/duckdb.md §2).
package struct WALScanner {
  /// The entries that matter here (`src/include/duckdb/common/enums/wal_type.hpp`).
  private enum EntryType {
    static let rowGroups: UInt8 = 29
    static let checkpoint: UInt8 = 99
    static let commit: UInt8 = 100

    /// All that an engine up to 2.0 writes: 30 and 31 are the triggers of 2.0, 98 begins a WAL.
    static let known: Set<UInt8> = Set(1...6).union(8...14).union(20...31).union(98...100)
  }

  /// Bytes of size and checksum before the payload.
  private static let frameHeaderLength: Int64 = 16
  /// A type and an end: two bytes of field number, one of type, two of end.
  private static let minimumPayloadLength: Int64 = 5
  /// Bytes of the payload that are kept to know its type and, in a marker, its pointer.
  private static let headLength = 32

  package private(set) var scan: WALScan
  /// Set once nothing behind can be read any more.
  package private(set) var isDone = false

  private var frameStart: Int64
  private var frameHeader: [UInt8] = []
  private var payloadLength: Int64 = 0
  private var payloadSeen: Int64 = 0
  private var stored: UInt64 = 0
  private var checksum = StreamingChecksum()
  private var head: [UInt8] = []

  package init(header: WALHeader) {
    scan = WALScan(header: header)
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
    scan.tail = .nothing
    beginFrame(at: scan.end)
  }

  /// Takes the next bytes.
  ///
  /// `limit` is the size of the WAL: no frame reaches beyond it.
  package mutating func consume(_ bytes: UnsafeRawBufferPointer, limit: Int64) {
    var rest = bytes
    while !isDone, !rest.isEmpty {
      let taken = frameHeader.count < Self.frameHeaderLength ? takeFrameHeader(rest, limit: limit) : takePayload(rest)
      rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
      if !isDone, frameHeader.count == Self.frameHeaderLength, payloadSeen == payloadLength { finishFrame() }
    }
  }

  /// Says that no more bytes come.
  package mutating func finish() {
    if !isDone, offset != scan.end { stop(.cutShort) }
  }

  private mutating func takeFrameHeader(_ bytes: UnsafeRawBufferPointer, limit: Int64) -> Int {
    let count = min(Int(Self.frameHeaderLength) - frameHeader.count, bytes.count)
    frameHeader.append(contentsOf: bytes[..<count])
    guard frameHeader.count == Self.frameHeaderLength else { return count }
    let size = frameHeader.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    stored = frameHeader.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    guard let length = Int64(exactly: size), length <= limit - frameStart - Self.frameHeaderLength else {
      stop(.cutShort)
      return count
    }
    // No payload is empty: it holds at least its type and its end.
    guard length >= Self.minimumPayloadLength else {
      stop(length == 0 ? .empty : .wrong)
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
    guard checksum.value == stored, head.count >= 3, head[0] == 100, head[1] == 0 else { return stop(.wrong) }
    let type = head[2]
    if !EntryType.known.contains(type) {
      scan.firstUnknown = scan.firstUnknown ?? WALScan.UnknownEntry(type: type, offset: frameStart)
    }
    switch type {
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
    guard let pointer = markerPointer, scan.markers.count < WALScan.maximumMarkers else { return stop(.wrong) }
    scan.markers.append(WALScan.Marker(range: frameStart..<frameEnd, metaBlock: pointer))
  }

  /// The root that a marker names: `64 00 63 | 65 00 | 64 00 varint pointer | 65 00 varint offset | FFFF FFFF`.
  ///
  /// The engine leaves a field out that has its default: with pointer 0 (block 0, part 0) there is no field 100.
  private var markerPointer: UInt64? {
    do throws(FormatError) {
      var cursor = BinaryCursor(head.span.bytes, part: "checkpoint marker")
      try cursor.skip(3)
      guard try cursor.read(UInt16.self) == 101 else { return nil }
      return try cursor.read(UInt16.self) == 100 ? try cursor.readVarint() : 0
    } catch {
      return nil
    }
  }

  private mutating func stop(_ tail: WALScan.Tail) {
    isDone = true
    scan.tail = tail
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
