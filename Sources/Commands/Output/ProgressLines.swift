internal import Files
internal import Store
internal import Synchronization

/// Progress as JSON lines on stderr, for a program that runs `hrp`: each line is an object with one key.
///
///     {"progress":{"done_bytes":1048576,"phase":"copying the database","step":"","total_bytes":4194304}}
///     {"notice":"hrp: 3 files are shared with backup_20260124_020000"}
///     {"warning":"hrp: warning: a file could not be read"}
///
/// A line of progress is written when a phase begins, and at most ten times a second. `total_bytes` is 0 while it is
/// not known.
final class ProgressLines: Sendable {
  /// What a line says.
  enum Line {
    case notice(String)
    case warning(String)
  }

  private struct Progress: Encodable {
    var phase = ""
    var step = ""
    var doneBytes: Int64 = 0
    var totalBytes: Int64 = 0

    enum CodingKeys: String, CodingKey {
      case phase, step
      case doneBytes = "done_bytes"
      case totalBytes = "total_bytes"
    }
  }

  private struct State {
    var progress = Progress()
    /// When the last line was written, by the monotonic clock; nil before the first.
    var written: Int64?
  }

  private static let pauseNanoseconds: Int64 = 100_000_000
  private let state = Mutex(State())

  /// Takes what an operation tells; notices and warnings come by ``tell(_:)``.
  func take(_ event: Event) {
    state.withLock { state in
      var isNew = false
      switch event {
      case .expected(let bytes): state.progress.totalBytes = bytes
      case .phase(let words): (state.progress.phase, state.progress.step, isNew) = (words, "", true)
      case .waiting(let holder, _):
        (state.progress.phase, state.progress.step, isNew) = ("waiting for \(holder)", "", true)
      case .step(let words): state.progress.step = words
      case .progress(let bytes): state.progress.doneBytes += bytes
      case .began, .notice, .warning, .finished, .failed: return
      }
      if state.progress.phase.isEmpty { return }
      let now = SystemTime().monotonicNanoseconds
      if !isNew, let written = state.written, now - written < Self.pauseNanoseconds { return }
      state.written = now
      Self.write(["progress": state.progress])
    }
  }

  /// Writes a line that has no progress in it.
  func tell(_ line: Line) {
    switch line {
    case .notice(let text): Self.write(["notice": text])
    case .warning(let text): Self.write(["warning": text])
    }
  }

  private static func write(_ value: [String: some Encodable]) {
    // A line that cannot be encoded is a line less; the result is told on stdout.
    ignoringFailure {
      StandardStream.error.write(String(decoding: try StoredJSON.line(of: value), as: UTF8.self))
    }
  }
}
