private import CFiles
package import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// The real file system: each call goes to the kernel.
package struct Kernel: FileSystem {
  package init() {}

  package func open(_ path: FilePath, at directory: Descriptor?, mode: OpenMode, permissions: UInt16)
    throws(SystemError) -> Descriptor
  {
    let number = try call("openat", path: path) { name in
      mode.contains(.direct)
        ? hrp_openat_direct(base(directory), name, mode.flags, UInt32(permissions))
        : hrp_openat(base(directory), name, mode.flags, UInt32(permissions))
    }
    return Descriptor(number: number)
  }

  package func close(_ descriptor: Descriptor) throws(SystemError) {
    #if canImport(Darwin)
      let result = Darwin.close(descriptor.number)
    #elseif canImport(Glibc)
      let result = Glibc.close(descriptor.number)
    #else
      let result = Musl.close(descriptor.number)
    #endif
    // Not restarted: after EINTR the descriptor is closed all the same (man 2 close), and its number may be another's.
    if result != 0, errno != EINTR { throw SystemError("close", errno: Errno(rawValue: errno)) }
  }

  package func read(_ descriptor: Descriptor, into bytes: UnsafeMutableRawBufferPointer, at offset: Int64)
    throws(SystemError) -> Int
  {
    try call("pread") { pread(descriptor.number, bytes.baseAddress, bytes.count, off_t(offset)) }
  }

  package func write(_ descriptor: Descriptor, bytes: UnsafeRawBufferPointer, at offset: Int64)
    throws(SystemError) -> Int
  {
    try call("pwrite") { pwrite(descriptor.number, bytes.baseAddress, bytes.count, off_t(offset)) }
  }

  package func append(_ descriptor: Descriptor, bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    #if canImport(Darwin)
      try call("write") { Darwin.write(descriptor.number, bytes.baseAddress, bytes.count) }
    #elseif canImport(Glibc)
      try call("write") { Glibc.write(descriptor.number, bytes.baseAddress, bytes.count) }
    #else
      try call("write") { Musl.write(descriptor.number, bytes.baseAddress, bytes.count) }
    #endif
  }

  package func status(of descriptor: Descriptor) throws(SystemError) -> FileStatus {
    var status = stat()
    _ = try call("fstat") { fstat(descriptor.number, &status) }
    return FileStatus(status)
  }

  package func status(_ path: FilePath, at directory: Descriptor?) throws(SystemError) -> FileStatus {
    var status = stat()
    _ = try call("fstatat", path: path) { fstatat(base(directory), $0, &status, AT_SYMLINK_NOFOLLOW) }
    return FileStatus(status)
  }

  package func entries(of directory: Descriptor) throws(SystemError) -> [DirectoryEntry] {
    // A descriptor of its own: closedir closes the one it was given, and its position is not shared.
    let own = try open(".", at: directory, mode: [.directory], permissions: 0)
    guard let stream = fdopendir(own.number) else {
      let error = SystemError("fdopendir", errno: Errno(rawValue: errno))
      try close(own)
      throw error
    }
    defer { closedir(stream) }
    var entries: [DirectoryEntry] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = FileName(bytes: entry.nameBytes)
      if !name.isDotOrDotDot { entries.append(DirectoryEntry(name: name, kind: FileKind(listed: entry))) }
    }
    if errno != 0 { throw SystemError("readdir", errno: Errno(rawValue: errno)) }
    return entries
  }

  package func makeDirectory(_ path: FilePath, at directory: Descriptor?, permissions: UInt16) throws(SystemError) {
    _ = try call("mkdirat", path: path) { mkdirat(base(directory), $0, mode_t(permissions)) }
  }

  package func makeLink(_ path: FilePath, at directory: Descriptor?, target: [UInt8]) throws(SystemError) {
    let target = target.map { CChar(bitPattern: $0) } + [0]
    _ = try call("symlinkat", path: path) { symlinkat(target, base(directory), $0) }
  }

  package func linkTarget(_ path: FilePath, at directory: Descriptor?) throws(SystemError) -> [UInt8] {
    var bytes = [CChar](repeating: 0, count: EntryPath.maximumLength + 1)
    let count = try call("readlinkat", path: path) { readlinkat(base(directory), $0, &bytes, bytes.count) }
    return bytes.prefix(count).map { UInt8(bitPattern: $0) }
  }

  package func makeHardLink(
    _ path: FilePath, at directory: Descriptor?, to source: FilePath, at sourceDirectory: Descriptor?
  ) throws(SystemError) {
    _ = try call("linkat", path: path) { name in
      source.withPlatformString { linkat(base(sourceDirectory), $0, base(directory), name, 0) }
    }
  }

  package func remove(_ path: FilePath, at directory: Descriptor?) throws(SystemError) {
    _ = try call("unlinkat", path: path) { unlinkat(base(directory), $0, 0) }
  }

  package func removeDirectory(_ path: FilePath, at directory: Descriptor?) throws(SystemError) {
    _ = try call("unlinkat", path: path) { unlinkat(base(directory), $0, AT_REMOVEDIR) }
  }

  package func renameNew(_ source: FilePath, at from: Descriptor?, to target: FilePath, at to: Descriptor?)
    throws(SystemError)
  {
    _ = try call("renameat2", path: target) { name in
      source.withPlatformString { hrp_rename_new(base(from), $0, base(to), name) }
    }
  }

  package func renameReplacing(
    _ source: FilePath, at from: Descriptor?, to target: FilePath, at to: Descriptor?
  ) throws(SystemError) {
    _ = try call("renameat", path: target) { name in
      source.withPlatformString { renameat(base(from), $0, base(to), name) }
    }
  }

  package func exchange(
    _ first: FilePath, at firstDirectory: Descriptor?, with second: FilePath, at secondDirectory: Descriptor?
  ) throws(SystemError) -> Bool {
    do {
      _ = try call("renameat2", path: second) { name in
        first.withPlatformString { hrp_exchange(base(firstDirectory), $0, base(secondDirectory), name) }
      }
      return true
    } catch  where Self.noExchange.contains(error.errno) {
      return false
    }
  }

  /// What the kernel says where names cannot be exchanged (man 2 renameat2): no such flag, a mount point, an overlay.
  private static let noExchange: Set<Errno> = [
    .invalidArgument, .noFunction, .notSupported, .notSupportedOnSocket, .improperLink, .resourceBusy,
  ]

  package func synchronize(_ descriptor: Descriptor) throws(SystemError) {
    _ = try call("fsync") { hrp_full_sync(descriptor.number) }
  }

  package func synchronizeContents(_ descriptor: Descriptor) throws(SystemError) {
    _ = try call("fsync") { fsync(descriptor.number) }
  }

  package func synchronizeFileSystem(of descriptor: Descriptor) throws(SystemError) -> Bool {
    if hrp_syncfs(descriptor.number) == 0 { return true }
    if errno == ENOTSUP || errno == ENOSYS { return false }
    throw SystemError("syncfs", errno: Errno(rawValue: errno))
  }

  package func startWriteback(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError) {
    _ = try call("sync_file_range") { hrp_start_writeback(descriptor.number, offset, length) }
  }

  package func waitForWriteback(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError) {
    _ = try call("sync_file_range") { hrp_wait_writeback(descriptor.number, offset, length) }
  }

  package func bypassCache(of descriptor: Descriptor, _ isOn: Bool) throws(SystemError) -> Bool {
    do {
      _ = try call("fcntl") { hrp_bypass_cache(descriptor.number, isOn ? 1 : 0) }
      return true
    } catch  where error.errno == .invalidArgument {
      return false
    }
  }

  package func clone(_ source: Descriptor, to name: FilePath?, at directory: Descriptor, permissions: UInt16)
    throws(SystemError) -> Descriptor?
  {
    do {
      let number =
        if let name {
          try call("FICLONE", path: name) { hrp_clone(source.number, directory.number, $0, UInt32(permissions)) }
        } else {
          try call("FICLONE") { hrp_clone(source.number, directory.number, nil, UInt32(permissions)) }
        }
      return Descriptor(number: number)
    } catch  where Self.noClones.contains(error.errno) {
      return nil
    }
  }

  /// What the kernel says where there can be no clone (man 2 ioctl_ficlone, man 2 open "O_TMPFILE").
  private static let noClones: Set<Errno> = [
    .notSupported, .notSupportedOnSocket, .improperLink, .invalidArgument, .inappropriateIOCTLForDevice, .isDirectory,
    .permissionDenied, .notPermitted, .readOnlyFileSystem, .noFunction,
  ]

  package func dropCache(of descriptor: Descriptor) throws(SystemError) {
    _ = try call("posix_fadvise") { hrp_drop_cache(descriptor.number) }
  }

  package func truncate(_ descriptor: Descriptor, to length: Int64) throws(SystemError) {
    _ = try call("ftruncate") { ftruncate(descriptor.number, off_t(length)) }
  }

  package func punchHole(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError) {
    _ = try call("fallocate") { hrp_punch_hole(descriptor.number, offset, length) }
  }

  package func setPermissions(_ descriptor: Descriptor, to permissions: UInt16) throws(SystemError) {
    _ = try call("fchmod") { fchmod(descriptor.number, mode_t(permissions)) }
  }

  package func setOwner(_ descriptor: Descriptor, to owner: FileOwner) throws(SystemError) {
    _ = try call("fchown") { fchown(descriptor.number, owner.user, owner.group) }
  }

  package func setOwner(_ path: FilePath, at directory: Descriptor?, to owner: FileOwner) throws(SystemError) {
    _ = try call("fchownat", path: path) { fchownat(base(directory), $0, owner.user, owner.group, AT_SYMLINK_NOFOLLOW) }
  }

  package func setModified(_ descriptor: Descriptor, nanoseconds: Int64) throws(SystemError) {
    _ = try call("futimens") { hrp_set_modified(descriptor.number, nil, nanoseconds) }
  }

  package func setModified(_ path: FilePath, at directory: Descriptor?, nanoseconds: Int64) throws(SystemError) {
    _ = try call("utimensat", path: path) { hrp_set_modified(base(directory), $0, nanoseconds) }
  }

  package func space(of descriptor: Descriptor) throws(SystemError) -> FileSystemSpace {
    var available: UInt64 = 0
    var total: UInt64 = 0
    _ = try call("fstatvfs") { hrp_space(descriptor.number, &available, &total) }
    return FileSystemSpace(availableBytes: available, totalBytes: total)
  }

  package func lock(_ descriptor: Descriptor, kind: LockKind) throws(SystemError) -> Bool {
    let operation = (kind == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB
    do {
      _ = try call("flock") { flock(descriptor.number, operation) }
      return true
    } catch  where error.errno == .wouldBlock {
      return false
    }
  }

  package func unlock(_ descriptor: Descriptor) throws(SystemError) {
    _ = try call("flock") { flock(descriptor.number, LOCK_UN) }
  }

  package func attributeNames(of descriptor: Descriptor) throws(SystemError) -> [String] {
    // What most files have fits into the first; 64 KiB is the most that Linux has (man 7 xattr).
    for size in [1024, 65_536] {
      var names = [CChar](repeating: 0, count: size)
      do throws(SystemError) {
        let length = try call("flistxattr") { hrp_attribute_names(descriptor.number, &names, Int64(size)) }
        return names.prefix(Int(length)).split(separator: 0).map {
          String(decoding: $0.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
      } catch  where error.errno == .outOfRange && size < 65_536 {
        continue
      }
    }
    throw SystemError("flistxattr", errno: .outOfRange)
  }

  package func lockHolder(_ descriptor: Descriptor, against kind: LockKind) throws(SystemError) -> Int32? {
    var holder: pid_t = 0
    let held = try call("fcntl") { hrp_lock_holder(descriptor.number, kind == .exclusive ? 1 : 0, &holder) }
    return held == 1 ? holder : nil
  }

  package func hasOtherOpeners(_ descriptor: Descriptor, openers: Openers) throws(SystemError) -> Bool? {
    do {
      return try call("fcntl") { hrp_has_other_openers(descriptor.number, openers == .all ? 1 : 0) } == 1
    } catch  where Self.noLeases.contains(error.errno) {
      return nil
    }
  }

  /// What the kernel says where it gives no lease (man 2 fcntl, "F_SETLEASE").
  private static let noLeases: Set<Errno> = [
    .permissionDenied, .notPermitted, .invalidArgument, .notSupported, .notSupportedOnSocket, .noFunction,
  ]

  package func isLocal(_ descriptor: Descriptor) throws(SystemError) -> Bool {
    try call("fstatfs") { hrp_is_local(descriptor.number) } == 1
  }

  package func takeDuckDBLock(_ descriptor: Descriptor, kind: LockKind) throws(SystemError) -> Bool {
    try call("fcntl") { hrp_take_lock(descriptor.number, kind == .exclusive ? 1 : 0) } == 1
  }

  package func nextData(_ descriptor: Descriptor, from offset: Int64) throws(SystemError) -> Int64? {
    do {
      return try call("lseek") { hrp_next_data(descriptor.number, offset) }
    } catch  where error.errno == .noSuchAddressOrDevice {
      return nil
    }
  }
}

// MARK: - Many reads at once

extension Kernel {
  package func makeBatchReader() -> (any BatchReader)? { KernelBatchReader() }
}

// MARK: - One loop for EINTR

extension Kernel {
  private func base(_ directory: Descriptor?) -> Int32 { directory?.number ?? AT_FDCWD }

  /// Makes the call until no signal interrupts it; the only such loop.
  private func call<Result: SignedInteger>(_ name: String, body: () -> Result) throws(SystemError) -> Result {
    while true {
      let result = body()
      if result >= 0 { return result }
      if errno != EINTR { throw SystemError(name, errno: Errno(rawValue: errno)) }
    }
  }

  private func call<Result: SignedInteger>(
    _ name: String, path: FilePath, body: (UnsafePointer<CChar>) -> Result
  ) throws(SystemError) -> Result {
    do {
      return try call(name) { path.withPlatformString(body) }
    } catch {
      throw error.at(path.text)
    }
  }
}
