package import Files
package import Settings
package import Store
package import SystemPackage

/// `logs/backup.log` in the data directory: every operation, bounded in size.
///
/// A line is `2026-01-24 14:30:52 | INFO     | message`, or JSON (`log_format`); `log_level` says which levels are
/// written.
/// A log that cannot be written stops no operation.
package struct OperationLog: Sendable {
  private let file: LogFile
  private let time: any TimeSource
  private let level: LogLevel
  private let format: LogFormat

  /// The log file of a data directory, which must exist: writing a log never creates it.
  package init(
    dataDirectory: FilePath, level: LogLevel, format: LogFormat = .text, files: any FileSystem, time: any TimeSource
  ) {
    file = LogFile("backup", in: dataDirectory, files: files, time: time)
    self.level = level
    self.format = format
    self.time = time
  }

  /// Writes down what is worth keeping of an event.
  package func note(_ event: Event) {
    switch event {
    case .began(let operation, let place): write(.info, message: "\(operation) began: \(place)")
    case .notice(let text): write(.info, message: text)
    case .waiting(_, let reason): write(.info, message: "waiting: \(reason)")
    case .warning(let text): write(.warning, message: text)
    case .finished(let operation, let summary): write(.info, message: "\(operation) done: \(summary)")
    case .failed(let operation, let code, let message):
      write(.error, message: "\(operation) failed [\(code)]: \(message)")
    case .phase(let words), .step(let words): write(.debug, message: words)
    case .expected, .progress: return
    }
  }

  private func write(_ level: LogLevel, message: String) {
    guard level >= self.level else { return }
    let line = LogLine(level, message: message, at: time.nowNanoseconds).text(format)
    // A disk that is full or read-only must not turn a good backup into a failure.
    ignoringFailure { try file.append(Array(line.utf8)) }
  }
}
