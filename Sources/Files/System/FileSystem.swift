package import SystemPackage

/// An open file or directory of the process.
///
/// Trivial: whoever opens it closes it (see ``OpenFile``).
package struct Descriptor: Hashable, Sendable {
  package let number: Int32
  package init(number: Int32) { self.number = number }
}

/// How a file is opened.
///
/// Close-on-exec is always set.
package struct OpenMode: OptionSet, Sendable {
  package let rawValue: Int32
  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let write = OpenMode(rawValue: 1)
  /// Make the file; without `exclusive` an existing one serves too.
  package static let create = OpenMode(rawValue: 2)
  package static let exclusive = OpenMode(rawValue: 4)
  package static let directory = OpenMode(rawValue: 8)
  /// Refuse a symlink as the last component (ELOOP), and never wait for a FIFO's other end.
  package static let noFollow = OpenMode(rawValue: 16)
  package static let append = OpenMode(rawValue: 32)
  /// Past the page cache from the start, as ``FileSystem/bypassCache(of:_:)`` says.
  ///
  /// A file system that cannot says EINVAL.
  package static let direct = OpenMode(rawValue: 64)
}

/// Who else uses a lock.
package enum LockKind: Sendable { case shared, exclusive }

/// Who else may have a file open.
package enum Openers: Sendable {
  /// Those that may write to it.
  case writers
  /// Anybody.
  case all
}

