/// The contents of a table, told in a few numbers.
public struct TableFingerprint: Sendable, Equatable {
  /// Which table it is.
  ///
  /// One of an old proof whose name can be read in more than one way has that name as its only part.
  public let path: TablePath
  /// How many rows it has.
  public let rows: Int64
  /// A hash of all rows whatever their order; the same for the same rows under the same version of the engine.
  public let hash: String

  /// For people: "main.prices".
  public var name: String { path.text }
  /// The name, without the schema when that is `main`.
  package var shortName: String { path.shortText }
  /// As proofs named it before they had its parts.
  package var formerName: String { path.parts.joined(separator: ".") }
  /// Whether it is certain which table it is.
  package var isIdentified: Bool { path.parts.count > 1 }

  package init(path: TablePath, rows: Int64, hash: String) {
    self.path = path
    self.rows = rows
    self.hash = hash
  }
}

/// Proofs keep them: `path`, and for people and older programs `name`; one from before paths has a name alone.
extension TableFingerprint: Codable {
  private enum CodingKeys: String, CodingKey { case path, name, rows, hash }

  /// - Throws: `DecodingError`.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    rows = try values.decode(Int64.self, forKey: .rows)
    hash = try values.decode(String.self, forKey: .hash)
    if let parts = try values.decodeIfPresent([String].self, forKey: .path) {
      path = TablePath(parts)
    } else {
      let name = try values.decode(String.self, forKey: .name)
      // One dot can only be the one between schema and table.
      let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
      path = TablePath(parts.count == 2 ? parts : [name])
    }
  }

  /// - Throws: what the encoder throws.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(path.parts, forKey: .path)
    try values.encode(formerName, forKey: .name)
    try values.encode(rows, forKey: .rows)
    try values.encode(hash, forKey: .hash)
  }
}
