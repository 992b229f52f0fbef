internal import Files
package import Store

/// One line on a terminal: what is done, how much, how fast, how long it will take.
///
/// It only keeps the state and makes the texts; `Screen` writes them.
package struct ProgressLine {
  /// The line is drawn at most ten times a second.
  private static let pauseNanoseconds: Int64 = 100_000_000
  /// A rate is measured over the last one to five seconds.
  private static let rateNanoseconds: ClosedRange<Int64> = 1_000_000_000...5_000_000_000

  private var phase = ""
  private var step = ""
  private var phaseBegan: Int64 = 0
  /// Whether the phase counts bytes.
  private var phaseHasBytes = false
  private var done: Int64 = 0
  private var expected: Int64 = 0
  /// Samples of the work done in the last seconds, oldest first.
  private var samples: [(at: Int64, done: Int64)] = []
  private var drawn: Int64?
  /// How many columns the line takes on the terminal; 0 when it is not shown.
  private var columns = 0
  private(set) var isTicking = false

  package init(isTicking: Bool = false) { self.isTicking = isTicking }

  /// Returns true once, when the caller has to start to redraw the line regularly.
  mutating func startsTicking() -> Bool {
    guard !isTicking, !phase.isEmpty else { return false }
    isTicking = true
    return true
  }

  /// Takes what an operation tells.
  package mutating func take(_ event: Event, at now: Int64) {
    switch event {
    case .expected(let bytes): expected = bytes
    case .phase(let words): begin(words, at: now)
    case .waiting(let holder, _): begin("waiting for \(holder)", at: now)
    case .step(let words): step = words
    case .progress(let bytes):
      done += bytes
      phaseHasBytes = true
      // Five samples a second are enough.
      if now - (samples.last?.at ?? .min) < 200_000_000 { return }
      samples.append((now, done))
      while samples.count > 2, now - samples[1].at >= Self.rateNanoseconds.upperBound { samples.removeFirst() }
    case .began, .notice, .warning: break
    case .finished, .failed: phase = ""
    }
  }

  private mutating func begin(_ words: String, at now: Int64) {
    (phase, step, phaseBegan, phaseHasBytes) = (words, "", now, false)
    samples = [(now, done)]
  }

  /// Whether there is something to show, and it was not drawn just now.
  func isDue(at now: Int64) -> Bool {
    !phase.isEmpty && drawn.map { now - $0 >= Self.pauseNanoseconds } ?? true
  }

  /// What must be written to show the line as it is now.
  package mutating func redrawn(at now: Int64, width: Int, showsUTF8: Bool) -> String {
    let start = erased(width: width) ?? "\r"
    drawn = now
    // The last column stays free: a terminal that fills it may go to the next line.
    let line = TextColumns.cut(TerminalText.safe(text(at: now)), to: max(1, width - 1), showsUTF8: showsUTF8)
    columns = TextColumns.width(of: line)
    return start + line
  }

  /// The text that erases the line; nil when there is no line.
  mutating func erased(width: Int) -> String? {
    guard columns > 0 else { return nil }
    // A terminal that became narrower has broken the line, and the cursor is at the end of its last part.
    let rowsAbove = (columns - 1) / max(1, width)
    columns = 0
    drawn = nil
    return "\r" + (rowsAbove > 0 ? "\u{1B}[\(rowsAbove)A" : "") + "\u{1B}[J"
  }

  /// The line in words.
  package func text(at now: Int64) -> String {
    var parts: [String] = []
    if !step.isEmpty { parts.append(step) }
    if phaseHasBytes {
      parts.append(amount)
      if let rate = rate(at: now) {
        parts.append("\(ByteCount.text(Int64(rate)))/s")
        if expected > done { parts.append(Self.duration(Double(expected - done) / rate) + " left") }
      }
    } else if now - phaseBegan >= Self.rateNanoseconds.lowerBound {
      parts.append(Self.duration(Double((now - phaseBegan) / 1_000_000_000)))
    }
    return parts.isEmpty ? phase : "\(phase): \(parts.joined(separator: ", "))"
  }

  private var amount: String {
    ByteCount.text(done) + (expected >= done && expected > 0 ? " of \(ByteCount.text(expected))" : "")
  }

  /// Bytes a second over the last seconds; nil when too little is known yet.
  private func rate(at now: Int64) -> Double? {
    guard let oldest = samples.first, now - oldest.at >= Self.rateNanoseconds.lowerBound else { return nil }
    let bytes = Double(done - oldest.done)
    return bytes > 0 ? bytes / (Double(now - oldest.at) / 1e9) : nil
  }

  private static func duration(_ seconds: Double) -> String {
    let seconds = Int(min(seconds.rounded(.up), 86_400 * 100))
    return switch seconds {
    case ..<100: "\(seconds) s"
    case ..<6000: "\((seconds + 59) / 60) min"
    default: "\((seconds + 3599) / 3600) h"
    }
  }
}
