package import Files
private import Synchronization
package import SystemPackage

/// The real file system with a hook before each call, so that a test can do what another process would do just then, or
/// make the call fail.
///
/// The only mock of the file system.
package final class HookedFileSystem: FileSystem {
  /// Called with the name of the C function and the path, if the call has one; throws to make the call fail.
  package typealias Hook = @Sendable (String, String) throws(SystemError) -> Void

  /// How it is asked whether others have a file open.
  package enum Leases: Sendable {
    case real
    /// As on a network file system: the kernel does not say.
    case none
    case answer(Bool)
  }

  private let kernel = Kernel()
  private let hook: Hook
  /// What `lockHolder` answers: a writer that needs no process.
  private let writer: Int32?
  private let hasClones: Bool
  private let hasExchange: Bool
  private let renamesFolders: Bool
  private let leases: Leases
  /// How many of so many bytes a write takes.
  private let accepts: @Sendable (Int) -> Int
  /// Called with the path by which the file was opened, and its folders before it, before each read from it.
  private let onRead: (@Sendable (String) throws(SystemError) -> Void)?
  private let opened = Mutex<[Int32: String]>([:])

  package init(
    writer: Int32? = nil, hasClones: Bool = true, hasExchange: Bool = true, renamesFolders: Bool = true,
    leases: Leases = .real, hook: @escaping Hook = { (_, _) throws(SystemError) in },
    accepts: @escaping @Sendable (Int) -> Int = { $0 },
    onRead: (@Sendable (String) throws(SystemError) -> Void)? = nil
  ) {
    self.onRead = onRead
    self.accepts = accepts
    self.hasExchange = hasExchange
    self.renamesFolders = renamesFolders
    self.leases = leases
    self.writer = writer
    self.hasClones = hasClones
    self.hook = hook
  }

  package func open(_ path: FilePath, at directory: Descriptor?, mode: OpenMode, permissions: UInt16)
    throws(SystemError) -> Descriptor
  {
    try hook("openat", path.string)
    if mode.contains(.direct) { try hook("O_DIRECT", path.string) }
    let descriptor = try kernel.open(path, at: directory, mode: mode, permissions: permissions)
    if onRead != nil {
      opened.withLock { opened in
        let folder = path.isAbsolute ? nil : directory.flatMap { opened[$0.number] }
        opened[descriptor.number] = (folder.map { $0 + "/" } ?? "") + path.string
      }
    }
    return descriptor
  }
  package func close(_ descriptor: Descriptor) throws(SystemError) {
    try kernel.close(descriptor)
    try hook("close", "")
  }
  package func read(_ descriptor: Descriptor, into bytes: UnsafeMutableRawBufferPointer, at offset: Int64)
    throws(SystemError) -> Int
  {
    try hook("pread", "")
    if let onRead { try onRead(opened.withLock { $0[descriptor.number] ?? "" }) }
    return try kernel.read(descriptor, into: bytes, at: offset)
  }
  package func write(_ descriptor: Descriptor, bytes: UnsafeRawBufferPointer, at offset: Int64)
    throws(SystemError) -> Int
  {
    try hook("pwrite", "")
    return try kernel.write(
      descriptor, bytes: UnsafeRawBufferPointer(rebasing: bytes[..<accepts(bytes.count)]), at: offset)
  }
  package func append(_ descriptor: Descriptor, bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    try hook("write", "")
    return try kernel.append(descriptor, bytes: bytes)
  }
  package func status(of descriptor: Descriptor) throws(SystemError) -> FileStatus {
    try hook("fstat", "")
    return try kernel.status(of: descriptor)
  }
  package func status(_ path: FilePath, at directory: Descriptor?) throws(SystemError) -> FileStatus {
    try hook("fstatat", path.string)
    return try kernel.status(path, at: directory)
  }
  package func entries(of directory: Descriptor) throws(SystemError) -> [DirectoryEntry] {
    try hook("readdir", "")
    return try kernel.entries(of: directory)
  }
  package func makeDirectory(_ path: FilePath, at directory: Descriptor?, permissions: UInt16) throws(SystemError) {
    try hook("mkdirat", path.string)
    try kernel.makeDirectory(path, at: directory, permissions: permissions)
  }
  package func makeLink(_ path: FilePath, at directory: Descriptor?, target: [UInt8]) throws(SystemError) {
    try hook("symlinkat", path.string)
    try kernel.makeLink(path, at: directory, target: target)
  }
  package func linkTarget(_ path: FilePath, at directory: Descriptor?) throws(SystemError) -> [UInt8] {
    try hook("readlinkat", path.string)
    return try kernel.linkTarget(path, at: directory)
  }
  package func makeHardLink(
    _ path: FilePath, at directory: Descriptor?, to source: FilePath, at sourceDirectory: Descriptor?
  ) throws(SystemError) {
    try hook("linkat", path.string)
    try kernel.makeHardLink(path, at: directory, to: source, at: sourceDirectory)
  }
  package func remove(_ path: FilePath, at directory: Descriptor?) throws(SystemError) {
    try hook("unlinkat", path.string)
    try kernel.remove(path, at: directory)
  }
  package func removeDirectory(_ path: FilePath, at directory: Descriptor?) throws(SystemError) {
    try hook("unlinkat", path.string)
    try kernel.removeDirectory(path, at: directory)
  }
  package func renameNew(_ source: FilePath, at from: Descriptor?, to target: FilePath, at to: Descriptor?)
    throws(SystemError)
  {
    try hook("renameat2", target.string)
    // As an overlay answers for the folders of its lower layer; what hrp made itself is in the upper one.
    if !renamesFolders, let name = source.lastComponent?.string, !name.hasPrefix("."),
      try kernel.status(source, at: from).kind == .directory
    {
      throw SystemError("renameat2", errno: .improperLink, path: target.string)
    }
    try kernel.renameNew(source, at: from, to: target, at: to)
  }
  package func renameReplacing(
    _ source: FilePath, at from: Descriptor?, to target: FilePath, at to: Descriptor?
  ) throws(SystemError) {
    try hook("renameat", target.string)
    try kernel.renameReplacing(source, at: from, to: target, at: to)
  }
  package func exchange(
    _ first: FilePath, at firstDirectory: Descriptor?, with second: FilePath, at secondDirectory: Descriptor?
  ) throws(SystemError) -> Bool {
    try hook("exchange", second.string)
    guard hasExchange else { return false }
    if !renamesFolders, try kernel.status(first, at: firstDirectory).kind == .directory { return false }
    return try kernel.exchange(first, at: firstDirectory, with: second, at: secondDirectory)
  }
  package func takeDuckDBLock(_ descriptor: Descriptor, kind: LockKind) throws(SystemError) -> Bool {
    try hook("fcntl", "")
    return try kernel.takeDuckDBLock(descriptor, kind: kind)
  }
  package func synchronize(_ descriptor: Descriptor) throws(SystemError) {
    try hook("fsync", "")
    try kernel.synchronize(descriptor)
  }
  package func synchronizeContents(_ descriptor: Descriptor) throws(SystemError) {
    try hook("fsync", "")
    try kernel.synchronizeContents(descriptor)
  }
  package func synchronizeFileSystem(of descriptor: Descriptor) throws(SystemError) -> Bool {
    try hook("syncfs", "")
    return try kernel.synchronizeFileSystem(of: descriptor)
  }
  package func startWriteback(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError) {
    try hook("sync_file_range", "")
    try kernel.startWriteback(descriptor, offset: offset, length: length)
  }
  package func waitForWriteback(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError) {
    try hook("sync_file_range", "")
    try kernel.waitForWriteback(descriptor, offset: offset, length: length)
  }
  package func makeBatchReader() -> (any BatchReader)? {
    guard onRead == nil, let reader = kernel.makeBatchReader() else { return nil }
    return HookedBatchReader(reader, hook: hook)
  }
  package func bypassCache(of descriptor: Descriptor, _ isOn: Bool) throws(SystemError) -> Bool {
    try hook("O_DIRECT", "")
    return try kernel.bypassCache(of: descriptor, isOn)
  }
  package func clone(_ source: Descriptor, to name: FilePath?, at directory: Descriptor, permissions: UInt16)
    throws(SystemError) -> Descriptor?
  {
    try hook("FICLONE", name?.string ?? "")
    guard hasClones else { return nil }
    return try kernel.clone(source, to: name, at: directory, permissions: permissions)
  }
  package func dropCache(of descriptor: Descriptor) throws(SystemError) {
    try hook("posix_fadvise", "")
    try kernel.dropCache(of: descriptor)
  }
  package func truncate(_ descriptor: Descriptor, to length: Int64) throws(SystemError) {
    try hook("ftruncate", "")
    try kernel.truncate(descriptor, to: length)
  }
  package func punchHole(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError) {
    try hook("fallocate", "")
    try kernel.punchHole(descriptor, offset: offset, length: length)
  }
  package func setPermissions(_ descriptor: Descriptor, to permissions: UInt16) throws(SystemError) {
    try hook("fchmod", "")
    try kernel.setPermissions(descriptor, to: permissions)
  }
  package func setOwner(_ descriptor: Descriptor, to owner: FileOwner) throws(SystemError) {
    try hook("fchown", "")
    try kernel.setOwner(descriptor, to: owner)
  }
  package func setOwner(_ path: FilePath, at directory: Descriptor?, to owner: FileOwner) throws(SystemError) {
    try hook("fchownat", path.string)
    try kernel.setOwner(path, at: directory, to: owner)
  }
  package func setModified(_ descriptor: Descriptor, nanoseconds: Int64) throws(SystemError) {
    try hook("futimens", "")
    try kernel.setModified(descriptor, nanoseconds: nanoseconds)
  }
  package func setModified(_ path: FilePath, at directory: Descriptor?, nanoseconds: Int64) throws(SystemError) {
    try hook("utimensat", path.string)
    try kernel.setModified(path, at: directory, nanoseconds: nanoseconds)
  }
  package func space(of descriptor: Descriptor) throws(SystemError) -> FileSystemSpace {
    try hook("fstatvfs", "")
    return try kernel.space(of: descriptor)
  }
  package func lock(_ descriptor: Descriptor, kind: LockKind) throws(SystemError) -> Bool {
    try hook("flock", "")
    return try kernel.lock(descriptor, kind: kind)
  }
  package func unlock(_ descriptor: Descriptor) throws(SystemError) {
    try hook("flock", "")
    try kernel.unlock(descriptor)
  }
  package func attributeNames(of descriptor: Descriptor) throws(SystemError) -> [String] {
    try hook("flistxattr", "")
    return try kernel.attributeNames(of: descriptor)
  }
  package func lockHolder(_ descriptor: Descriptor, against kind: LockKind) throws(SystemError) -> Int32? {
    try hook("fcntl", "")
    if let writer { return writer }
    return try kernel.lockHolder(descriptor, against: kind)
  }
  package func hasOtherOpeners(_ descriptor: Descriptor, openers: Openers) throws(SystemError) -> Bool? {
    try hook("F_SETLEASE", "")
    switch leases {
    case .real: return try kernel.hasOtherOpeners(descriptor, openers: openers)
    case .none: return nil
    case .answer(let isOpen): return isOpen
    }
  }
  package func isLocal(_ descriptor: Descriptor) throws(SystemError) -> Bool {
    try hook("fstatfs", "")
    return try kernel.isLocal(descriptor)
  }
  package func nextData(_ descriptor: Descriptor, from offset: Int64) throws(SystemError) -> Int64? {
    try hook("lseek", "")
    return try kernel.nextData(descriptor, from: offset)
  }
}

