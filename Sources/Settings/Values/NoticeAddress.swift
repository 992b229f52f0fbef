/// The address of a server, of which only scheme and host are shown: its path may be a secret.
package struct NoticeAddress: Equatable, Sendable, CustomStringConvertible {
  /// The protocols of an address.
  package enum Protocols: Sendable {
    case web, mail

    fileprivate var schemes: [String] {
      switch self {
      case .web: ["http", "https"]
      case .mail: ["smtp", "smtps"]
      }
    }
  }

  /// Names of values in a query that are secrets, or parts of such names.
  private static let secretWords = ["token", "secret", "key", "passw", "pwd", "auth", "sig", "credential"]

  /// The whole address, without a fragment.
  package let text: String
  /// The scheme in small letters.
  package let scheme: String
  /// The host, with its port when there is one.
  package let host: String
  private let user: Substring?

  /// Reads an address; nil for a text that is none of this kind.
  package init?(_ text: String, protocols: Protocols) {
    guard text.utf8.count <= 2048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }),
      let mark = text.firstRange(of: "://")
    else { return nil }
    let scheme = text[..<mark.lowerBound].lowercased()
    guard protocols.schemes.contains(scheme) else { return nil }
    let rest = text[mark.upperBound...].prefix { $0 != "#" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let at = authority.lastIndex(of: "@")
    let host = at.map { authority[authority.index(after: $0)...] } ?? authority
    guard Self.isHost(host) else { return nil }
    self.text = scheme + "://" + rest
    self.scheme = scheme
    self.host = String(host)
    user = at.map { authority[..<$0] }
  }

  /// Only scheme and host: "https://hc-ping.com/***".
  package var description: String {
    let isAll = text.count - scheme.count - 3 - host.count <= 1 && user == nil
    return "\(scheme)://\(host)" + (isAll ? "" : "/***")
  }

  /// Whether it holds a user, a password, or a value with the name of a secret.
  package var holdsSecret: Bool {
    guard user == nil else { return true }
    guard let query = text.firstIndex(of: "?") else { return false }
    return text[text.index(after: query)...].split(whereSeparator: { $0 == "&" || $0 == ";" }).contains { value in
      let name = value.prefix { $0 != "=" }.lowercased()
      return Self.secretWords.contains { name.contains($0) }
    }
  }

  /// The address with one more word in its path; a query stays at its end.
  package func appending(_ word: String) -> String {
    let end = text.firstIndex(of: "?") ?? text.endIndex
    var path = text[..<end]
    while path.last == "/" { path = path.dropLast() }
    return "\(path)/\(word)\(text[end...])"
  }

  private static func isHost(_ text: Substring) -> Bool {
    guard text.hasPrefix("[") else {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      let name = parts.first ?? ""
      return !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || "-._".contains($0) }
        && (parts.count == 1 || parts.count == 2 && isPort(parts[1]))
    }
    guard let end = text.firstIndex(of: "]") else { return false }
    let rest = text[text.index(after: end)...]
    return text[..<end].dropFirst().allSatisfy { $0.isHexDigit || ":.%".contains($0) }
      && (rest.isEmpty || rest.hasPrefix(":") && isPort(rest.dropFirst()))
  }

  private static func isPort(_ text: Substring) -> Bool {
    text.allSatisfy(\.isNumber) && Int(text).map { (1...65_535).contains($0) } == true
  }
}
