package import Files
internal import Synchronization
internal import SystemPackage

/// Reads the files of a backup on threads of its own, while the walk beside its lists goes on.
///
/// A device answers many small questions at once sooner than one by one. Findings come together in the order of
/// their paths; progress is told on the thread of the walk.
package final class ContentsCheck {
  /// A file that is open, and what its hash must be.
  package struct File: Sendable {
    package let path: EntryPath
    package let status: FileStatus
    package let contents: any ReadableBytes
    let expected: Digest
  }

  /// What reading a file gave: its hash, what is wrong inside, and why its inside could not be looked at.
  package struct Reading {
    package var digest: Digest
    package var findings: [Finding] = []
    package var notice: String?

    package init(digest: Digest, findings: [Finding] = [], notice: String? = nil) {
      self.digest = digest
      self.findings = findings
      self.notice = notice
    }
  }

  /// Reads one file.
  package typealias Look = @Sendable (File, ContentsReader) throws -> Reading

  /// Small files are handed over together: as many of them, or so many bytes.
  private static let batchFiles = 64
  private static let batchBytes: Int64 = 1 << 20
  /// Enough to keep a disk busy with small reads; two would do for large ones.
  private static let threads = 4

  private struct Collected {
    var findings: [(path: EntryPath, finding: Finding)] = []
    var counts: [StackPart?: Int] = [:]
    var notices: [String] = []
    var error: (any Error)?
    var progress: Int64 = 0

    /// Keeps a finding, up to the most of its part.
    mutating func note(_ finding: Finding, path: EntryPath) {
      guard counts[finding.part, default: 0] < Finding.maximumKept else { return }
      counts[finding.part, default: 0] += 1
      findings.append((path, finding))
    }
  }

  private let collected: SharedState
  private let workers: Workers<[File]>
  private let events: EventStream
  private var batch: [File] = []
  private var pendingBytes: Int64 = 0

  private final class SharedState: Sendable {
    let value = Mutex(Collected())
  }

  /// Starts the threads.
  /// - Parameter look: reads one file; called on any of the threads.
  package init(
    time: any TimeSource, events: EventStream, look: @escaping Look
  ) throws {
    let collected = SharedState()
    self.collected = collected
    self.events = events
    workers = try Workers(count: Self.threads, capacity: 2 * Self.threads) {
      let reader = ContentsReader(time: time) { bytes in
        collected.value.withLock { $0.progress += bytes }
      }
      return { batch in
        for file in batch { Self.read(file, reader: reader, look: look, collected: collected) }
      }
    }
  }

  /// Takes an entry of the walk; what is no file, and what is not listed, is the walk's own affair.
  func take(_ entry: StoredEntry) throws {
    guard entry.status.kind == .regular, let expected = entry.expected else { return }
    batch.append(File(path: entry.path, status: entry.status, contents: try entry.open(), expected: expected))
    pendingBytes += entry.status.size
    if batch.count >= Self.batchFiles || pendingBytes >= Self.batchBytes { try flush() }
  }

  /// Waits for what is being read, and notes in the walk what was found.
  /// - Throws: what a thread could not go on after.
  func finish(_ walk: ContentsWalk) throws -> [String] {
    try flush()
    workers.finish { tellProgress() }
    tellProgress()
    let result = collected.value.withLock { collected in
      (collected.findings.sorted { $0.path < $1.path }.map(\.finding), collected.notices, collected.error)
    }
    if let error = result.2 { throw error }
    result.0.forEach(walk.note)
    return result.1
  }

  /// Ends the threads after an error.
  func cancel() {
    batch = []
    workers.finish {}
  }

  private func flush() throws {
    guard !batch.isEmpty else { return }
    let full = batch
    (batch, pendingBytes) = ([], 0)
    try workers.submit(full) {
      tellProgress()
      try Interruption.check()
    }
    tellProgress()
  }

  private func tellProgress() {
    let bytes = collected.value.withLock { collected in
      defer { collected.progress = 0 }
      return collected.progress
    }
    if bytes > 0 { events.send(.progress(bytes: bytes)) }
  }

  private static func read(
    _ file: File, reader: ContentsReader, look: Look, collected: SharedState
  ) {
    // After a failure there is nothing more to learn.
    guard collected.value.withLock({ $0.error == nil }) else { return }
    do {
      var reading = try look(file, reader)
      if reading.digest != file.expected {
        reading.findings.append(Finding(.mismatch, path: file.path, detail: sharing(file)))
      }
      let (findings, notice) = (reading.findings, reading.notice)
      guard !findings.isEmpty || notice != nil else { return }
      collected.value.withLock { collected in
        for finding in findings { collected.note(finding, path: file.path) }
        if let notice { collected.notices.append(notice) }
      }
    } catch let error as SystemError where error.path == file.path.text && !error.meansShortage {
      let finding = Finding.unreadable(file.path, error: error, more: sharing(file))
      collected.value.withLock { $0.note(finding, path: file.path) }
    } catch {
      collected.value.withLock { $0.error = $0.error ?? error }
    }
  }

  /// A clause that other backups share the file and its damage; empty when none does.
  private static func sharing(_ file: File) -> String {
    let others = file.status.linkCount - 1
    guard file.status.linkCount > 1 else { return "" }
    return others == 1
      ? "another backup shares this file, and its damage" : "\(others) other backups share this file, and its damage"
  }
}
