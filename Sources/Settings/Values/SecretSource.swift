package import Files
package import SystemPackage

/// Where a secret stands; it is read when it is used, and not before.
package enum SecretSource: Equatable, Sendable {
  /// A file with this path, as it was written; relative to the data directory.
  case file(String)
  /// The environment variable of this name.
  case environment(String)

  /// Reads the secret.
  /// - Throws: `SecretError`, which never repeats what it read.
  package func read(dataDirectory: FilePath, files: any FileSystem) throws(SecretError) -> String {
    switch self {
    case .file(let written):
      return try SecretFile(Self.path(written, in: dataDirectory), files: files).read()
    case .environment(let name):
      guard let value = ThisProcess.environment(name) else {
        throw SecretError(message: "\(name) is not set any more", remedy: "Set it again.")
      }
      guard SecretFile.isPlain(value) else {
        throw SecretError(message: "\(name) holds control characters", remedy: "Set it to the secret alone.")
      }
      return value
    }
  }

  /// Where it stands, for people: a path as it was written, or the name of a variable.
  package var words: String {
    switch self {
    case .file(let written): written
    case .environment(let name): name
    }
  }

  /// The path that a file names, `~` expanded.
  package static func path(_ written: String, in dataDirectory: FilePath) -> FilePath {
    dataDirectory.pushing(FilePath(expandingTilde: written)).lexicallyNormalized()
  }
}
