internal import Files
package import SystemPackage

/// Something that people are told of a stack.
///
/// It holds no absolute path and, outside of its message, no line feed; nothing in it is a control character.
package struct Notice: Sendable {
  /// What is told.
  package enum Kind: String, Sendable, CaseIterable {
    case start, success, failure
    /// The stack is not protected any more, and protected again.
    case unprotected, protected
    /// The stack is still not protected.
    case reminder
    case test
  }

  /// The most bytes of a message: services that are pinged take 10,000.
  private static let maximumMessage = 8000
  /// The most bytes of a name, so that a line of a header stays within its limit.
  private static let maximumName = 200

  package let kind: Kind
  /// The name of the stack.
  package let stack: String
  /// The name of the machine.
  package let host: String
  /// A word such as "production"; nil when none is configured.
  package let environment: String?
  /// The job of the schedule; nil when there is none.
  package let job: String?
  /// When it happened, in nanoseconds since 1970 UTC.
  package let timestamp: Int64
  package let message: String
  /// The stable code of an error, such as "disk.full".
  package let code: String?
  /// The name of the backup.
  package let backup: String?
  package let sizeBytes: Int64?
  package let durationSeconds: Double?

  /// - Parameter stack: a name, or a path, of which only the last component is used.
  /// - Parameter directories: directories whose paths are taken out of the message, blanks in them included.
  package init(
    _ kind: Kind, stack: String, host: String? = nil, environment: String? = nil, job: String? = nil,
    timestamp: Int64, message: String, code: String? = nil, backup: String? = nil, sizeBytes: Int64? = nil,
    durationSeconds: Double? = nil, hiding directories: [FilePath] = []
  ) {
    let word = { (text: String) in Self.cut(TerminalText.safe(text), bytes: Self.maximumName) }
    let name = { (text: String) in word(text.split(separator: "/").last.map(String.init) ?? "stack") }
    self.kind = kind
    self.stack = name(stack)
    self.host = word(host ?? ThisProcess.host)
    self.environment = environment.map(word)
    self.job = job.map(word)
    self.timestamp = timestamp
    let text = PathlessText.make(message, hiding: directories)
    self.message = Self.cut(TerminalText.safe(text, keepsLines: true), bytes: Self.maximumMessage)
    self.code = code.map(word)
    self.backup = backup.map(name)
    self.sizeBytes = sizeBytes
    // JSON has no number for the others.
    self.durationSeconds = durationSeconds.flatMap { $0.isFinite ? $0 : nil }
  }

  /// The beginning of a text, in whole scalars.
  static func cut(_ text: String, bytes: Int) -> String {
    guard text.utf8.count > bytes else { return text }
    var result = String.UnicodeScalarView()
    var count = 0
    for scalar in text.unicodeScalars {
      count += UTF8.width(scalar)
      if count > bytes { break }
      result.append(scalar)
    }
    return String(result)
  }
}
