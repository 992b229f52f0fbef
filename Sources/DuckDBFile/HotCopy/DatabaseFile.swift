package import Files
package import SystemPackage

/// What one header says: the header itself, and which blocks are in use under it.
package struct StorageState: Sendable {
  /// The raw main header.
  package let mainBytes: [UInt8]
  package let main: MainHeader
  package let pair: HeaderPair
  package let freeList: FreeList
  /// The blocks in which the free list itself lies: in use, whatever it says.
  package let listBlocks: Set<Int>

  package var header: DatabaseHeader { pair.current }
  package var geometry: BlockGeometry { pair.current.geometry }
  package var blockCount: Int { freeList.inUse.limit }
  /// The storage version, wherever the file says it.
  package var storageVersion: UInt64 {
    main.storageVersion == StorageVersion.inDatabaseHeader ? header.compatibility : main.storageVersion
  }
  /// Bytes of the blocks in use.
  package var bytesInUse: Int64 { Int64(freeList.inUse.count) * geometry.allocationSize }

  /// Whether two looks saw the same headers, byte for byte.
  package func hasSameHeaders(as other: (mainBytes: [UInt8], main: MainHeader, pair: HeaderPair)) -> Bool {
    mainBytes == other.mainBytes && pair.bytes == other.pair.bytes
  }
}

