package import Files
package import SystemPackage

/// Why a secret is not used, and what to do about it; it never holds the secret.
package struct SecretError: Error, Equatable, Sendable {
  /// What is wrong, as a clause.
  package let message: String
  /// What to do: a sentence or a command.
  package let remedy: String

  package init(message: String, remedy: String) {
    self.message = message
    self.remedy = remedy
  }
}

/// A file that holds one secret and nothing else.
///
/// Only its owner may read it, and its owner is this user or root.
package struct SecretFile: Sendable {
  /// More is no password that somebody chose.
  package static let maximumBytes: Int64 = 4096

  private let path: FilePath
  private let files: any FileSystem

  package init(_ path: FilePath, files: any FileSystem) {
    self.path = path
    self.files = files
  }

  /// The secret, without one line feed at its end.
  /// - Throws: `SecretError`, also when it cannot be told who may read the file.
  package func read() throws(SecretError) -> String {
    let (status, bytes) = try contents()
    try check(status)
    guard bytes.count <= Self.maximumBytes else {
      throw error("is larger than \(Self.maximumBytes) bytes", remedy: "Name a file that holds the secret alone.")
    }
    let secret = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
    guard !secret.isEmpty else { throw error("is empty", remedy: "Write the secret into it.") }
    guard let text = String(validating: secret, as: UTF8.self), Self.isPlain(text) else {
      throw error(
        "holds more than one line, or control characters", remedy: "Write the secret alone into it, in one line.")
    }
    return text
  }

  private func contents() throws(SecretError) -> (FileStatus, [UInt8]) {
    do throws(SystemError) {
      // A symlink leads to the file that counts; a FIFO would keep us waiting.
      let file = try OpenFile(RealPath.of(path) ?? path, mode: [.noFollow], displayPath: path, files: files)
      let status = try file.status()
      guard status.kind == .regular else { return (status, []) }
      return (status, try file.read(count: Int(Self.maximumBytes) + 1, at: 0))
    } catch {
      throw self.error(
        error.meansAbsent ? "is not there" : "cannot be read (\(error.errno))",
        remedy: "Make it readable for the user who runs hrp, and for nobody else: ls -l \(ShellWord.quoted(path))")
    }
  }

  private func check(_ status: FileStatus) throws(SecretError) {
    guard status.kind == .regular else {
      throw error("is \(status.kind.words)", remedy: "Name a file that holds the secret alone.")
    }
    guard ThisProcess.owns(status) || status.owner.user == FileOwner.root.user else {
      throw error("belongs to another user", remedy: "chown it to the user who runs hrp: \(ShellWord.quoted(path))")
    }
    guard status.permissions & 0o077 == 0 else {
      throw error("can be read or written by others", remedy: "chmod 600 \(ShellWord.quoted(path))")
    }
  }

  private func error(_ words: String, remedy: String) -> SecretError {
    SecretError(message: "the secret file \(path.text) \(words)", remedy: remedy)
  }

  /// Whether a text holds no control characters.
  static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
}
