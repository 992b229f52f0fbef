/// The first 4096 bytes of a DuckDB file (`src/include/duckdb/storage/storage_info.hpp`: `MainHeader`).
package struct MainHeader: Sendable, Equatable {
  package static let size = 4096

  /// 64 … 69, or 999 for 2.0 and later, which names the number in the database header.
  package let storageVersion: UInt64
  /// How the rest of the file is encrypted; nil when it is not encrypted.
  package let encryption: Encryption?
  package var isEncrypted: Bool { encryption != nil }
  /// The version that wrote the header, "v1.5.6"; empty in files of other programs.
  package let libraryVersion: String
  /// Random in files of 1.4 format and later; else zero.
  package let databaseIdentifier: [UInt8]

  /// Reads the header.
  /// - Throws: `FormatError` when it is no DuckDB file, or its checksum is wrong.
  package init(parsing bytes: [UInt8]) throws(FormatError) {
    guard bytes.count == Self.size else {
      throw FormatError("main header", at: 0, problem: "the file ends after \(bytes.count) bytes")
    }
    guard Array(bytes[8..<12]) == Array("DUCK".utf8) else {
      throw FormatError("main header", at: 8, problem: "the file does not carry DuckDB's mark")
    }
    guard bytes.withUnsafeBytes(Checksum.isRight) else {
      throw FormatError("main header", at: 0, problem: "its checksum does not match its contents")
    }
    var cursor = BinaryCursor(bytes.span.bytes, part: "main header")
    try cursor.skip(12)
    storageVersion = try cursor.read()
    let flags: UInt64 = try cursor.read()
    encryption = flags & 1 == 1 ? Encryption(bytes[116..<124]) : nil
    libraryVersion = Self.text(bytes[52..<84])
    databaseIdentifier = Array(bytes[124..<140])
  }

  /// Up to the first zero, what is printable of it: the text is shown to people.
  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
  }
}

/// What an encrypted file says of its encryption in plain (`storage_info.hpp`: `MainHeader`, since 1.4).
package struct Encryption: Sendable, Equatable {
  /// "GCM", "CTR", or the number that stands there.
  package let cipher: String
  /// 0 = written by 1.4, 1 = by 1.5 and later.
  package let version: UInt8
  /// Bytes of the key.
  package let keyLength: UInt32

  /// Key derivation, additional data, cipher, version: a byte each; then the length of the key.
  init(_ bytes: ArraySlice<UInt8>) {
    let bytes = Array(bytes)
    cipher =
      switch bytes[2] {
      case 1: "GCM"
      case 2: "CTR"
      default: "cipher \(bytes[2])"
      }
    version = bytes[3]
    keyLength = bytes[4...].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}

/// Which storage versions this code knows to the letter.
package enum StorageVersion {
  /// 0.9 … 1.1 and the default of 1.2 … 1.5 write 64; 65 = 1.2, 66 = 1.3, 67 = 1.4, 68 = 1.5, 69 = 2.0.
  package static let known: ClosedRange<UInt64> = 64...69
  /// "Look in the database header", written by 2.0.
  package static let inDatabaseHeader: UInt64 = 999

  /// From 2.0 on a WAL may end with zeros, of space that was reserved for it (docs/formats/duckdb.md §2.1).
  package static let reservesWALSpace: UInt64 = 69

  package static func isKnown(_ version: UInt64) -> Bool { known.contains(version) || version == inDatabaseHeader }
}
