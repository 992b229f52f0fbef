/// The first entry of a write-ahead WAL, neither framed nor checksummed (`src/storage/wal_replay.cpp`).
package struct WALHeader: Sendable, Equatable {
  /// 2: framed entries with checksums.
  ///
  /// 3: encrypted. 1: very old, not framed.
  package let version: UInt64
  /// Of the database it belongs to; only in storage formats of 1.4 and later.
  package let databaseIdentifier: [UInt8]?
  /// Of the checkpoint it follows; only in storage formats of 1.4 and later.
  package let iteration: UInt64?
  /// Bytes up to the first frame.
  package let length: Int

  /// The longest header that can be, in bytes.
  package static let maximumLength = 128

  /// Reads the header from the first bytes of a WAL.
  ///
  /// Returns nil when the WAL ends within its header: the header is torn, or it is being written.
  ///
  /// - Throws: `FormatError` for bytes that no DuckDB writes.
  package init?(parsing bytes: [UInt8]) throws(FormatError) {
    do throws(Torn) {
      var cursor = Fields(bytes.span.bytes)
      guard try cursor.field() == 100, try cursor.varint() == 98 else { throw Torn(isEnd: false) }
      guard try cursor.field() == 101 else { throw Torn(isEnd: false) }
      version = try cursor.varint()
      var identifier: [UInt8]?
      var iteration: UInt64?
      var field = try cursor.field()
      if field == 102 {
        identifier = try cursor.identifier()
        field = try cursor.field()
      }
      if field == 103 {
        iteration = try cursor.varint()
        field = try cursor.field()
      }
      guard field == 0xFFFF else { throw Torn(isEnd: false) }
      databaseIdentifier = identifier
      self.iteration = iteration
      length = cursor.offset
    } catch {
      if error.isEnd { return nil }
      throw FormatError("WAL header", at: 0, problem: "is not what DuckDB writes")
    }
  }

  /// The bytes end, or are no header.
  private struct Torn: Error { let isEnd: Bool }

  private struct Fields: ~Copyable, ~Escapable {
    private var cursor: BinaryCursor

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { cursor = BinaryCursor(bytes, part: "WAL header") }

    var offset: Int { cursor.offset }

    mutating func field() throws(Torn) -> UInt16 {
      do { return try cursor.read() } catch { throw Torn(isEnd: true) }
    }

    mutating func varint() throws(Torn) -> UInt64 {
      do { return try cursor.readVarint() } catch { throw Torn(isEnd: cursor.remaining == 0) }
    }

    /// Sixteen bytes, each written as a variable-length number, after their count.
    mutating func identifier() throws(Torn) -> [UInt8] {
      guard try varint() == 16 else { throw Torn(isEnd: false) }
      var bytes: [UInt8] = []
      for _ in 0..<16 {
        guard let byte = UInt8(exactly: try varint()) else { throw Torn(isEnd: false) }
        bytes.append(byte)
      }
      return bytes
    }
  }
}
