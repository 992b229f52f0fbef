internal import Files
internal import SystemPackage

/// What was written into a backup in the making, file by file in the order of the paths, until its lists are written.
///
/// It lies in a file without a name, so a backup of any number of files takes the same memory. A record has the SHA-256
/// of a file (zeros until it is read back), its quick hash, its size, whether the SHA-256 is known, and its path.
final class WrittenFiles {
  /// A file that must be read back.
  struct Unread {
    let path: EntryPath
    let size: Int64
    let quick: QuickHash
    /// Where its SHA-256 goes in the bytes of its region.
    let place: Int
  }

  /// Some records that follow each other.
  struct Region {
    fileprivate let offset: Int64
    fileprivate(set) var bytes: [UInt8]
    /// Those of its files that must be read back.
    fileprivate(set) var unread: [Unread]

    /// Notes what a file gave when it was read back.
    mutating func note(_ digest: Digest, at place: Int) {
      bytes.replaceSubrange(place..<(place + Layout.digest.upperBound), with: digest.bytes)
    }
  }

  /// Where the fields of a record lie; the path follows them.
  private enum Layout {
    static let digest = 0..<32
    static let quickLow = 32
    static let quickHigh = 40
    static let size = 48
    static let isKnown = 56
    static let pathLength = 57
    static let path = 59
  }

  /// A region ends when it has so many files to be read back, or so many of their bytes.
  static let maximumUnread = BatchRead.maximumCount
  static let maximumUnreadBytes: Int64 = 1 << 20
  private static let maximumRegionBytes = 256 << 10
  private static let name: FilePath = ".written"

  private let file: OpenFile
  private var pending: [UInt8] = []
  private var end: Int64 = 0
  private(set) var count = 0
  private(set) var sizeBytes: Int64 = 0

  /// - Parameter directory: where the file lies; its name is gone when this returns.
  init(at directory: Descriptor, files: any FileSystem) throws(SystemError) {
    file = try OpenFile(
      Self.name, at: directory, mode: [.write, .create, .exclusive], permissions: 0o600, files: files)
    try files.remove(Self.name, at: directory)
  }

  /// Adds a file that was written and is to be read back.
  func add(_ path: EntryPath, size: Int64, quick: QuickHash) throws(SystemError) {
    try add(path, size: size, digest: nil, quick: quick)
  }

  /// Adds a file whose SHA-256 is known: it is shared with a backup that read it back.
  func add(_ path: EntryPath, size: Int64, digest: Digest) throws(SystemError) {
    try add(path, size: size, digest: digest, quick: QuickHash(low: 0, high: 0))
  }

  private func add(_ path: EntryPath, size: Int64, digest: Digest?, quick: QuickHash) throws(SystemError) {
    pending.append(contentsOf: digest?.bytes ?? [UInt8](repeating: 0, count: Layout.digest.count))
    append(quick.low)
    append(quick.high)
    append(UInt64(bitPattern: size))
    pending.append(digest == nil ? 0 : 1)
    append(UInt16(path.bytes.count))
    pending.append(contentsOf: path.bytes)
    count += 1
    sizeBytes += size
    if pending.count >= 64 << 10 { try flush() }
  }

  /// Writes what is still in memory: from here on nothing is added.
  func finishAdding() throws(SystemError) { try flush() }

  /// Visits the records in order, region by region.
  func regions(_ visit: (Region) throws -> Void) throws {
    var region = Region(offset: 0, bytes: [], unread: [])
    var unreadBytes: Int64 = 0
    try records { record in
      let (path, size) = try (record.path(), record.size)
      if !record.isKnown {
        let quick = QuickHash(low: record.word(at: Layout.quickLow), high: record.word(at: Layout.quickHigh))
        region.unread.append(Unread(path: path, size: size, quick: quick, place: region.bytes.count))
        unreadBytes += size
      }
      region.bytes += record.bytes
      if region.unread.count >= Self.maximumUnread || unreadBytes >= Self.maximumUnreadBytes
        || region.bytes.count >= Self.maximumRegionBytes
      {
        try visit(region)
        region = Region(offset: region.offset + Int64(region.bytes.count), bytes: [], unread: [])
        unreadBytes = 0
      }
    }
    if !region.bytes.isEmpty { try visit(region) }
  }

  /// Keeps the SHA-256 that were noted in a region.
  func keep(_ region: Region) throws(SystemError) { try file.write(region.bytes, at: region.offset) }

  /// Visits all files in order, with their SHA-256.
  func visit(_ body: (EntryPath, Digest) throws -> Void) throws {
    try records { record in try body(record.path(), record.digest) }
  }

  // MARK: - Bytes

  private struct Record {
    let bytes: ArraySlice<UInt8>

    func word(at place: Int) -> UInt64 {
      bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: UInt64.self) }
    }
    var isKnown: Bool { bytes[bytes.startIndex + Layout.isKnown] == 1 }
    var size: Int64 { Int64(bitPattern: word(at: Layout.size)) }
    var digest: Digest {
      bytes.withUnsafeBytes { Digest(bytes: UnsafeRawBufferPointer(rebasing: $0[Layout.digest])) }
    }

    /// - Throws: `SystemError` when these are not the bytes that were written.
    func path() throws(SystemError) -> EntryPath {
      guard let path = EntryPath(validating: Array(bytes.dropFirst(Layout.path))) else {
        throw SystemError("pread", errno: .ioError)
      }
      return path
    }
  }

  private func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number) { pending.append(contentsOf: $0) }
  }

  private func flush() throws(SystemError) {
    try file.write(pending, at: end)
    end += Int64(pending.count)
    pending.removeAll(keepingCapacity: true)
  }

  private func records(_ visit: (Record) throws -> Void) throws {
    var (offset, rest): (Int64, [UInt8]) = (0, [])
    while offset < end || !rest.isEmpty {
      let more = try file.read(count: 64 << 10, at: offset)
      offset += Int64(more.count)
      rest += more
      var start = 0
      while let record = Self.record(in: rest[start...]) {
        try visit(record)
        start += record.bytes.count
      }
      rest.removeFirst(start)
      if more.isEmpty, !rest.isEmpty { throw SystemError("pread", errno: .ioError) }
    }
  }

  /// The record at the beginning of the bytes; nil when not all of it is there.
  private static func record(in bytes: ArraySlice<UInt8>) -> Record? {
    guard bytes.count >= Layout.path else { return nil }
    let length = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: Layout.pathLength, as: UInt16.self) }
    let count = Layout.path + Int(length)
    return bytes.count < count ? nil : Record(bytes: bytes[bytes.startIndex..<(bytes.startIndex + count)])
  }
}
