internal import Backup
internal import Files
internal import Synchronization

/// One line on a terminal: what is done, how much, how fast, how long it will take.
final class ProgressLine: Sendable {
  private struct State {
    var phase = ""
    var done: Int64 = 0
    var expected: Int64 = 0
    var began: Int64 = 0
    var shown: Int64 = 0
    var isVisible = false
  }

  /// Ten a second.
  private static let pauseNanoseconds: Int64 = 100_000_000

  private let state = Mutex(State())
  private let time: any TimeSource

  init(time: any TimeSource) { self.time = time }

  /// Only on a terminal, and not when the user asked for quiet or plain text.
  static func isWanted(isQuiet: Bool) -> Bool {
    !isQuiet && ThisProcess.isTerminal(2) && ThisProcess.environment("NO_COLOR") == nil
  }

  func show(_ event: Event) {
    state.withLock { state in
      let now = time.monotonicNanoseconds
      switch event {
      case .began: state.began = now
      case .expected(let bytes): state.expected = bytes
      case .phase(let words): state.phase = words
      case .progress(let bytes): state.done += bytes
      case .notice, .warning, .finished, .failed:
        clear(&state)
        return
      }
      guard now - state.shown >= Self.pauseNanoseconds, !state.phase.isEmpty else { return }
      state.shown = now
      state.isVisible = true
      StandardStream.error.write("\r\u{1B}[K" + text(state, now))
    }
  }

  private func clear(_ state: inout State) {
    if state.isVisible { StandardStream.error.write("\r\u{1B}[K") }
    state.isVisible = false
  }

  private func text(_ state: State, _ now: Int64) -> String {
    let seconds = max(Double(now - state.began) / 1e9, 0.001)
    let rate = Double(state.done) / seconds
    var line = "\(state.phase): \(ByteCount.text(state.done))"
    if state.expected > 0 {
      line += " of \(ByteCount.text(state.expected))"
      let left = Double(max(0, state.expected - state.done)) / max(rate, 1)
      line += ", \(ByteCount.text(Int64(rate)))/s, \(Int(left.rounded(.up))) s left"
    }
    return line
  }
}
