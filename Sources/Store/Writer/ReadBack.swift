internal import Files
internal import Synchronization
internal import SystemPackage

/// Reads what was written back from the device, and makes of it the SHA-256 that the lists will say (B3).
///
/// Each file is compared with what was written by its quick hash. Threads of our own do it; small files are read many
/// at a time.
final class ReadBack {
  /// A region of the records with its files open.
  private struct Work: Sendable {
    var region: WrittenFiles.Region
    /// One descriptor for each file to read; nil when the file could not be opened, which is noted.
    let descriptors: [Descriptor?]
  }

  private struct Collected {
    var done: [WrittenFiles.Region] = []
    var findings: [Finding] = []
    var error: (any Error)?
    var progressBytes: Int64 = 0

    /// Keeps what was found, up to the most that is kept of anything.
    mutating func note(_ found: [Finding]) { findings += found.prefix(Finding.maximumKept - findings.count) }
  }

  private final class SharedState: Sendable {
    let value = Mutex(Collected())
  }

  /// Enough to keep a disk busy while the others hash.
  private static let threads = 4

  private let written: WrittenFiles
  private let chain: DirectoryChain
  private let files: any FileSystem
  private let progress: (Int64) -> Void
  private let collected = SharedState()
  private let workers: Workers<Work>

  /// Starts the threads.
  init(
    _ written: WrittenFiles, in folder: OpenFile, files: any FileSystem, progress: @escaping (Int64) -> Void
  ) throws {
    self.written = written
    self.files = files
    self.progress = progress
    chain = DirectoryChain(root: folder)
    let collected = collected
    workers = try Workers(count: Self.threads, capacity: 2 * Self.threads) {
      let reader = ReadBackReader(files: files) { bytes in collected.value.withLock { $0.progressBytes += bytes } }
      return { work in Self.read(work, reader: reader, collected: collected) }
    }
  }

  /// Reads everything, and keeps the SHA-256 with the records.
  /// - Returns: what is not as it was written, in the order of the paths.
  func run() throws -> [Finding] {
    do {
      try written.regions { region in
        try Interruption.check()
        if region.unread.isEmpty { return }
        let work = Work(region: region, descriptors: try open(region.unread))
        try workers.submit(work) {
          try tidy()
          try Interruption.check()
        }
        try tidy()
      }
    } catch {
      workers.finish {}
      throw error
    }
    workers.finish { tellProgress() }
    try tidy()
    return collected.value.withLock { $0.findings.sorted { $0.file < $1.file } }
  }

  private func open(_ entries: [WrittenFiles.Unread]) throws -> [Descriptor?] {
    var descriptors: [Descriptor?] = []
    do {
      for entry in entries { descriptors.append(try openOrNote(entry.path)) }
    } catch {
      for descriptor in descriptors { ignoringFailure { try descriptor.map(files.close) } }
      throw error
    }
    return descriptors
  }

  /// Opens a file; returns nil when it is missing or cannot be opened, which is noted.
  private func openOrNote(_ path: EntryPath) throws(SystemError) -> Descriptor? {
    do throws(SystemError) {
      return try open(path)
    } catch {
      guard !error.meansShortage else { throw error }
      let isGone = error.errno == .noSuchFileOrDirectory
      collected.value.withLock {
        $0.note([isGone ? Finding(.missing, path: path) : .unreadable(path, error: error)])
      }
      return nil
    }
  }

  /// Opens a file so that it is read from the device.
  private func open(_ path: EntryPath) throws(SystemError) -> Descriptor {
    let directory = try chain.directory(holding: path)
    let name = path.name.path
    do throws(SystemError) {
      return try files.open(name, at: directory, mode: [.noFollow, .direct], permissions: 0)
    } catch {
      guard error.errno == .invalidArgument else { throw error.at(path.text) }
    }
    // This file cannot be read past the page cache, so the cache is emptied.
    let file = try OpenFile(
      name, at: directory, mode: [.noFollow], displayPath: FilePath(bytes: path.bytes), files: files)
    try files.dropCache(of: file.descriptor)
    return file.release()
  }

  /// Keeps what the threads have done, and tells how far they are.
  private func tidy() throws {
    let (done, error) = collected.value.withLock { collected in
      defer { collected.done = [] }
      return (collected.done, collected.error)
    }
    if let error { throw error }
    for region in done { try written.keep(region) }
    tellProgress()
  }

  private func tellProgress() {
    let bytes = collected.value.withLock { collected in
      defer { collected.progressBytes = 0 }
      return collected.progressBytes
    }
    if bytes > 0 { progress(bytes) }
  }

  private static func read(_ work: Work, reader: ReadBackReader, collected: SharedState) {
    var region = work.region
    defer { reader.close(work.descriptors) }
    // After a failure there is nothing more to learn.
    guard collected.value.withLock({ $0.error == nil }) else { return }
    do {
      let findings = try reader.read(&region, descriptors: work.descriptors)
      collected.value.withLock { collected in
        collected.done.append(region)
        collected.note(findings)
      }
    } catch {
      collected.value.withLock { $0.error = $0.error ?? error }
    }
  }
}
