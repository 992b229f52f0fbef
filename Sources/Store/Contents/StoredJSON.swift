#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// The form of the small JSON files that are kept beside backups and targets.
package enum StoredJSON {
  /// Keys in order, indented, with a line feed at the end.
  package static func bytes(of value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
  }
}
