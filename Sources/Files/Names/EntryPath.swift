package import SystemPackage

/// One name in a directory, as the bytes that the file system holds: not necessarily UTF-8.
package struct FileName: Hashable, Comparable, Sendable {
  /// The bytes; never empty, without `/` and NUL.
  package let bytes: [UInt8]

  /// Takes bytes as the kernel gave them.
  package init(bytes: [UInt8]) { self.bytes = bytes }

  package init(_ text: String) { bytes = Array(text.utf8) }

  package init(_ component: FilePath.Component) {
    bytes = component.withPlatformString { text in
      // Safe because a platform string ends with NUL.
      UnsafeBufferPointer(start: text, count: Int(component.length)).map { UInt8(bitPattern: $0) }
    }
  }

  /// The name as a path of one component.
  package var path: FilePath { FilePath(bytes: bytes) }

  /// Whether this is one of the names that the kernel itself keeps in every directory.
  package var isDotOrDotDot: Bool { bytes == [0x2E] || bytes == [0x2E, 0x2E] }

  package func hasPrefix(_ text: String) -> Bool { bytes.starts(with: text.utf8) }

  package static func < (left: FileName, right: FileName) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

/// A path below some root, in bytes, that cannot leave that root.
///
/// The only way from a stranger's bytes to a path that is opened: no absolute path, no `.`, `..` or empty component, no
/// NUL. Ordering is that of the bytes of the whole path, as `sort` in the C locale orders them.
package struct EntryPath: Hashable, Comparable, Sendable {
  /// The longest path that is taken, in bytes (Linux: PATH_MAX).
  package static let maximumLength = 4096
  /// The deepest path that is taken, in components: one descriptor each is held while a tree is walked.
  package static let maximumDepth = 128

  /// The components joined by `/`; empty for the root itself.
  package let bytes: [UInt8]

  /// The root.
  package static let root = EntryPath(unchecked: [])

  private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  /// A path from a stranger's bytes; nil when it could leave the root or is not in its simplest form.
  package init?(validating bytes: [UInt8]) {
    guard !bytes.isEmpty, bytes.count <= Self.maximumLength else { return nil }
    var depth = 1
    var start = 0
    for (index, byte) in bytes.enumerated() {
      if byte == 0 { return nil }
      guard byte == UInt8(ascii: "/") else { continue }
      guard Self.isComponent(bytes[start..<index]) else { return nil }
      start = index + 1
      depth += 1
    }
    guard depth <= Self.maximumDepth, Self.isComponent(bytes[start...]) else { return nil }
    self.bytes = bytes
  }

  /// Whether the bytes name something below where they stand: not nothing, not `.` and not `..`.
  private static func isComponent(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first else { return false }
    let dot = UInt8(ascii: ".")
    return first != dot || bytes.count > 2 || (bytes.count == 2 && bytes.last != dot)
  }

  /// A path of a name that we chose ourselves.
  ///
  /// A name that could leave the root is a programmer error.
  package init(_ text: String) {
    guard let path = EntryPath(validating: Array(text.utf8)) else {
      preconditionFailure("\(text) is not a path below a root.")
    }
    self = path
  }

  package static func / (parent: EntryPath, name: FileName) -> EntryPath {
    parent.bytes.isEmpty
      ? EntryPath(unchecked: name.bytes) : EntryPath(unchecked: parent.bytes + [UInt8(ascii: "/")] + name.bytes)
  }

  /// A path below another one; nil when it is too long or too deep.
  package static func / (parent: EntryPath, path: EntryPath) -> EntryPath? {
    guard parent.bytes.count + 1 + path.bytes.count <= maximumLength, parent.depth + path.depth <= maximumDepth else {
      return nil
    }
    return EntryPath(unchecked: parent.bytes + [UInt8(ascii: "/")] + path.bytes)
  }

  /// How many components there are.
  package var depth: Int { bytes.isEmpty ? 0 : bytes.reduce(1) { $0 + ($1 == UInt8(ascii: "/") ? 1 : 0) } }

  package var isRoot: Bool { bytes.isEmpty }

  /// Whether the path names something in just that folder.
  package func isDirectly(in folder: EntryPath) -> Bool {
    let start = folder.isRoot ? 0 : folder.bytes.count + 1
    return bytes.count > start && isInside(folder) && !bytes[start...].contains(UInt8(ascii: "/"))
  }

  /// The last component.
  package var name: FileName {
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return FileName(bytes: bytes) }
    return FileName(bytes: Array(bytes[(slash + 1)...]))
  }

  /// The path without its last component; the root for a single name.
  package var parent: EntryPath {
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return .root }
    return EntryPath(unchecked: Array(bytes[..<slash]))
  }

  package var components: [FileName] {
    bytes.split(separator: UInt8(ascii: "/")).map { FileName(bytes: Array($0)) }
  }

  /// Whether the path lies in the given folder (or is it).
  package func isInside(_ folder: EntryPath) -> Bool {
    let length = folder.bytes.count
    return length == 0
      || (bytes.count >= length && bytes[..<length].elementsEqual(folder.bytes)
        && (bytes.count == length || bytes[length] == UInt8(ascii: "/")))
  }

  /// The path seen from the given folder, which must hold it; nil for the folder itself or a path elsewhere.
  package func relative(to folder: EntryPath) -> EntryPath? {
    if folder.isRoot { return self }
    guard isInside(folder), bytes.count > folder.bytes.count else { return nil }
    return EntryPath(unchecked: Array(bytes[(folder.bytes.count + 1)...]))
  }

  /// The path in readable form: see ``ByteText``.
  package var text: String { ByteText.escaped(bytes) }

  package static func < (left: EntryPath, right: EntryPath) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

extension FilePath.Component {
  /// Bytes of the name.
  fileprivate var length: Int {
    withPlatformString { text in
      var count = 0
      while text[count] != 0 { count += 1 }
      return count
    }
  }
}

extension FilePath {
  /// A path of raw bytes, which need not be UTF-8.
  package init(bytes: [UInt8]) {
    self = withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { text in
      for index in bytes.indices { text[index] = CChar(bitPattern: bytes[index]) }
      text[bytes.count] = 0
      // The buffer holds at least its NUL, so there is an address.
      return text.baseAddress.map { FilePath(platformString: $0) } ?? ""
    }
  }

  /// The bytes of the path.
  package var bytes: [UInt8] {
    withPlatformString { Array(UnsafeBufferPointer(start: $0, count: length).map { UInt8(bitPattern: $0) }) }
  }

  /// The path in readable form: see ``ByteText``.
  package var text: String { ByteText.escaped(bytes) }

  /// The directory that holds what the path names; `.` for a single name.
  package var folder: FilePath {
    let folder = removingLastComponent()
    return folder.isEmpty ? "." : folder
  }
}
