internal import Files

/// Takes out of a text what a stranger need not know: names of user and machine, the home directory, secrets in URIs.
package struct Redaction: Sendable {
  private let replacements: [(String, String)]

  /// Of this process's user and machine.
  package init() {
    let words: [(String?, String)] = [
      (ThisProcess.environment("HOME"), "~"), (ThisProcess.host, "HOST"),
      (ThisProcess.environment("USER") ?? ThisProcess.environment("LOGNAME"), "USER"),
    ]
    self.init(words.compactMap { word, mark in word.map { ($0, mark) } })
  }

  init(_ replacements: [(String, String)]) {
    // Short names and "root" are parts of many words that name nobody.
    self.replacements = replacements.filter { $0.0.count > 2 && $0.0 != "root" && $0.0 != "/root" }
  }

  /// The text without them.
  package func apply(_ text: String) -> String {
    var text = text
    for (word, mark) in replacements {
      text = text.split(separator: word, omittingEmptySubsequences: false).joined(separator: mark)
    }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map(Self.withoutSecrets).joined(
      separator: "\n")
  }

  /// An address without the secrets in it.
  package static func address(_ text: String) -> String { withoutSecrets(text[...]) }

  /// `scheme://user:password@host` without its user, and `…token=…` without its value.
  private static func withoutSecrets(_ line: Substring) -> String {
    line.split(separator: " ", omittingEmptySubsequences: false).map { word in
      var text = String(word)
      if let scheme = text.firstRange(of: "://"), let at = text.lastIndex(of: "@"), at >= scheme.upperBound {
        text = "\(text[..<scheme.upperBound])***@\(text[text.index(after: at)...])"
      }
      return text.split(separator: "&", omittingEmptySubsequences: false).map(withoutValue).joined(separator: "&")
    }.joined(separator: " ")
  }

  /// `…token=…` without its value.
  private static func withoutValue(_ part: Substring) -> String {
    let words = ["token", "secret", "password", "passwd", "api_key", "apikey"]
    let lower = part.lowercased()
    guard let word = words.compactMap({ lower.firstRange(of: $0) }).min(by: { $0.lowerBound < $1.lowerBound }),
      let equals = lower[word.lowerBound...].firstIndex(where: { $0 == "=" || $0 == ":" })
    else { return String(part) }
    let count = lower.distance(from: lower.startIndex, to: equals)
    return "\(part.prefix(count + 1))***"
  }
}
