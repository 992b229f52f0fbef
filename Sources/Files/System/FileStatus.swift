/// What a name is.
package enum FileKind: UInt8, Sendable {
  case regular, directory, link, fifo, socket, characterDevice, blockDevice, unknown

  /// The word for people: "a FIFO".
  package var words: String {
    switch self {
    case .regular: "a file"
    case .directory: "a directory"
    case .link: "a link"
    case .fifo: "a FIFO"
    case .socket: "a socket"
    case .characterDevice, .blockDevice: "a device"
    case .unknown: "of unknown kind"
    }
  }
}

/// Which file it is, for as long as it exists.
package struct FileIdentity: Hashable, Sendable {
  package let device: UInt64
  package let inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}

/// Whose a file is, by the kernel's numbers.
package struct FileOwner: Hashable, Sendable {
  package let user: UInt32
  package let group: UInt32

  package init(user: UInt32, group: UInt32) {
    self.user = user
    self.group = group
  }

  /// The owner of what root makes.
  package static let root = FileOwner(user: 0, group: 0)
}

/// What the kernel knows of a file.
///
/// The corresponding C function is `fstat`.
package struct FileStatus: Equatable, Sendable {
  package let kind: FileKind
  /// The twelve permission bits.
  package let permissions: UInt16
  /// Bytes, holes included.
  package let size: Int64
  /// Bytes that take space on the disk.
  package let allocatedBytes: Int64
  /// When the contents changed, in nanoseconds since 1970 UTC.
  package let modifiedNanoseconds: Int64
  /// When the contents or the attributes changed, in nanoseconds since 1970 UTC.
  package let changedNanoseconds: Int64
  package let identity: FileIdentity
  /// Names that lead to the file.
  package let linkCount: UInt64
  package let owner: FileOwner

  package init(
    kind: FileKind, permissions: UInt16, size: Int64, allocatedBytes: Int64, modifiedNanoseconds: Int64,
    changedNanoseconds: Int64, identity: FileIdentity, linkCount: UInt64, owner: FileOwner = .root
  ) {
    self.kind = kind
    self.permissions = permissions
    self.size = size
    self.allocatedBytes = allocatedBytes
    self.modifiedNanoseconds = modifiedNanoseconds
    self.changedNanoseconds = changedNanoseconds
    self.identity = identity
    self.linkCount = linkCount
    self.owner = owner
  }

  /// Whether nothing happened to the file between two looks, as far as the kernel tells.
  package func isUnchanged(since earlier: FileStatus) -> Bool {
    identity == earlier.identity && size == earlier.size && modifiedNanoseconds == earlier.modifiedNanoseconds
      && changedNanoseconds == earlier.changedNanoseconds
  }
}

/// A name in a directory and what it is, where the file system says so in the listing.
package struct DirectoryEntry: Sendable {
  package let name: FileName
  /// `.unknown` when only a look at the file itself can tell.
  package let kind: FileKind

  package init(name: FileName, kind: FileKind) {
    self.name = name
    self.kind = kind
  }
}

/// Room on a file system, in bytes.
package struct FileSystemSpace: Sendable {
  /// What an ordinary user may still write.
  package let availableBytes: UInt64
  package let totalBytes: UInt64

  package init(availableBytes: UInt64, totalBytes: UInt64) {
    self.availableBytes = availableBytes
    self.totalBytes = totalBytes
  }
}
