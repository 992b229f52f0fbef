internal import ArgumentParser

/// The words of a command line that name a command, and what may have been meant where they name none.
struct CommandWords {
  /// The commands that were named, such as "backup list"; nil when no command was named.
  let path: String?
  /// The word that should name a command and names none; nil when there is no such word.
  let unknown: String?
  /// The command that the user probably meant, as it is typed; nil when all words are known or none is similar.
  let suggestion: String?

  /// - Parameter arguments: what was typed after `hrp`.
  /// - Parameter root: the command `hrp`.
  init(_ arguments: [String], of root: any ParsableCommand.Type) {
    var node = root
    var path: [String] = []
    var unknown: String?
    for word in arguments {
      if word.hasPrefix("-") { break }
      guard let next = Self.visible(node).first(where: { Self.names($0).contains(word) }) else {
        unknown = word
        break
      }
      node = next
      path.append(word)
    }
    self.path = path.isEmpty ? nil : path.joined(separator: " ")
    // A command without subcommands takes other words: what is unknown there is no command.
    guard let unknown, !Self.visible(node).isEmpty else {
      (self.unknown, suggestion) = (nil, nil)
      return
    }
    self.unknown = unknown
    suggestion = Self.closest(to: unknown, near: path, of: root)
  }

  /// The command of this name, else the one with the most similar name; commands near `path` come first.
  private static func closest(to word: String, near path: [String], of root: any ParsableCommand.Type) -> String? {
    let candidates = all(root, path: []).map { command in
      let isNear = command.dropLast().elementsEqual(path)
      return (command: command, distance: distance(word, to: command.last ?? ""), isNear: isNear)
    }
    let limit = word.count < 4 ? 1 : 2
    let best = candidates.filter { $0.distance <= limit }.min {
      ($0.distance, $0.isNear ? 0 : 1, $0.command.count) < ($1.distance, $1.isNear ? 0 : 1, $1.command.count)
    }
    return best.map { "hrp " + $0.command.joined(separator: " ") }
  }

  private static func all(_ node: any ParsableCommand.Type, path: [String]) -> [[String]] {
    visible(node).flatMap { child -> [[String]] in
      let own = path + [name(child)]
      return [own] + all(child, path: own)
    }
  }

  private static func visible(_ node: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
    node.configuration.subcommands.filter { $0.configuration.shouldDisplay }
  }

  private static func names(_ command: any ParsableCommand.Type) -> [String] {
    [name(command)] + command.configuration.aliases
  }

  private static func name(_ command: any ParsableCommand.Type) -> String { command.configuration.commandName ?? "" }

  /// How many letters must be changed, put in, left out or exchanged with their neighbour to make one word the other.
  private static func distance(_ first: String, to second: String) -> Int {
    let (a, b) = (Array(first.lowercased()), Array(second.lowercased()))
    // Words as long as a path are no misspelt command.
    if abs(a.count - b.count) > 2 { return .max }
    var rows = [Array(0...b.count)]
    for i in 1...max(1, a.count) where i <= a.count {
      var row = [i]
      for j in 1...max(1, b.count) where j <= b.count {
        let cost = a[i - 1] == b[j - 1] ? 0 : 1
        var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + cost)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
