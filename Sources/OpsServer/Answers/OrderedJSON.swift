internal import Store

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// A JSON object in one line whose keys stay in the order in which they were added: scripts of the platform look for
/// `{"status":"ok"` at its start.
package struct OrderedJSON {
  private var fields: [String] = []

  package init() {}

  /// Adds a field.
  package mutating func add(_ key: String, value: some Encodable) throws {
    fields.append("\(try Self.text(key)):\(try Self.text(value))")
  }

  /// Adds an object.
  package mutating func add(_ key: String, value: OrderedJSON) throws {
    fields.append("\(try Self.text(key)):\(value.text)")
  }

  package var text: String { "{\(fields.joined(separator: ","))}" }

  private static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
