package import SystemPackage

/// Takes absolute paths out of a text that leaves this machine.
///
/// `/home/me/x` becomes `…/x`. What cannot be told apart from a path is taken out too; addresses of web servers stay.
package enum PathlessText {
  /// The text without absolute paths.
  /// - Parameter directories: directories that are known; blanks in their paths do no harm.
  package static func make(_ text: String, hiding directories: [FilePath] = []) -> String {
    // The longest first: what lies within another one is named by its own end.
    let known = directories.map(\.string).filter { $0.count > 1 }.sorted { $0.count > $1.count }
    var rest = text[...]
    var result = ""
    while let character = rest.first {
      let previous = result.last
      if isWordStart(previous), let directory = known.first(where: { isDirectory($0, at: rest) }) {
        result += mark
        rest = rest.dropFirst(directory.count)
        continue
      }
      if let length = pathLength(rest, after: previous) {
        result += shortened(rest.prefix(length))
        rest = rest.dropFirst(length)
      } else if isWordStart(previous), let address = webAddress(rest) {
        result += address
        rest = rest.dropFirst(address.count)
      } else {
        result.append(character)
        rest = rest.dropFirst()
      }
    }
    return result
  }

  private static let mark = "…"
  private static let quotes: [Character: Character] = ["'": "'", "\"": "\"", "`": "`", "“": "”", "‘": "’", "«": "»"]

  /// Whether a text begins with this directory, and not with another one whose name goes on.
  private static func isDirectory(_ directory: String, at text: Substring) -> Bool {
    guard text.hasPrefix(directory) else { return false }
    let next = text.dropFirst(directory.count).first
    return next.map { $0 == "/" || !isPartOfName($0) } ?? true
  }

  private static func isPartOfName(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || "-_~".contains(character)
  }

  /// How long the path is with which a text begins; nil when it begins with none.
  private static func pathLength(_ text: Substring, after previous: Character?) -> Int? {
    guard isWordStart(previous) || previous == "/" else { return nil }
    let home = text.first == "~" ? text.dropFirst().prefix { !$0.isWhitespace && $0 != "/" }.count + 1 : 0
    let path = text.dropFirst(home)
    guard path.first == "/", let next = path.dropFirst().first, !next.isWhitespace else { return nil }
    if let previous, let end = quotes[previous], let length = text.firstIndex(of: end) {
      return text.distance(from: text.startIndex, to: length)
    }
    return home + wordLength(path)
  }

  /// How long a path without quotes is; words behind a blank belong to it as long as a slash follows in them.
  private static func wordLength(_ text: Substring) -> Int {
    let word = text.prefix { !$0.isWhitespace && !"\"'`<>|;,()".contains($0) }
    let rest = text.dropFirst(word.count)
    guard rest.first == " ", let next = rest.dropFirst().first, next.isLetter || next.isNumber else {
      return word.count - word.reversed().prefix { ".:!?".contains($0) }.count
    }
    let following = rest.dropFirst().prefix { !$0.isWhitespace }
    guard let slash = following.firstIndex(of: "/"), !following[slash...].hasPrefix("//") else {
      return word.count - word.reversed().prefix { ".:!?".contains($0) }.count
    }
    return word.count + 1 + wordLength(rest.dropFirst())
  }

  /// `…` and the last component of a path.
  private static func shortened(_ path: Substring) -> String {
    guard let last = path.split(separator: "/").last, !last.hasPrefix("~") else { return mark }
    return "\(mark)/\(last)"
  }

  /// Whether a path can begin behind this character.
  private static func isWordStart(_ character: Character?) -> Bool {
    guard let character else { return true }
    return !character.isLetter && !character.isNumber && !"/.-_…~".contains(character)
  }

  /// The address of a web server with which a text begins.
  private static func webAddress(_ text: Substring) -> Substring? {
    let start = text.prefix(8).lowercased()
    guard start.hasPrefix("http://") || start.hasPrefix("https://") else { return nil }
    return text.prefix { !$0.isWhitespace && !"\"'`<>".contains($0) }
  }
}
