/// A group of keys that is read key by key; what nobody asked for is a mistake.
package final class SettingsMap {
  /// The path of the group, such as "jobs.weekly_backup"; empty for the whole file.
  package let path: String
  private let entries: [SettingsNode.Entry]
  private var known: [String] = []
  let report: (SettingsProblem) -> Void

  /// - Parameter node: the group; when it is nil, there is none, and every key is absent.
  /// - Parameter report: is told of every mistake.
  package init(_ node: SettingsNode?, path: String = "", report: @escaping (SettingsProblem) -> Void) {
    self.path = path
    self.report = report
    switch node {
    case .map(let entries, _): self.entries = entries
    case nil, .scalar(nil, _): entries = []
    case .scalar(_, let line), .list(_, let line):
      entries = []
      let name = path.isEmpty ? "the file" : path
      report(SettingsProblem(line: line, message: "\(name) must be a group of keys, such as \"key: value\""))
    }
  }

  /// The names of the keys, in the order of the file, for a group whose keys are names that the user chose.
  package var names: [String] { entries.map(\.key) }

  /// Whether a key stands there with a value, be it right or wrong.
  func has(_ key: String) -> Bool {
    entries.contains { entry in
      if case .scalar(nil, _) = entry.value { return false }
      return entry.key == key
    }
  }

  /// The value of a key, which is known from now on; nil when it is absent or empty.
  package func node(_ key: String) -> SettingsNode? {
    known.append(key)
    guard let value = entries.first(where: { $0.key == key })?.value else { return nil }
    if case .scalar(nil, _) = value { return nil }
    return value
  }

  /// A group within this one.
  package func map(_ key: String) -> SettingsMap? {
    guard let node = node(key) else { return nil }
    return SettingsMap(node, path: full(key), report: report)
  }

  /// A group within this one that may be empty, with its line; nil when the key is absent.
  func group(_ key: String) -> (map: SettingsMap, line: Int)? {
    known.append(key)
    guard let entry = entries.first(where: { $0.key == key }) else { return nil }
    return (SettingsMap(entry.value, path: full(key), report: report), entry.line)
  }

  /// A value that is read from one word; a mistake is reported, and gives nil.
  /// - Parameter allowed: what may stand there, as it stands after "must be".
  /// - Parameter isSecret: whether a mistake is reported without the word, which may hold a secret.
  package func value<Value: Sendable>(
    _ key: String, allowed: String, isSecret: Bool = false, read: (String) -> Value?
  ) -> (value: Value, line: Int)? {
    guard let node = node(key) else { return nil }
    guard case .scalar(let text?, let line) = node else {
      report(SettingsProblem(line: node.line, message: "\(full(key)) is \(node.kindWords); it must be \(allowed)"))
      return nil
    }
    guard let value = read(text) else {
      let found = isSecret ? "" : "is '\(text)'; it "
      report(SettingsProblem(line: line, message: "\(full(key)) \(found)must be \(allowed)"))
      return nil
    }
    return (value, line)
  }

  /// The values of a key that takes one word or a list of words.
  package func values<Value: Sendable>(
    _ key: String, allowed: String, read: (String) -> Value?
  ) -> [(value: Value, line: Int)]? {
    guard let node = node(key) else { return nil }
    var nodes = [node]
    if case .list(let items, _) = node { nodes = items }
    return nodes.compactMap { item in
      guard case .scalar(let text?, let line) = item, let value = read(text) else {
        report(SettingsProblem(line: item.line, message: "\(full(key)) must be \(allowed)"))
        return nil
      }
      return (value, line)
    }
  }

  /// The meaning of a word for yes or no; nil for another word.
  static func truth(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true", "yes", "on": true
    case "false", "no", "off": false
    default: nil
    }
  }

  /// Reports a mistake in a line of this group.
  package func note(_ message: String, line: Int?) { report(SettingsProblem(line: line, message: message)) }

  /// Reports the keys that nobody asked for.
  package func reportUnknown() {
    for entry in entries where !known.contains(entry.key) {
      let allowed = known.sorted().joined(separator: ", ")
      report(
        SettingsProblem(line: entry.line, message: "there is no key \(full(entry.key)); what is allowed: \(allowed)"))
    }
  }

  /// The whole name of a key.
  package func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}