/// The seam to the kernel: each call is one system call, restarted when a signal interrupts it.
///
/// Everything that reads or writes a user's data goes through a value of this protocol, so that tests can make the n-th
/// call fail, write short, or lose what was not yet durable. (SQLite and child processes have their own way in.)
/// When `directory` is nil, paths are relative to the working directory.
package protocol FileSystem: Sendable {
  /// The corresponding C function is `openat`.
  func open(_ path: FilePath, at directory: Descriptor?, mode: OpenMode, permissions: UInt16) throws(SystemError)
    -> Descriptor
  /// The corresponding C function is `close`. The descriptor is gone even when it throws.
  func close(_ descriptor: Descriptor) throws(SystemError)
  /// At most as many bytes as fit; 0 at the end of the file. The corresponding C function is `pread`.
  func read(_ descriptor: Descriptor, into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError)
    -> Int
  /// Possibly fewer bytes than given. The corresponding C function is `pwrite`.
  func write(_ descriptor: Descriptor, bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) -> Int
  /// Writes at the end of the file as it is then. The corresponding C function is `write` with `O_APPEND`.
  func append(_ descriptor: Descriptor, bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int
  /// The corresponding C function is `fstat`.
  func status(of descriptor: Descriptor) throws(SystemError) -> FileStatus
  /// The status of a symlink itself, not of its target. The corresponding C function is `fstatat`.
  func status(_ path: FilePath, at directory: Descriptor?) throws(SystemError) -> FileStatus
  /// All names but `.` and `..`, in no order. The corresponding C function is `readdir`.
  func entries(of directory: Descriptor) throws(SystemError) -> [DirectoryEntry]
  /// The corresponding C function is `mkdirat`.
  func makeDirectory(_ path: FilePath, at directory: Descriptor?, permissions: UInt16) throws(SystemError)
  /// The corresponding C function is `symlinkat`.
  func makeLink(_ path: FilePath, at directory: Descriptor?, target: [UInt8]) throws(SystemError)
  /// The corresponding C function is `readlinkat`.
  func linkTarget(_ path: FilePath, at directory: Descriptor?) throws(SystemError) -> [UInt8]
  /// The corresponding C function is `linkat`, which here does not follow a symlink.
  func makeHardLink(
    _ path: FilePath, at directory: Descriptor?, to source: FilePath, at sourceDirectory: Descriptor?
  ) throws(SystemError)
  /// Removes a name that is no directory. The corresponding C function is `unlinkat`.
  func remove(_ path: FilePath, at directory: Descriptor?) throws(SystemError)
  /// Removes an empty directory. The corresponding C function is `unlinkat` with `AT_REMOVEDIR`.
  func removeDirectory(_ path: FilePath, at directory: Descriptor?) throws(SystemError)
  /// Renames; an existing target makes it fail. The corresponding C function is `renameat2` with `RENAME_NOREPLACE`.
  func renameNew(_ source: FilePath, at from: Descriptor?, to target: FilePath, at to: Descriptor?) throws(SystemError)
  /// Renames in place of an existing target. The corresponding C function is `renameat`.
  func renameReplacing(
    _ source: FilePath, at from: Descriptor?, to target: FilePath, at to: Descriptor?
  ) throws(SystemError)
  /// Exchanges two names in one step; false where the file system cannot.
  ///
  /// The corresponding C function is `renameat2` with `RENAME_EXCHANGE`, on macOS `renameatx_np` with `RENAME_SWAP`.
  func exchange(
    _ first: FilePath, at firstDirectory: Descriptor?, with second: FilePath, at secondDirectory: Descriptor?
  )
    throws(SystemError) -> Bool
  /// Makes one file or directory durable. The corresponding C function is `fsync` (macOS: `F_FULLFSYNC`).
  func synchronize(_ descriptor: Descriptor) throws(SystemError)
  /// Hands one file to the device, whose own cache may still hold it. The corresponding C function is `fsync`.
  func synchronizeContents(_ descriptor: Descriptor) throws(SystemError)
  /// Makes everything on the file system durable; false where the platform cannot. The C function is `syncfs`.
  func synchronizeFileSystem(of descriptor: Descriptor) throws(SystemError) -> Bool
  /// Starts to write a range out, without waiting for it. The corresponding C function is `sync_file_range`.
  func startWriteback(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError)
  /// Waits until a range is written out; not a promise of durability.
  func waitForWriteback(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError)
  /// Reads and writes past the page cache from now on, or through it again; returns false when the file system cannot.
  ///
  /// Past it, memory, offsets and lengths must be multiples of ``IOBuffer/alignment``, but for the end of the file when
  /// reading. The corresponding C function is `fcntl(F_SETFL, O_DIRECT)`, on macOS `fcntl(F_NOCACHE)`.
  func bypassCache(of descriptor: Descriptor, _ isOn: Bool) throws(SystemError) -> Bool
  /// Makes a new file that shares the bytes of another one until either is written to, open for reading and writing.
  ///
  /// - Parameter name: the name of the clone; when it is nil, the file has no name and is gone when it is closed.
  /// - Returns: nil where the file system has no clones, or the two are on different ones, or the directory cannot be
  ///   written to.
  ///
  /// The corresponding C calls are `ioctl(FICLONE)` with `O_TMPFILE`, on macOS `fclonefileat`.
  func clone(_ source: Descriptor, to name: FilePath?, at directory: Descriptor, permissions: UInt16)
    throws(SystemError) -> Descriptor?
  /// Makes the next read come from the device. The corresponding C function is `posix_fadvise(DONTNEED)`.
  func dropCache(of descriptor: Descriptor) throws(SystemError)
  /// The corresponding C function is `ftruncate`.
  func truncate(_ descriptor: Descriptor, to length: Int64) throws(SystemError)
  /// Makes a range read as zeros and take no space, where the file system can; else throws `notSupported`.
  func punchHole(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError)
  /// The corresponding C function is `fchmod`.
  func setPermissions(_ descriptor: Descriptor, to permissions: UInt16) throws(SystemError)
  /// The corresponding C function is `fchown`. The kernel takes the setuid and the setgid bit of a file away by it.
  func setOwner(_ descriptor: Descriptor, to owner: FileOwner) throws(SystemError)
  /// Sets the owner of a name, without following a symlink. The corresponding C function is `fchownat`.
  func setOwner(_ path: FilePath, at directory: Descriptor?, to owner: FileOwner) throws(SystemError)
  /// The corresponding C function is `futimens`.
  func setModified(_ descriptor: Descriptor, nanoseconds: Int64) throws(SystemError)
  /// Sets the time of a name, without following a symlink. The corresponding C function is `utimensat`.
  func setModified(_ path: FilePath, at directory: Descriptor?, nanoseconds: Int64) throws(SystemError)
  /// The names of a file's extended attributes; empty where the file system has none.
  ///
  /// The corresponding C function is `flistxattr`.
  func attributeNames(of descriptor: Descriptor) throws(SystemError) -> [String]
  /// The corresponding C function is `fstatvfs`.
  func space(of descriptor: Descriptor) throws(SystemError) -> FileSystemSpace
  /// Takes an advisory lock at once or says that it is taken. The corresponding C function is `flock`.
  func lock(_ descriptor: Descriptor, kind: LockKind) throws(SystemError) -> Bool
  /// Gives up an advisory lock, also for duplicates of the descriptor, such as a child has until it runs its program.
  /// The corresponding C function is `flock(LOCK_UN)`.
  func unlock(_ descriptor: Descriptor) throws(SystemError)
  /// The process that holds a POSIX lock which a lock of this kind on the whole file would meet.
  /// The corresponding C function is `fcntl(F_GETLK)`.
  func lockHolder(_ descriptor: Descriptor, against kind: LockKind) throws(SystemError) -> Int32?
  /// Whether another descriptor of any process has the file open, whatever became of its locks.
  ///
  /// It works across users, containers and mounts of this machine. With `.writers` the descriptor must be open for
  /// reading only.
  /// - Returns: nil where the kernel does not say: macOS, a network file system, a file of another user.
  ///
  /// The corresponding C function is `fcntl(F_SETLEASE)`; the lease is given back at once.
  func hasOtherOpeners(_ descriptor: Descriptor, openers: Openers) throws(SystemError) -> Bool?
  /// Whether only this machine's kernel writes to the file system, and each write moves a file's modification time, in
  /// steps below 20 ms.
  ///
  /// False for network file systems, FUSE, what a virtual machine shares with its host, and unknown ones. The
  /// corresponding C function is `fstatfs`.
  func isLocal(_ descriptor: Descriptor) throws(SystemError) -> Bool
  /// Takes the lock that DuckDB takes when it opens a file (exclusive: for writing), or says that somebody is in the
  /// way.
  ///
  /// It is gone as soon as this process closes any descriptor of the file. The corresponding C function is
  /// `fcntl(F_SETLK)`.
  func takeDuckDBLock(_ descriptor: Descriptor, kind: LockKind) throws(SystemError) -> Bool
  /// Where data begins at or after the offset; nil when only holes follow. The C function is `lseek(SEEK_DATA)`.
  func nextData(_ descriptor: Descriptor, from offset: Int64) throws(SystemError) -> Int64?
  /// Something that reads many small files in one call; nil where the system has none: then they are read one by one.
  func makeBatchReader() -> (any BatchReader)?
}

extension FileSystem {
  package func makeBatchReader() -> (any BatchReader)? { nil }
}
