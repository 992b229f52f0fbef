internal import Files
internal import SystemPackage

/// A program that is run to its end, or until it took too long.
///
/// It runs as the first process of a group of its own, which is ended with all that it started.
struct BoundedChild {
  /// How a run ended.
  enum Outcome: Equatable {
    case ended(ChildProcess.End)
    case tooLong
    /// This process was asked to stop, by this signal, while the program ran.
    case interrupted(Int32)
  }

  /// Why waiting for output has an end.
  private enum Break: Error { case ended, tooLong, interrupted(Int32) }

  /// The most of the output that is kept: its end.
  private static let maximumOutput = 2048
  /// How long a program may tidy up after it was asked to end.
  private static let patience: Duration = .seconds(2)

  let outcome: Outcome
  /// The end of what it said, on both of its streams.
  let output: String

  /// Runs a program.
  /// - Parameter heedsSignals: whether a request to stop ends it.
  /// - Throws: `SystemError` when it cannot be started.
  init(
    _ program: FilePath, arguments: [String], input: String = "", limit: Duration, heedsSignals: Bool
  ) throws(SystemError) {
    let child = try ChildProcess(program, arguments: arguments, errors: .withOutput, isGroup: true)
    // A program that does not read what it is told says so by its end.
    ignoringFailure { try child.send(Array(input.utf8)) }
    child.closeInput()
    // A child lives in real time, whatever clock a test has.
    let clock = SystemTime()
    let end = clock.monotonicNanoseconds + limit.nanoseconds
    var said: [UInt8] = []
    let look = { () throws(Break) in
      if heedsSignals, let stopped = Interruption.stopped { throw .interrupted(stopped.signal) }
      if clock.monotonicNanoseconds >= end { throw .tooLong }
    }
    var hasEnded = false
    do {
      while let bytes = try child.output.bytes(whileWaiting: {
        try look()
        // What it started may keep its output open for ever. All that the child itself said is read by the next wait.
        if hasEnded { throw Break.ended }
        hasEnded = child.hasEnded
      }) {
        said = Array((said + bytes).suffix(Self.maximumOutput))
        try look()
      }
      // The output has ended; the program may go on in silence.
      while !child.hasEnded {
        try look()
        clock.sleep(.milliseconds(5))
      }
      outcome = .ended(child.wait())
    } catch Break.tooLong {
      Self.stop(child)
      outcome = .tooLong
    } catch Break.interrupted(let signal) {
      Self.stop(child)
      outcome = .interrupted(signal)
    } catch {
      outcome = .ended(child.wait())
    }
    output = String(decoding: said, as: UTF8.self)
  }

  /// Asks the group to end, waits for a moment, and ends it.
  private static func stop(_ child: ChildProcess) {
    child.terminate()
    let clock = SystemTime()
    let end = clock.monotonicNanoseconds + patience.nanoseconds
    let look = { () throws(Break) in if clock.monotonicNanoseconds >= end { throw .tooLong } }
    // Until the child is waited for, its number stays that of the group.
    ignoringFailure {
      while try child.output.bytes(whileWaiting: look) != nil { try look() }
    }
    child.kill()
  }
}
