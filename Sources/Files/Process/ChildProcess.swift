private import CFiles
package import SystemPackage

/// A program started with a pipe to write to and one to read from.
///
/// It inherits nothing else, and is ended at the latest when this object goes, unless it was told to live on.
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

  /// What becomes of what the child says on stderr.
  package enum Errors: Int32, Sendable {
    case dropped = 0
    /// It goes where this process's own goes.
    case inherited = 1
    /// It comes with the output.
    case withOutput = 2
  }

  /// What the child says.
  package let output: ChildStream
  private let pid: Int32
  private let isGroup: Bool
  private var input: Descriptor?
  private var end: End?
  /// Whether it goes on when this object goes.
  package var outlivesObject = false

  /// Starts the program with arguments, not counting its own name.
  /// - Parameter isGroup: whether it is the first process of a new group, which signals then go to.
  package init(
    _ program: FilePath, arguments: [String], errors: Errors = .dropped, isGroup: Bool = false
  ) throws(SystemError) {
    var pid: Int32 = 0
    var (input, output): (Int32, Int32) = (-1, -1)
    var words: [CChar] = []
    for argument in arguments { words += argument.utf8CString }
    words.append(0)
    let error = program.withPlatformString { path in
      hrp_start_child(path, words, Int32(arguments.count), errors.rawValue, isGroup ? 1 : 0, &input, &output, &pid)
    }
    guard error == 0 else { throw SystemError("posix_spawn", errno: Errno(rawValue: error), path: program.text) }
    self.pid = pid
    self.isGroup = isGroup
    self.input = Descriptor(number: input)
    self.output = ChildStream(Descriptor(number: output))
  }

  deinit { if end == nil, !outlivesObject { kill() } }

  /// Writes to the child's standard input, which stays open.
  package func send(_ bytes: [UInt8]) throws(SystemError) {
    guard let input else { throw SystemError("write", errno: .badFileDescriptor) }
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { hrp_write_pipe(input.number, $0.baseAddress, Int64($0.count)) }
      if count < 0 { throw SystemError("write", errno: Errno(rawValue: Int32(-count))) }
      done += Int(count)
    }
  }

  /// Ends the child's standard input.
  package func closeInput() {
    // Nothing can be lost in a pipe: what was written is there to be read.
    ignoringFailure { try input.map(Kernel().close) }
    input = nil
  }

  /// Waits until the child has ended by itself.
  package func wait() -> End {
    if let end { return end }
    return close(hrp_wait_child(pid))
  }

  /// How the child ended; nil while it runs.
  package func poll() -> End? {
    if let end { return end }
    let status = hrp_poll_child(pid)
    return status < 0 ? nil : close(status)
  }

  /// Whether the child has ended; what it said can still be read, until somebody waits for it.
  package var hasEnded: Bool { end != nil || hrp_child_has_ended(pid) == 1 }

  /// Asks the child, or its whole group, to end (SIGTERM).
  package func terminate() { signal(15) }

  /// Ends the child, or its whole group, at once.
  package func kill() {
    guard end == nil else { return }
    signal(9)
    _ = close(hrp_wait_child(pid))
  }

  private func signal(_ number: Int32) {
    // After its end its number may be another process's.
    guard end == nil else { return }
    hrp_signal_child(pid, isGroup ? 1 : 0, number)
  }

  private func close(_ status: Int32) -> End {
    let ended: End = status >= 1000 ? .signalled(status - 1000) : .exited(status)
    end = ended
    closeInput()
    output.close()
    return ended
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

  /// The next bytes as they come; nil at the end.
  ///
  /// It is for output without lines, and not to be mixed with `line`. `whileWaiting` is called now and then.
  package func bytes(whileWaiting: () throws -> Void = {}) throws -> [UInt8]? {
    while true {
      let count = hrp_read_pipe(descriptor.number, &buffer, Int64(buffer.count), 100)
      if count == 0 { return nil }
      if count > 0 { return Array(buffer[..<Int(count)]) }
      try whileWaiting()
    }
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    ignoringFailure { try Kernel().close(descriptor) }
  }
}
