/// An e-mail address, which can do no harm in a header.
package struct EmailAddress: Equatable, Sendable, CustomStringConvertible {
  /// What may stand for one, as it stands after "must be".
  package static let allowed = "an e-mail address, such as me@example.org"

  /// The address alone: "me@example.org".
  package let text: String

  /// Reads `me@example.org` or `Somebody <me@example.org>`; nil for another text.
  package init?(_ written: String) {
    var text = written[...]
    if let opening = written.lastIndex(of: "<"), written.hasSuffix(">") {
      text = written[written.index(after: opening)...].dropLast()
    }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, text.utf8.count <= 254, text.first != "-",
      text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"<>()[]\\,;:\"".utf8.contains($0) })
    else { return nil }
    self.text = String(text)
  }

  package var description: String { text }

  /// Reads addresses with commas between them; nil when one of them is none.
  static func list(_ text: String) -> [EmailAddress]? {
    let words = text.split(separator: ",").map { word in
      EmailAddress(String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()))
    }
    let addresses = words.compactMap { $0 }
    return addresses.isEmpty || addresses.count < words.count ? nil : addresses
  }
}
