/// Which blocks of a file are in use under one header, exactly (`single_file_block_manager.cpp`: `LoadFreeList`).
package struct FreeList: Sendable, Equatable {
  package let free: BlockSet
  /// All blocks but the free ones.
  package let inUse: BlockSet
  /// The ones among those in use that hold metadata, and are rewritten in place.
  package let metadata: BlockSet

  /// What a database without a free list has: everything is in use, nothing is known to be metadata.
  package init(blockCount: Int) {
    free = BlockSet(limit: blockCount)
    inUse = BlockSet(limit: blockCount, all: true)
    metadata = BlockSet(limit: blockCount)
  }

  /// Reads the stream of the free list: the payloads of its chain, joined.
  /// - Throws: `FormatError` for an impossible number, so that a stranger's file cannot exhaust memory or time.
  package init(parsing stream: [UInt8], blockCount: Int) throws(FormatError) {
    var cursor = BinaryCursor(stream.span.bytes, part: "free list")
    var free = BlockSet(limit: blockCount)
    for _ in 0..<(try Self.count(&cursor, width: 8)) {
      let block = try Self.block(&cursor, blockCount: blockCount)
      guard free.insert(block) else { throw FormatError("free list", problem: "block \(block) is listed twice") }
    }
    for _ in 0..<(try Self.count(&cursor, width: 12)) { try cursor.skip(12) }
    var metadata = BlockSet(limit: blockCount)
    for _ in 0..<(try Self.count(&cursor, width: 16)) {
      metadata.insert(try Self.block(&cursor, blockCount: blockCount))
      try cursor.skip(8)
    }
    self.free = free
    inUse = BlockSet(limit: blockCount, all: true).subtracting(free)
    self.metadata = metadata.intersection(inUse)
  }

  /// How long the stream is, as its first bytes tell; nil when too few of them are there.
  package static func length(ofStreamBeginning bytes: [UInt8]) throws(FormatError) -> Int? {
    var length = 0
    for width in [8, 12, 16] {
      guard bytes.count >= length + 8 else { return nil }
      var cursor = BinaryCursor(bytes.span.bytes, part: "free list")
      try cursor.skip(length)
      let count: UInt64 = try cursor.read()
      guard count < 1 << 48 else { throw FormatError("free list", problem: "counts \(count) blocks") }
      length += 8 + Int(count) * width
    }
    return length
  }

  private static func count(_ cursor: inout BinaryCursor, width: Int) throws(FormatError) -> Int {
    let count: UInt64 = try cursor.read()
    guard count <= UInt64(cursor.remaining / width) else {
      throw FormatError("free list", problem: "counts \(count) entries, more than there is room for")
    }
    return Int(count)
  }

  private static func block(_ cursor: inout BinaryCursor, blockCount: Int) throws(FormatError) -> Int {
    let raw: Int64 = try cursor.read()
    guard raw >= 0, raw < blockCount else {
      throw FormatError("free list", problem: "names block \(raw) of \(blockCount)")
    }
    return Int(raw)
  }
}
