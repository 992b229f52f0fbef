private import Synchronization

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// Whether the user or the system asked this process to stop.
///
/// Long work asks at every buffer.
package enum Interruption {
  private static let received = Atomic<Int32>(0)

  /// The work was asked to stop by this signal.
  package struct Stopped: Error {
    package let signal: Int32

    package init(signal: Int32) { self.signal = signal }

    /// 130 for SIGINT, 143 for SIGTERM: the shell's convention.
    package var exitCode: Int32 { 128 + signal }
  }

  /// Turns SIGINT and SIGTERM into a request to stop; a second one ends the process at once.
  package static func listen() {
    // A parent thread that blocks signals, such as one of a dispatch queue, passes this setting on to us.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    sigprocmask(SIG_UNBLOCK, &signals, nil)
    for signal in [SIGINT, SIGTERM] {
      var action = sigaction()
      let handler: @convention(c) (Int32) -> Void = { number in
        if Interruption.received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
      #if canImport(Darwin)
        action.__sigaction_u.__sa_handler = handler
      #else
        action.__sigaction_handler.sa_handler = handler
      #endif
      sigaction(signal, &action, nil)
    }
  }

  /// Takes the end of stdin for a request to stop, as SIGTERM is: the program that started this one has gone.
  /// - Throws: when no thread can be started.
  package static func followInput() throws {
    let thread = try Workers<Int>(count: 1, capacity: 1) {
      { _ in
        var byte: UInt8 = 0
        while true {
          let count = read(0, &byte, 1)
          if count > 0 || (count < 0 && errno == EINTR) { continue }
          // SIGTERM wakes whoever sleeps.
          kill(getpid(), SIGTERM)
          return
        }
      }
    }
    thread.submit(0) {}
  }

  /// The signal that asked this process to stop; nil when none did.
  package static var stopped: Stopped? {
    let signal = received.load(ordering: .relaxed)
    return signal == 0 ? nil : Stopped(signal: signal)
  }

  /// Returns at once, or throws when the process was asked to stop.
  package static func check() throws(Stopped) {
    if let stopped { throw stopped }
  }
}
