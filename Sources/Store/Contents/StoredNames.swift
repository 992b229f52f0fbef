internal import Files
internal import SystemPackage

/// The names of the files of a backup.
package enum StoredNames {
  /// The paths that `checksums.txt` names, in its order and in readable form.
  /// - Throws: `SystemError`; `ChecksumLine.Malformed` for a list that no hrp wrote.
  package static func of(_ backup: String) throws -> [String] {
    let path = FilePath(bytes: ByteText.bytes(of: backup.utf8) ?? Array(backup.utf8)).appending("checksums.txt")
    let lines = LineReader(try OpenFile(path, mode: [.noFollow], files: Kernel()))
    var names: [String] = []
    while let line = try lines.next() { names.append(try ChecksumLine(parsing: line).path.text) }
    return names
  }
}
