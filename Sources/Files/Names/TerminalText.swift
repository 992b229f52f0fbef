/// Makes a stranger's text safe for a terminal, and for a log file that is read on one.
///
/// Names of files and processes and the contents of a stranger's backup may hold bytes that move the cursor, change
/// colours or turn the order of writing round. Nothing of that reaches a terminal.
package enum TerminalText {
  /// The text, with each scalar that a terminal would act on as `%` and hexadecimal digits, as ``ByteText`` writes it.
  ///
  /// - Parameter keepsLines: whether line feeds stay, in a text that has several lines of its own.
  package static func safe(_ text: String, keepsLines: Bool = false) -> String {
    // Nearly all texts are plain.
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
    guard text.unicodeScalars.contains(where: { isActive($0, keepsLines: keepsLines) }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if isActive(scalar, keepsLines: keepsLines) {
        result += String(scalar).utf8.map { "%" + ByteText.hex($0) }.joined()
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Whether a terminal does something on it instead of showing it.
  package static func isActive(_ scalar: Unicode.Scalar) -> Bool { isActive(scalar, keepsLines: false) }

  private static func isActive(_ scalar: Unicode.Scalar, keepsLines: Bool) -> Bool {
    switch scalar.value {
    case 0x0A: !keepsLines
    case ..<0x20, 0x7F...0x9F: true
    // Marks that turn the direction of writing, and separators of lines and paragraphs.
    case 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}
