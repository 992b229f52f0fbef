/// How blocks lie in the file.
package struct BlockGeometry: Sendable, Equatable {
  /// Bytes from one block to the next: a power of two, 16 to 256 KiB.
  package let allocationSize: Int64

  /// - Throws: `FormatError` for a size that DuckDB does not write.
  init(allocationSize raw: UInt64) throws(FormatError) {
    // Very old headers hold 0 and mean the default.
    let size = raw == 0 ? 262_144 : raw
    guard (16_384...262_144).contains(size), size.nonzeroBitCount == 1 else {
      throw FormatError("database header", problem: "block size \(raw) is none of 16384, 32768, … 262144")
    }
    allocationSize = Int64(size)
  }

  /// Where a block begins in the file.
  package func offset(of block: Int) -> Int64 { HeaderPair.end + Int64(block) * allocationSize }

  /// How many whole blocks a file of this size holds.
  package func wholeBlocks(inFileOf size: Int64) -> Int {
    size <= HeaderPair.end ? 0 : Int((size - HeaderPair.end) / allocationSize)
  }

  /// Size of one of the 64 parts of a metadata block, in bytes.
  package var subBlockSize: Int64 { (allocationSize - 8) / 64 / 8 * 8 }

  /// Where a part of a metadata block begins in the file.
  package func offset(of pointer: MetadataPointer) -> Int64 {
    offset(of: pointer.block) + 8 + Int64(pointer.index) * subBlockSize
  }
}

/// Where a metadata stream goes on: a block and one of its 64 parts (`metadata_manager.hpp`: `MetaBlockPointer`).
package struct MetadataPointer: Sendable, Equatable {
  package let block: Int
  package let index: Int
  package let raw: UInt64

  /// nil for all ones, which means none.
  init?(raw: UInt64) {
    guard raw != .max else { return nil }
    self.raw = raw
    block = Int(raw & 0x00FF_FFFF_FFFF_FFFF)
    index = Int(raw >> 56)
  }
}
