package import SystemPackage

/// Rewrites locations that name an old place into ones that name the new place.
///
/// Pure: texts in, texts out. Only what is really the old place or lies in it is rewritten, component by component;
/// the form of a location (a path, a `file:` URI) stays as it is, and what is remote is not touched.
package struct Relocation: Sendable {
  /// An old place, and where it is now; both are absolute and have no symlinks.
  package struct Mapping: Sendable, Equatable {
    package let old: [UInt8]
    package let new: [UInt8]
  }

  /// The most special place first.
  private let mappings: [Mapping]
  /// Old places that hold more than what came with a backup.
  private let leaving: [FilePath]
  /// Places in them that came with the backup, and are where they were.
  private let unmoved: [FilePath]

  /// Places that did not move, and the root, are left out.
  ///
  /// - Parameter leaving: old places that are not rewritten, though what is mapped may lie in them.
  package init(_ pairs: [(old: FilePath, new: FilePath)], leaving: [FilePath] = []) {
    unmoved = pairs.filter { $0.old.lexicallyNormalized() == $0.new.lexicallyNormalized() }.map(\.old)
    self.leaving = leaving.map { $0.lexicallyNormalized() }.filter { $0.isAbsolute && !$0.components.isEmpty }
    var mappings: [Mapping] = []
    for (old, new) in pairs {
      let old = old.lexicallyNormalized(), new = new.lexicallyNormalized()
      guard old.isAbsolute, new.isAbsolute, old != new, !old.components.isEmpty else { continue }
      let mapping = Mapping(old: Array(old.string.utf8), new: Array(new.string.utf8))
      if !mappings.contains(where: { $0.old == mapping.old }) { mappings.append(mapping) }
    }
    self.mappings = mappings.sorted { $0.old.count > $1.old.count }
  }

  /// Whether there is nothing to rewrite.
  package var isEmpty: Bool { mappings.isEmpty }

  /// The location at the new place; nil when it does not name the old place.
  package func rewrite(_ location: String) -> String? {
    let bytes = Array(location.utf8)
    if bytes.first == UInt8(ascii: "/") {
      return replaced(bytes[...], isEncoded: false).map { String(decoding: $0, as: UTF8.self) }
    }
    guard let start = Self.pathStart(ofFileURI: bytes) else { return nil }
    guard let path = replaced(bytes[start...], isEncoded: true) else { return nil }
    return String(decoding: bytes[..<start] + path, as: UTF8.self)
  }

  /// Whether a location names something at the old place that did not come with the backup.
  package func leaves(_ location: String) -> Bool {
    guard !leaving.isEmpty, rewrite(location) == nil, let path = ArtifactScan.localPath(of: location) else {
      return false
    }
    return leaving.contains { path.starts(with: $0) } && !unmoved.contains { path.starts(with: $0) }
  }

  /// Whether a text mentions the old place anywhere.
  package func isMentioned(in text: String) -> Bool {
    mappings.contains { text.contains(String(decoding: $0.old, as: UTF8.self)) }
  }

  /// Where the path of a `file:` URI of this machine begins (RFC 8089: `file:/p`, `file:///p`, `file://localhost/p`).
  private static func pathStart(ofFileURI bytes: [UInt8]) -> Int? {
    for prefix in ["file://localhost/", "file:///", "file:/"] where bytes.starts(with: prefix.utf8) {
      return prefix.utf8.count - 1
    }
    return nil
  }

  private func replaced(_ path: ArraySlice<UInt8>, isEncoded: Bool) -> [UInt8]? {
    for mapping in mappings {
      guard let end = Self.end(of: mapping.old, in: path, isEncoded: isEncoded) else { continue }
      return (isEncoded ? Self.encoded(mapping.new) : mapping.new) + path[end...]
    }
    return nil
  }

  /// Where the prefix ends in the path; nil when the path does not begin with it, or when it ends within a component.
  private static func end(of prefix: [UInt8], in path: ArraySlice<UInt8>, isEncoded: Bool) -> Int? {
    var index = path.startIndex
    for byte in prefix {
      guard index < path.endIndex else { return nil }
      if isEncoded, path[index] == UInt8(ascii: "%"), index + 2 < path.endIndex,
        let value = UInt8(String(decoding: path[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
      {
        guard value == byte else { return nil }
        index += 3
      } else {
        guard path[index] == byte else { return nil }
        index += 1
      }
    }
    return index == path.endIndex || path[index] == UInt8(ascii: "/") ? index : nil
  }

  /// As `urllib.parse.quote` does, by which MLflow makes its URIs.
  private static func encoded(_ path: [UInt8]) -> [UInt8] {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/".utf8)
    let digits = Array("0123456789ABCDEF".utf8)
    return path.flatMap { plain.contains($0) ? [$0] : [UInt8(ascii: "%"), digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  }
}

extension Relocation {
  /// The keys whose values are locations, in `meta.yaml` and in `MLmodel`.
  private static let keys: Set<String> = [
    "artifact_location", "artifact_uri", "storage_location", "source", "artifact_path",
  ]

  /// An MLflow YAML file with the locations at its top rewritten, and their number; nil when it has none.
  ///
  /// What is not rewritten stays byte for byte.
  package func rewrite(yaml: [UInt8]) -> (yaml: [UInt8], count: Int)? {
    let file = MetaFile(yaml)
    let fields = file.fields.filter { Self.keys.contains($0.key) }
    var new: [Int: String] = [:]
    var dropped: Set<Int> = []
    for field in fields {
      guard let value = rewrite(field.value) else { continue }
      let start = field.lines.lowerBound
      let end = file.lines[start].last == "\r" ? "\r" : ""
      new[start] = "\(field.key): \(Self.scalar(value, like: file.lines[start], of: field.key))\(end)"
      // Folded lines become one: a text of any length may stand in one. Empty lines at the end stay.
      dropped.formUnion(field.lines.dropFirst().filter { !file.lines[$0].isEmpty })
    }
    guard !new.isEmpty else { return nil }
    let lines = file.lines.indices.filter { !dropped.contains($0) }.map { new[$0] ?? String(file.lines[$0]) }
    return (Array(lines.joined(separator: "\n").utf8), new.count)
  }

  /// How many locations of a YAML file of MLflow's name what did not come with the backup.
  package func left(yaml: [UInt8]) -> Int {
    guard !leaving.isEmpty else { return 0 }
    return MetaFile(yaml).fields.count { Self.keys.contains($0.key) && leaves($0.value) }
  }

  /// The value in quotes when it had some, or needs them (YAML 1.2, 7.3.2 and 7.3.3).
  private static func scalar(_ text: String, like line: Substring, of key: String) -> String {
    let old = line.dropFirst(key.count + 2).first
    let isPlain =
      old != "'" && old != "\"" && !text.contains(": ") && !text.contains(" #") && !text.hasSuffix(" ")
      && !text.contains("\n")
    return isPlain
      ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }
}
