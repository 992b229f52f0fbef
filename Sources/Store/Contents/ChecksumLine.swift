package import Files

/// A line of `checksums.txt`, as `sha256sum` writes and checks it: 64 hexadecimal digits, two blanks, the path.
///
/// A path with a backslash, a line feed or a carriage return is escaped and the line begins with a backslash
/// (coreutils, `src/digest.c`). Pure: bytes in, value or nil out.
package struct ChecksumLine: Equatable, Sendable {
  package let digest: Digest
  package let path: EntryPath

  package init(digest: Digest, path: EntryPath) {
    self.digest = digest
    self.path = path
  }

  /// Why a line is refused, as a clause.
  package struct Malformed: Error, Equatable { package let why: String }

  /// Reads a line without its line feed.
  ///
  /// Binary mode (` *`) is read as text mode is.
  /// - Throws: `Malformed`, also for a path that is absolute or leads out of the backup.
  package init(parsing line: [UInt8]) throws(Malformed) {
    var rest = line[...]
    let isEscaped = rest.first == UInt8(ascii: "\\")
    if isEscaped { rest = rest.dropFirst() }
    guard let digest = Digest(hex: rest.prefix(64)) else { throw Malformed(why: "does not begin with a SHA-256") }
    rest = rest.dropFirst(64)
    guard rest.first == 0x20, let mode = rest.dropFirst().first, mode == 0x20 || mode == UInt8(ascii: "*") else {
      throw Malformed(why: "has no two blanks after the SHA-256")
    }
    rest = rest.dropFirst(2)
    guard let bytes = isEscaped ? Self.unescaped(rest) : Array(rest) else {
      throw Malformed(why: "has a path with an unknown escape")
    }
    guard let path = EntryPath(validating: bytes) else {
      throw Malformed(why: "names a path that is empty, absolute or leads out of the backup")
    }
    self.init(digest: digest, path: path)
  }

  /// The line with its line feed.
  package var bytes: [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(68 + path.bytes.count)
    let isEscaped = path.bytes.contains {
      $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
    }
    if isEscaped { line.append(UInt8(ascii: "\\")) }
    digest.appendHex(to: &line)
    line.append(literal: "  ")
    guard isEscaped else {
      line.append(contentsOf: path.bytes)
      line.append(UInt8(ascii: "\n"))
      return line
    }
    for byte in path.bytes {
      if let letter = Self.escapes[byte] {
        line.append(contentsOf: [UInt8(ascii: "\\"), letter])
      } else {
        line.append(byte)
      }
    }
    line.append(UInt8(ascii: "\n"))
    return line
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "\n"): UInt8(ascii: "n"),
    UInt8(ascii: "\r"): UInt8(ascii: "r"),
  ]

  private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var iterator = text.makeIterator()
    while let byte = iterator.next() {
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      guard let letter = iterator.next(), let meaning = escapes.first(where: { $0.value == letter }) else { return nil }
      bytes.append(meaning.key)
    }
    return bytes
  }
}
