public import SystemPackage

/// A system call that failed: which, on what, and why.
public struct SystemError: Error, Sendable, Equatable {
  /// The name of the C function, such as `openat`.
  public let call: String
  /// What the kernel said.
  public let errno: Errno
  /// The path as the caller knew it, in readable form; empty when the call had none.
  public let path: String

  package init(_ call: String, errno: Errno, path: String = "") {
    self.call = call
    self.errno = errno
    self.path = path
  }

  /// The same failure with the path that the reader will know.
  package func at(_ path: String) -> SystemError { SystemError(call, errno: errno, path: path) }
}

extension SystemError: CustomStringConvertible {
  /// Call, path and the kernel's words in one line.
  public var description: String {
    path.isEmpty ? "\(call): \(errno)" : "\(call) \(path): \(errno)"
  }
}