/// A clock that stands still but for what sleeps: no test waits, and each sleep is a moment at which something can happen.
package final class ManualTime: TimeSource {
  private let state: Mutex<(now: Int64, sleeps: Int)>
  private let onSleep: @Sendable (Int) -> Void

  /// - Parameter onSleep: is told the number of each sleep, counted from 1.
  package init(now: Int64 = 1_770_000_000_000_000_000, onSleep: @escaping @Sendable (Int) -> Void = { _ in }) {
    state = Mutex((now, 0))
    self.onSleep = onSleep
  }

  package var nowNanoseconds: Int64 { state.withLock { $0.now } }
  package var monotonicNanoseconds: Int64 { state.withLock { $0.now } }

  package func sleep(_ duration: Duration) {
    let number = state.withLock { state in
      state.now += duration.nanoseconds
      state.sleeps += 1
      return state.sleeps
    }
    onSleep(number)
  }
}

/// The kernel's batches with the hook before each; one that fails leaves its files to be read one by one.
private final class HookedBatchReader: BatchReader {
  private let reader: any BatchReader
  private let hook: HookedFileSystem.Hook

  init(_ reader: any BatchReader, hook: @escaping HookedFileSystem.Hook) {
    self.reader = reader
    self.hook = hook
  }

  func read(_ reads: [BatchRead]) -> [Int?] {
    do {
      try hook("io_submit", "")
      return reader.read(reads)
    } catch {
      return reads.map { _ in nil }
    }
  }
}
