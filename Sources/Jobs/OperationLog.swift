package import Files
package import Settings
internal import Stacks
package import Store
package import SystemPackage

/// `logs/backup.log` in the data directory: every operation, bounded in size.
///
/// A line is `2026-01-24 14:30:52 | INFO     | message`; the setting `log_level` says which levels are written. At
/// 10 MB the file is set aside under the time of day; what was set aside over 30 days ago, or beyond the newest five,
/// is deleted. A log that cannot be written stops no operation.
package struct OperationLog: Sendable {
  package static let maximumBytes: Int64 = 10 << 20
  package static let maximumAgeNanoseconds: Int64 = 30 * 86_400 * 1_000_000_000
  package static let maximumKept = 5

  private let folder: FilePath
  private let files: any FileSystem
  private let time: any TimeSource
  private let level: LogLevel

  /// The log file of a data directory, which must exist: writing a log never creates it.
  package init(dataDirectory: FilePath, level: LogLevel, files: any FileSystem, time: any TimeSource) {
    self.level = level
    folder = dataDirectory.appending("logs")
    self.files = files
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
    let name = level.rawValue.uppercased()
    let padded = name + String(repeating: " ", count: max(0, 8 - name.count))
    // One line an event, and nothing in it that a terminal would act on: the log is read with tail -f.
    let text = TerminalText.safe(message.split(separator: "\n").joined(separator: " / "))
    let line = "\(LocalTime(nanoseconds: time.nowNanoseconds).plain) | \(padded) | \(text)\n"
    // A disk that is full or read-only must not turn a good backup into a failure.
    ignoringFailure { try append(Array(line.utf8)) }
  }

  private func append(_ line: [UInt8]) throws(SystemError) {
    if try !files.exists(folder) { try files.makeDirectoryOfItsOwner(folder) }
    // The owner is that of the directory in which the file really lies: a symlink may lead to another user's.
    let owner = try files.status(folder.appending("."), at: nil).owner
    let name = folder.appending("backup.log")
    let file = try OpenFile(name, mode: [.write, .create, .append, .noFollow], permissions: 0o644, files: files)
    // What root writes into a user's stack is the user's to go on with.
    try files.giveNew(file.descriptor, to: owner)
    var failure: SystemError?
    line.withUnsafeBytes { bytes in
      do throws(SystemError) { _ = try files.append(file.descriptor, bytes: bytes) } catch { failure = error }
    }
    if let failure { throw failure }
    let size = try file.status().size
    try file.close()
    if size > Self.maximumBytes { try setAside(name) }
  }

  private func setAside(_ name: FilePath) throws(SystemError) {
    let stamp = LocalTime(nanoseconds: time.nowNanoseconds).compact
    try files.renameReplacing(name, at: nil, to: folder.appending("backup.\(stamp).log"), at: nil)
    let directory = try OpenFile(folder, mode: [.directory], files: files)
    let old = try files.entries(of: directory.descriptor).map(\.name).filter {
      $0.hasPrefix("backup.2") && $0.bytes.suffix(4).elementsEqual(".log".utf8)
    }.sorted().reversed()
    for (index, name) in old.enumerated() {
      let age = time.nowNanoseconds - (try files.status(name.path, at: directory.descriptor).modifiedNanoseconds)
      if index >= Self.maximumKept || age > Self.maximumAgeNanoseconds {
        try files.remove(name.path, at: directory.descriptor)
      }
    }
  }
}