/// A DuckDB file, read raw, while an engine elsewhere may be writing to it.
package final class DatabaseFile {
  /// How often a torn header or list of a live file is read again, and the pauses between: together one second.
  private static let liveAttempts = 115
  private static func pause(_ attempt: Int) -> Duration { .milliseconds(attempt <= 16 ? 1 : 10) }

  private let attempts: Int

  package let file: OpenFile
  /// The path with the symlinks of the last component resolved.
  package let path: FilePath
  /// The path as given, every symlink on the way to the file, and the file itself.
  ///
  /// DuckDB up to 1.4 puts its WAL beside the name that it was given, 1.5 and later beside the file (tried: 1.4.5,
  /// 1.5.6 and 2.0.0 opening a symlink).
  package let names: [FilePath]
  /// Which file was opened: the path may lead to another one later.
  package let identity: FileIdentity
  let time: any TimeSource

  /// Opens the file for reading; takes no lock, since a lock of ours would refuse a writer that starts.
  /// - Throws: `HotCopyError` when it is not there or no regular file; `.openInThisProcess` when this process has it
  ///   open elsewhere: closing our descriptor would drop that engine's locks.
  /// - Parameter attempts: how often a torn header or list is read again; nil for about a second.
  package init(_ path: FilePath, attempts: Int? = nil, files: any FileSystem, time: any TimeSource) throws {
    // Opened without blocking and looked at before the first read: a FIFO of that name must not hold us.
    names = try Self.names(of: path, files: files)
    let resolved = names.last ?? path
    let status = try files.status(resolved, at: nil)
    guard status.kind == .regular else { throw HotCopyError.notADatabase(path, "it is \(status.kind.words)") }
    if try ThisProcess.hasOpen(status.identity, files: files) { throw HotCopyError.openInThisProcess(path) }
    file = try OpenFile(resolved, mode: [.noFollow], displayPath: path, files: files)
    self.path = resolved
    identity = try file.status().identity
    self.time = time
    self.attempts = attempts ?? Self.liveAttempts
  }

  /// Takes a file that nobody writes to, such as the one in a backup: wrong bytes in it are not read again.
  package init(sealed file: OpenFile, time: any TimeSource) throws(SystemError) {
    self.file = file
    path = file.path
    names = [file.path]
    identity = try file.status().identity
    self.time = time
    attempts = 1
  }

  /// The path, and each path that the symlinks of its last component lead to.
  package static func names(
    of path: FilePath, files: any FileSystem
  ) throws(SystemError) -> [FilePath] {
    var names = [path]
    for _ in 0..<40 {
      let last = names[names.count - 1]
      guard try files.status(last, at: nil).kind == .link else { return names }
      let target = FilePath(bytes: try files.linkTarget(last, at: nil))
      names.append(target.isAbsolute ? target : last.removingLastComponent().pushing(target))
    }
    throw SystemError("open", errno: .tooManySymbolicLinkLevels, path: path.text)
  }

  /// The name beside which the WALs lie; without a WAL, the file's own.
  /// - Throws: `HotCopyError.foreignWAL` when there are WALs beside two names: only an engine can tell which counts.
  package func walBase() throws -> FilePath {
    let found = try names.filter { try file.files.exists(WALNames.wal(of: $0)) }
    guard found.count < 2 else {
      throw HotCopyError.foreignWAL(path, "there is one beside \(found[0].text) and one beside \(found[1].text)")
    }
    return found.first ?? path
  }

  /// Whether the path still leads to the file that was opened.
  package func isStillInPlace() throws(SystemError) -> Bool {
    do {
      return try file.files.status(path, at: nil).identity == identity
    } catch  where error.errno == .noSuchFileOrDirectory {
      return false
    }
  }

  /// The PID of the process with the engine's write lock; 0 for one in another container, nil when there is none.
  package func writer() throws(SystemError) -> Int32? {
    try file.files.lockHolder(file.descriptor, against: .shared)
  }

  /// The main header, which is plain also in an encrypted file.
  /// - Throws: `HotCopyError.notADatabase`; `SystemError`.
  package func mainHeader() throws -> MainHeader {
    let bytes = try file.read(count: MainHeader.size, at: 0)
    do throws(FormatError) {
      return try MainHeader(parsing: bytes)
    } catch {
      throw HotCopyError.notADatabase(path, "\(error)")
    }
  }

  /// The headers as they are now.
  ///
  /// A slot that is being written is read again; one that stays torn for a second is damaged.
  /// - Throws: `HotCopyError` for what is no DuckDB file, is damaged, encrypted or of an unknown version.
  package func headers() throws -> (mainBytes: [UInt8], main: MainHeader, pair: HeaderPair) {
    var last: FormatError?
    for attempt in 1...attempts {
      let bytes = try file.read(count: Int(HeaderPair.end), at: 0)
      do {
        let mainBytes = Array(bytes.prefix(MainHeader.size))
        let main = try MainHeader(parsing: mainBytes)
        if main.isEncrypted { break }
        let pair = try HeaderPair(parsing: Array(bytes.dropFirst(MainHeader.size)))
        if pair.isWhole { return (mainBytes, main, pair) }
        // No engine opens such a file: which state counts cannot be told any more.
        if attempt == attempts {
          throw HotCopyError.damaged(
            path,
            "one of its two headers does not match its checksum (a program that has it open writes both anew "
              + "when it runs CHECKPOINT twice)")
        }
      } catch let error as FormatError {
        last = error
        // No retry makes a DuckDB file of something else.
        if error.offset == 8 || bytes.count < HeaderPair.end { break }
      }
      time.sleep(Self.pause(attempt))
    }
    guard let last else { throw HotCopyError.encrypted(path) }
    throw HotCopyError.notADatabase(path, "\(last)")
  }

  /// Bytes that a copy will have; all of an encrypted one.
  /// - Throws: `HotCopyError`; `SystemError`.
  package func expectedCopyBytes() throws -> Int64 {
    if try mainHeader().isEncrypted { return try file.status().size }
    return try state().bytesInUse + HeaderPair.end
  }

  /// Headers and free list that belong together: the headers were the same before and after the list was read.
  /// - Throws: `HotCopyError`, also when the list stays unreadable under one header: then it is damaged.
  package func state() throws -> StorageState {
    var last: FormatError?
    for attempt in 1...attempts {
      let before = try headers()
      try checkVersion(before.main, header: before.pair.current)
      let list: FreeList
      let blocks: Set<Int>
      do throws(FormatError) {
        (list, blocks) = try freeList(of: before.pair.current)
      } catch {
        last = error
        time.sleep(Self.pause(attempt))
        continue
      }
      let state = StorageState(
        mainBytes: before.mainBytes, main: before.main, pair: before.pair, freeList: list, listBlocks: blocks)
      if state.hasSameHeaders(as: try headers()) { return state }
      last = nil
    }
    if let last { throw HotCopyError.damaged(path, "\(last)") }
    throw HotCopyError.doesNotSettle(path, "its header changed in each of \(attempts) looks")
  }

  private func checkVersion(_ main: MainHeader, header: DatabaseHeader) throws(HotCopyError) {
    let version = main.storageVersion
    guard StorageVersion.isKnown(version) else {
      throw HotCopyError.unknownVersion(path, version, library: main.libraryVersion)
    }
    if version == StorageVersion.inDatabaseHeader, header.compatibility > StorageVersion.known.upperBound {
      throw HotCopyError.unknownVersion(path, header.compatibility, library: main.libraryVersion)
    }
  }

  /// Reads the chain of the free list under a header that may be changing.
  private func freeList(of header: DatabaseHeader) throws(FormatError) -> (FreeList, blocks: Set<Int>) {
    let size = Result { try file.status().size }
    guard case .success(let size) = size else { throw FormatError("free list", problem: "the file cannot be read") }
    // A block beyond the end of the file must be listed as free, eight bytes each: so much can there be.
    let most = UInt64(header.geometry.wholeBlocks(inFileOf: size)) + UInt64(max(size, 0) / 8)
    guard header.blockCount <= most else {
      throw FormatError("database header", problem: "counts \(header.blockCount) blocks in a file of \(size) bytes")
    }
    let blockCount = Int(header.blockCount)
    guard var pointer = header.freeList else { return (FreeList(blockCount: blockCount), []) }
    var stream: [UInt8] = []
    var blocks: Set<Int> = []
    while true {
      guard pointer.block < blockCount, pointer.index < 64 else {
        throw FormatError(
          "free list", problem: "goes on in block \(pointer.block), part \(pointer.index), of \(blockCount)")
      }
      blocks.insert(pointer.block)
      let offset = header.geometry.offset(of: pointer)
      let part = try subBlock(at: offset, size: Int(header.geometry.subBlockSize))
      stream.append(contentsOf: part.payload)
      if let length = try FreeList.length(ofStreamBeginning: stream), stream.count >= length { break }
      guard let next = part.next else { throw FormatError("free list", at: offset, problem: "ends too early") }
      // The stream grows with each step and its length is bounded by its own counts, so the chain ends.
      guard stream.count <= 64 + 36 * blockCount else {
        throw FormatError("free list", at: offset, problem: "does not end")
      }
      pointer = next
    }
    return (try FreeList(parsing: stream, blockCount: blockCount), blocks)
  }

  private func subBlock(at offset: Int64, size: Int) throws(FormatError) -> (
    next: MetadataPointer?, payload: ArraySlice<UInt8>
  ) {
    let bytes: [UInt8]
    do {
      bytes = try file.read(count: size, at: offset)
    } catch {
      throw FormatError("free list", at: offset, problem: "\(error)")
    }
    guard bytes.count == size else {
      throw FormatError("free list", at: offset, problem: "lies beyond the end of the file")
    }
    var cursor = BinaryCursor(bytes.span.bytes, part: "free list")
    return (MetadataPointer(raw: try cursor.read()), bytes[8...])
  }
}
