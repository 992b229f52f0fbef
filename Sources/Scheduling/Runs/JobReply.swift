internal import Jobs
internal import Store

/// One line that the process of a job writes: what it does now, and at last how it ended.
enum JobReply: Codable, Sendable {
  case expected(bytes: Int64)
  case phase(String)
  case step(String)
  case progress(bytes: Int64)
  case notice(String)
  case warning(String)
  case waiting(holder: String, reason: String)
  case ended(state: String, code: String?, message: String, backup: String?, sizeBytes: Int64?)
  /// It could not begin: the code of the error, what it is, and what to do.
  case refused(code: String, isBusy: Bool, message: String, remedy: String)

  /// What of an event is worth a line.
  init?(_ event: Event) {
    switch event {
    case .expected(let bytes): self = .expected(bytes: bytes)
    case .phase(let words): self = .phase(words)
    case .step(let words): self = .step(words)
    case .progress(let bytes): self = .progress(bytes: bytes)
    case .notice(let text): self = .notice(text)
    case .warning(let text): self = .warning(text)
    case .waiting(let holder, let reason): self = .waiting(holder: holder, reason: reason)
    case .began, .finished, .failed: return nil
    }
  }

  init(_ outcome: ScheduledBackup.Outcome) {
    self = .ended(
      state: outcome.state.rawValue, code: outcome.code, message: outcome.message, backup: outcome.backup,
      sizeBytes: outcome.sizeBytes)
  }

  init(_ error: BackupError) {
    self = .refused(code: error.code, isBusy: error.kind == .busy, message: error.message, remedy: error.remedy)
  }

  init(parsing line: [UInt8]) throws { self = try StoredJSON.value(JobReply.self, of: line) }

  /// The line, with its line feed.
  var line: String {
    get throws { String(decoding: try StoredJSON.line(of: self), as: UTF8.self) }
  }

  /// The event for those who watch the scheduler; nil for how it ended.
  var event: Event? {
    switch self {
    case .expected(let bytes): .expected(bytes: bytes)
    case .phase(let words): .phase(words)
    case .step(let words): .step(words)
    case .progress(let bytes): .progress(bytes: bytes)
    case .notice(let text): .notice(text)
    case .warning(let text): .warning(text)
    case .waiting(let holder, let reason): .waiting(for: holder, because: reason)
    case .ended, .refused: nil
    }
  }
}
