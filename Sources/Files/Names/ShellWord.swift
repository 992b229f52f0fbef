package import SystemPackage

/// Texts and paths as one word of a command that is typed into a shell.
package enum ShellWord {
  /// The text as it must be typed: plain, in single quotes, or in `$'…'` where it holds what no terminal should get.
  package static func quoted(_ text: String) -> String { quoted(Array(text.utf8)) }

  /// The path as it must be typed.
  package static func quoted(_ path: FilePath) -> String { quoted(path.bytes) }

  private static func quoted(_ bytes: [UInt8]) -> String {
    if !bytes.isEmpty, bytes.allSatisfy(isPlain) { return String(decoding: bytes, as: UTF8.self) }
    let text = String(decoding: bytes, as: UTF8.self)
    if text.utf8.elementsEqual(bytes), TerminalText.safe(text) == text {
      return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
    // Bash, zsh and ksh know this form, and so does POSIX since 2024.
    return "$'" + bytes.map(escaped).joined() + "'"
  }

  private static func escaped(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "'"), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
    case 0x20..<0x7F: String(UnicodeScalar(byte))
    default: "\\x" + ByteText.hex(byte)
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: "/._-+:,@%".utf8.contains(byte)
    }
  }
}
