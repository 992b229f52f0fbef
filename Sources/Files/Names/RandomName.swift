/// Names that no other process makes, whatever its PID.
package enum RandomName {
  private static let digits = 16

  /// The prefix, and 16 random hexadecimal digits.
  package static func make(_ prefix: String) -> String {
    let text = String(UInt64.random(in: .min ... .max), radix: 16)
    return prefix + String(repeating: "0", count: digits - text.count) + text
  }

  /// Whether a name is one that `make` gave, with a suffix behind it.
  static func matches(_ name: FileName, prefix: String, suffix: String) -> Bool {
    let middle = name.bytes.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
    return name.hasPrefix(prefix) && name.bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
      && middle.count == digits
      && middle.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}
