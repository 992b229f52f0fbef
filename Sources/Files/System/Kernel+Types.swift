private import CFiles
private import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

// What the C library calls things, in our types and back.

extension OpenMode {
  var flags: Int32 {
    var flags = O_CLOEXEC | (contains(.write) ? O_RDWR : O_RDONLY)
    if contains(.create) { flags |= O_CREAT }
    if contains(.exclusive) { flags |= O_EXCL }
    if contains(.directory) { flags |= O_DIRECTORY }
    // A FIFO of that name must not hold us; for files it means nothing.
    flags |= O_NONBLOCK
    if contains(.noFollow) { flags |= O_NOFOLLOW }
    if contains(.append) { flags |= O_APPEND }
    return flags
  }
}

extension FileKind {
  init(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .directory
    case S_IFLNK: self = .link
    case S_IFIFO: self = .fifo
    case S_IFSOCK: self = .socket
    case S_IFCHR: self = .characterDevice
    case S_IFBLK: self = .blockDevice
    default: self = .unknown
    }
  }

  /// The mode's format bits shifted right by twelve are the DT_ constants (man 3 readdir).
  init(listed entry: UnsafePointer<dirent>) {
    self = FileKind(mode: mode_t(hrp_entry_type(entry)) << 12)
  }
}

extension FileStatus {
  init(_ status: stat) {
    kind = FileKind(mode: status.st_mode)
    permissions = UInt16(status.st_mode & 0o7777)
    size = Int64(status.st_size)
    allocatedBytes = Int64(status.st_blocks) * 512
    modifiedNanoseconds = withUnsafePointer(to: status) { hrp_modified_ns($0) }
    changedNanoseconds = withUnsafePointer(to: status) { hrp_changed_ns($0) }
    linkCount = UInt64(status.st_nlink)
    owner = FileOwner(user: status.st_uid, group: status.st_gid)
    identity = FileIdentity(
      device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino))
  }
}

extension UnsafeMutablePointer<dirent> {
  /// The bytes of the name, up to its NUL.
  var nameBytes: [UInt8] {
    // Safe because the kernel ends d_name with a NUL within the entry. The entry may be shorter than the C type, so the
    // name is read where it lies.
    let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    let start = UnsafeRawPointer(self).advanced(by: offset).assumingMemoryBound(to: CChar.self)
    return UnsafeBufferPointer(start: start, count: strlen(start)).map { UInt8(bitPattern: $0) }
  }
}
