#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// One of the three streams that a process is given.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Writes everything, or gives up silently when the reader has gone: there is nobody left to tell.
  package func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { buffer in
        #if canImport(Darwin)
          Darwin.write(rawValue, buffer.baseAddress, buffer.count)
        #elseif canImport(Glibc)
          Glibc.write(rawValue, buffer.baseAddress, buffer.count)
        #else
          Musl.write(rawValue, buffer.baseAddress, buffer.count)
        #endif
      }
      if count > 0 { bytes = bytes.dropFirst(count) } else if errno != EINTR { return }
    }
  }
}
