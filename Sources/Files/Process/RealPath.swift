package import SystemPackage

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// Paths without symlinks.
package enum RealPath {
  /// The path with all symlinks resolved; nil when it leads to nothing.
  ///
  /// The corresponding C function is `realpath`.
  package static func of(_ path: FilePath) -> FilePath? {
    path.withPlatformString { text in
      guard let real = realpath(text, nil) else { return nil }
      defer { free(real) }
      return FilePath(platformString: real)
    }
  }

  /// The path with all symlinks resolved, also when its end does not exist; a dangling symlink at its end stays.
  package static func ofWhatExists(_ path: FilePath) -> FilePath {
    if let real = of(path) { return real }
    guard let last = path.lastComponent, path.removingLastComponent() != path else { return path }
    return ofWhatExists(path.removingLastComponent()).appending(last)
  }
}
