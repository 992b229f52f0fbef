private import CFiles
package import SystemPackage

/// A program started with a pipe to write to and one to read from; what it says on stderr is dropped.
///
/// It inherits nothing else, and is ended at the latest when this object goes.
package final class ChildProcess {
  /// How a child ended.
  package enum End: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)

    /// As a clause: "ended by itself with 1".
    package var words: String {
      switch self {
      case .exited(let code): "ended with exit code \(code)"
      case .signalled(let number): "crashed (signal \(number))"
      }
    }
  }

  /// What the child says.
  package let output: ChildStream
  private let pid: Int32
  private let input: Descriptor
  private var end: End?

  /// Starts the program with arguments, not counting its own name.
  package init(_ program: FilePath, arguments: [String]) throws(SystemError) {
    var pid: Int32 = 0
    var (input, output): (Int32, Int32) = (-1, -1)
    let error = program.withPlatformString { path in
      arguments.joined(separator: "\n").withCString { hrp_start_child(path, $0, &input, &output, &pid) }
    }
    guard error == 0 else { throw SystemError("posix_spawn", errno: Errno(rawValue: error), path: program.text) }
    self.pid = pid
    self.input = Descriptor(number: input)
    self.output = ChildStream(Descriptor(number: output))
  }

  deinit { if end == nil { kill() } }

  /// Writes to the child's standard input, which stays open.
  package func send(_ bytes: [UInt8]) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { hrp_write_pipe(input.number, $0.baseAddress, Int64($0.count)) }
      if count < 0 { throw SystemError("write", errno: Errno(rawValue: Int32(-count))) }
      done += Int(count)
    }
  }

  /// Waits until the child has ended by itself.
  package func wait() -> End {
    if let end { return end }
    let status = hrp_wait_child(pid)
    let ended: End = status >= 1000 ? .signalled(status - 1000) : .exited(status)
    close(ended)
    return ended
  }

  /// Ends the child at once.
  package func kill() {
    guard end == nil else { return }
    hrp_kill_child(pid)
    close(.signalled(9))
  }

  private func close(_ ended: End) {
    end = ended
    // Nothing can be lost in a pipe to a process that has ended.
    ignoringFailure { try Kernel().close(input) }
    output.close()
  }
}

/// Lines that come through a pipe.
package final class ChildStream {
  /// A line that is longer is cut: nothing that we talk to says as much.
  private static let maximumLine = 4 << 20

  let descriptor: Descriptor
  private var buffer = [UInt8](repeating: 0, count: 64 * 1024)
  private var pending: [UInt8] = []
  private var isClosed = false

  package init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  /// The next line without its line feed; nil at the end.
  ///
  /// `whileWaiting` is called now and then.
  package func line(whileWaiting: () throws -> Void = {}) throws -> [UInt8]? {
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        defer { pending.removeFirst(end + 1) }
        return Array(pending[..<end])
      }
      let count = hrp_read_pipe(descriptor.number, &buffer, Int64(buffer.count), 100)
      if count == 0 || pending.count > Self.maximumLine { return nil }
      if count > 0 { pending.append(contentsOf: buffer[..<Int(count)]) } else { try whileWaiting() }
    }
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    ignoringFailure { try Kernel().close(descriptor) }
  }
}
