internal import Foundation
private import Synchronization

/// A port of this machine on which a test answers.
///
/// A thread of its own takes one connection after the other, until the object goes.
final class ListeningSocket: Sendable {
  /// The port, which the kernel chose.
  let port: Int
  private let descriptor: Int32

  /// - Parameter serve: is called with each connection, which is closed afterwards.
  init(serve: @escaping @Sendable (SocketConnection) -> Void) throws {
    let bound = try BoundSocket()
    let descriptor = bound.release()
    guard listen(descriptor, 16) == 0 else { throw POSIXError(.EADDRINUSE) }
    port = bound.port
    self.descriptor = descriptor
    Thread.detachNewThread {
      while true {
        let number = accept(descriptor, nil, nil)
        guard number >= 0 else { break }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        serve(SocketConnection(number))
        close(number)
      }
      close(descriptor)
    }
  }

  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

/// A port on which nobody answers, for as long as the object lives.
public final class BoundSocket: Sendable {
  /// The port, which the kernel chose.
  public let port: Int
  private let descriptor: Int32
  private let isOpen = Atomic<Bool>(true)

  /// Takes a port.
  public init() throws {
    let descriptor = socket(AF_INET, streamType, 0)
    guard descriptor >= 0 else { throw POSIXError(.EMFILE) }
    // No child of a test running beside this one keeps it open.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
      }
    }
    guard status == 0 else { throw POSIXError(.EADDRINUSE) }
    port = Int(UInt16(bigEndian: address.sin_port))
    self.descriptor = descriptor
  }

  deinit { if isOpen.load(ordering: .relaxed) { close(descriptor) } }

  /// Hands the socket to somebody else, who closes it.
  func release() -> Int32 {
    isOpen.store(false, ordering: .relaxed)
    return descriptor
  }
}

/// One connection: lines and bytes of it.
final class SocketConnection {
  private let descriptor: Int32
  private var pending: [UInt8] = []

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// The next line without its line end; nil at the end.
  func line() -> String? {
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        defer { pending.removeFirst(end + 1) }
        let line = pending[..<end]
        return String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
      }
      guard fill() else { return nil }
    }
  }

  /// So many bytes; fewer at the end.
  func bytes(_ count: Int) -> [UInt8] {
    while pending.count < count, fill() {}
    defer { pending.removeFirst(min(count, pending.count)) }
    return Array(pending.prefix(count))
  }

  /// Reads until the other side closes.
  func drain() { while fill() {} }

  /// Writes a text.
  func write(_ text: String) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, noSignal) }
      guard count > 0 else { return }
      done += count
    }
  }

  private func fill() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    pending += buffer[..<count]
    return true
  }
}

#if canImport(Darwin)
  private let streamType = SOCK_STREAM
  private let noSignal: Int32 = 0
#else
  private let streamType = Int32(SOCK_STREAM.rawValue)
  private let noSignal = Int32(MSG_NOSIGNAL)
#endif
