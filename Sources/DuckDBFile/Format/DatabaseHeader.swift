/// One of the two 4096-byte headers that a checkpoint writes in turn (`storage_info.hpp`: `DatabaseHeader`).
package struct DatabaseHeader: Sendable, Equatable {
  package static let size = 4096

  /// Grows by one with each checkpoint.
  package let iteration: UInt64
  /// Root of DuckDB's catalog; nil for an empty database.
  package let metaBlock: MetadataPointer?
  /// Root of the free list; nil when nothing is free.
  package let freeList: MetadataPointer?
  /// The number of blocks before the file was truncated: the file may be shorter, and the missing blocks are free.
  package let blockCount: UInt64
  package let geometry: BlockGeometry
  /// 0 = 1.0 … 1.1; 1 … 7 = the serialization version of 0.10.2 … 1.5; 69 = 2.0.
  package let compatibility: UInt64

  /// Reads a slot.
  /// - Throws: `FormatError` when its checksum is wrong (damaged, or just being written), or when a field has an
  ///   impossible value.
  package init(parsing bytes: [UInt8], at offset: Int64) throws(FormatError) {
    guard bytes.count == Self.size else {
      throw FormatError(
        "database header", at: offset, problem: "the file ends after \(bytes.count) of \(Self.size) bytes")
    }
    guard bytes.withUnsafeBytes(Checksum.isRight) else {
      throw FormatError("database header", at: offset, problem: "its checksum does not match its contents")
    }
    var cursor = BinaryCursor(bytes.span.bytes, part: "database header")
    try cursor.skip(8)
    iteration = try cursor.read()
    metaBlock = MetadataPointer(raw: try cursor.read())
    freeList = MetadataPointer(raw: try cursor.read())
    blockCount = try cursor.read()
    let allocationSize: UInt64 = try cursor.read()
    try cursor.skip(8)
    compatibility = try cursor.read()
    geometry = try BlockGeometry(allocationSize: allocationSize)
  }
}

/// The two header slots, read from the disk together.
package struct HeaderPair: Sendable, Equatable {
  /// Where the slots begin, and where the first block does, in bytes.
  package static let slotOffsets: [Int64] = [4096, 8192]
  package static let end: Int64 = 12288

  /// The raw 8192 bytes.
  package let bytes: [UInt8]
  /// Index of the slot that counts.
  package let currentSlot: Int
  package let current: DatabaseHeader

  /// Reads both slots.
  ///
  /// One bad slot is a header being written, and the other counts.
  ///
  /// The slot 0 counts if its iteration is greater than slot 1's, else slot 1
  /// (`single_file_block_manager.cpp`: `LoadExistingDatabase`).
  /// - Throws: `FormatError` when neither is right.
  package init(parsing bytes: [UInt8]) throws(FormatError) {
    let slots = Self.slotOffsets.map { offset -> Result<DatabaseHeader, FormatError> in
      let start = Int(offset - Self.slotOffsets[0])
      let slot = Array(bytes.dropFirst(start).prefix(DatabaseHeader.size))
      return Result { () throws(FormatError) in try DatabaseHeader(parsing: slot, at: offset) }
    }
    self.bytes = bytes
    switch (slots[0], slots[1]) {
    case (.success(let first), .success(let second)):
      currentSlot = first.iteration > second.iteration ? 0 : 1
      current = first.iteration > second.iteration ? first : second
    case (.success(let first), .failure): (currentSlot, current) = (0, first)
    case (.failure, .success(let second)): (currentSlot, current) = (1, second)
    case (.failure(let error), .failure): throw error
    }
  }

  /// Whether both slots carry right checksums; a slot being written does not.
  package var isWhole: Bool {
    bytes.count == 8192
      && bytes.withUnsafeBytes {
        Checksum.isRight(UnsafeRawBufferPointer(rebasing: $0[..<4096]))
          && Checksum.isRight(UnsafeRawBufferPointer(rebasing: $0[4096...]))
      }
  }

  /// The raw bytes of the slot that counts.
  package var currentBytes: [UInt8] { Array(bytes[(currentSlot * 4096)..<(currentSlot * 4096 + 4096)]) }
}
