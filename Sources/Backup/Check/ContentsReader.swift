internal import DuckDBFile
internal import Files
internal import MLflow
internal import SystemPackage

/// Reads the contents of stored files: their hash, and with the level `structure` what lies within, in the same pass.
final class ContentsReader {
  private let buffer = IOBuffer(size: 1 << 20)
  private let files: any FileSystem
  private let time: any TimeSource
  /// Makes every read come from the device, not from memory; reads of large files always do.
  private let fromDevice: Bool
  private let progress: (Int64) -> Void

  init(
    fromDevice: Bool, files: any FileSystem, time: any TimeSource, progress: @escaping (Int64) -> Void = { _ in }
  ) {
    self.fromDevice = fromDevice
    self.files = files
    self.time = time
    self.progress = progress
  }

  func open(_ entry: StoredEntry) throws(SystemError) -> OpenFile {
    try OpenFile(
      entry.name, at: entry.directory, [.noFollow], shown: FilePath(bytes: entry.path.bytes), files: files)
  }

  /// The hash of an entry's contents.
  func digest(of entry: StoredEntry) throws -> Digest {
    try digest(of: open(entry), size: entry.status.size)
  }

  /// The hash of the contents of a file of so many bytes.
  ///
  /// `observe` sees the bytes as they pass by.
  func digest(
    of file: OpenFile, size: Int64, from start: Int64 = 0, stream: DigestStream = DigestStream(),
    observe: (UnsafeRawBufferPointer, Int64) throws -> Void = { _, _ in }
  ) throws -> Digest {
    var stream = stream
    var offset = start
    try passCache(file, size)
    while offset < size {
      try Interruption.check()
      let count = try file.read(into: buffer.bytes, at: offset, ofSize: size)
      if count == 0 { break }
      let bytes = buffer.prefix(count)
      stream.update(bytes)
      try observe(bytes, offset)
      offset += Int64(count)
      progress(Int64(count))
    }
    return stream.finalize()
  }

  /// Makes what is read next come from the device, where that is wanted.
  ///
  /// Where the cache cannot be passed by, it is emptied. From here on the file is only read into aligned memory.
  private func passCache(_ file: OpenFile, _ size: Int64) throws(SystemError) {
    guard fromDevice || size >= TargetFile.minimumDirectBytes else { return }
    if try !files.bypassCache(of: file.descriptor, true), fromDevice { try files.dropCache(of: file.descriptor) }
  }

  /// The hash of a small file, such as a list.
  static func digest(of file: OpenFile) throws -> Digest {
    let buffer = IOBuffer(size: 64 * 1024)
    var stream = DigestStream()
    var offset: Int64 = 0
    while true {
      let count = try file.read(into: buffer.bytes, at: offset)
      if count == 0 { return stream.finalize() }
      stream.update(buffer.prefix(count))
      offset += Int64(count)
    }
  }

  /// What looking into a database finds, beside its hash.
  struct DatabaseReading {
    let digest: Digest
    let state: StorageState?
    let findings: [Finding]
    /// Why its blocks could not be checked though nothing is wrong with it.
    let notice: String?
  }

  /// Hashes a database and checks every block in use on the way.
  func readDatabase(_ file: OpenFile, size: Int64, at path: EntryPath) throws -> DatabaseReading {
    let state: StorageState
    do {
      state = try DatabaseFile(sealed: file, time: time).state()
    } catch let error as HotCopyError {
      let digest = try digest(of: file, size: size)
      switch error {
      case .encrypted, .unknownVersion:
        return DatabaseReading(digest: digest, state: nil, findings: [], notice: error.message)
      default:
        return DatabaseReading(
          digest: digest, state: nil, findings: [Finding(.block, path, error.message)], notice: nil)
      }
    }
    var audit = BlockAudit(state)
    // The headers first, so that what follows begins at a block.
    let head = try file.read(count: Int(HeaderPair.end), at: 0)
    var stream = DigestStream()
    head.withUnsafeBytes { stream.update($0) }
    let digest = try digest(of: file, size: size, from: Int64(head.count), stream: stream) { audit.consume($0, at: $1) }
    var findings: [Finding] = []
    // Nobody was writing it: an engine refuses such a file, though the other slot is right.
    if !state.pair.isWhole { findings.append(Finding(.block, path, "one of its two headers is damaged")) }
    findings += audit.damaged.map {
      Finding(.block, path, "block \($0.block) at byte \($0.offset): its checksum does not match its contents")
    }
    if audit.missing > 0 { findings.append(Finding(.block, path, "\(audit.missing) blocks in use are cut off")) }
    return DatabaseReading(digest: digest, state: state, findings: findings, notice: nil)
  }
}
