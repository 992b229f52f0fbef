private import Yams

/// A value of the configuration file, with the line that it stands in.
///
/// All scalars are texts here: `02:00` is a time of day, and not the number 120 that YAML 1.1 would make of it.
package indirect enum SettingsNode: Equatable, Sendable {
  /// A text, number or word. It is nil when nothing stands behind the colon.
  case scalar(String?, line: Int)
  case list([SettingsNode], line: Int)
  case map([Entry], line: Int)

  /// A key with its value.
  package struct Entry: Equatable, Sendable {
    package let key: String
    package let line: Int
    package let value: SettingsNode
  }

  package var line: Int {
    switch self {
    case .scalar(_, let line), .list(_, let line), .map(_, let line): line
    }
  }

  /// What it is, for people: "a list".
  package var kindWords: String {
    switch self {
    case .scalar(nil, _): "empty"
    case .scalar: "one value"
    case .list: "a list"
    case .map: "a group of keys"
    }
  }

  /// More than that is no configuration that somebody wrote.
  private static let maximumDepth = 8
  /// The same: an alias stands for all that it names, so a short text can mean very much.
  private static let maximumCount = 10_000

  /// Reads a text in YAML.
  /// - Returns: nil when nothing but blanks and comments stand in it.
  /// - Throws: `SettingsProblem` for what is no YAML, for a key that stands twice, and for too much.
  package static func parse(_ text: String) throws(SettingsProblem) -> SettingsNode? {
    let root: Node?
    do {
      // The basic resolver: what a scalar means is decided here, key by key, and not by its looks.
      root = try Yams.compose(yaml: text, .basic)
    } catch {
      throw problem(error)
    }
    guard let root else { return nil }
    var count = 0
    let node = try make(root, depth: 0, count: &count)
    if case .scalar(nil, _) = node { return nil }
    return node
  }

  private static func make(_ node: Node, depth: Int, count: inout Int) throws(SettingsProblem) -> SettingsNode {
    let line = node.mark?.line ?? 1
    count += 1
    guard depth <= maximumDepth else {
      throw SettingsProblem(line: line, message: "values are not nested so deep here")
    }
    guard count <= maximumCount else { throw SettingsProblem(line: line, message: "there is too much in this file") }
    switch node {
    case .scalar(let scalar):
      let isEmpty = scalar.style == .plain && ["", "~", "null"].contains(scalar.string.lowercased())
      return .scalar(isEmpty ? nil : scalar.string, line: line)
    case .sequence(let items):
      var nodes: [SettingsNode] = []
      for item in items { nodes.append(try make(item, depth: depth + 1, count: &count)) }
      return .list(nodes, line: line)
    case .mapping(let pairs):
      var entries: [Entry] = []
      for (key, value) in pairs {
        guard case .scalar(let name) = key else {
          throw SettingsProblem(line: key.mark?.line ?? line, message: "a key must be one word")
        }
        entries.append(
          Entry(key: name.string, line: key.mark?.line ?? line, value: try make(value, depth: depth + 1, count: &count))
        )
      }
      return .map(entries, line: line)
    case .alias:
      throw SettingsProblem(line: line, message: "aliases are not allowed")
    }
  }

  /// What Yams says, with its line.
  ///
  /// The text of the file is not repeated: it may hold what nobody else should read.
  private static func problem(_ error: any Error) -> SettingsProblem {
    switch error as? YamlError {
    case .scanner(_, let words, let mark, _), .parser(_, let words, let mark, _), .composer(_, let words, let mark, _):
      SettingsProblem(line: mark.line, message: "this is not YAML: \(words)")
    case .duplicatedKeysInMapping(let names, let context):
      SettingsProblem(
        line: context.mark.line, message: "\(names.joined(separator: ", ")) stands twice in one group of keys")
    default: SettingsProblem(line: 1, message: "this is not YAML")
    }
  }
}
