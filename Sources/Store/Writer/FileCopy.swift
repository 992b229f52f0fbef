package import Files
internal import SystemPackage

/// Copies one file that others may be writing to, with a quick hash of what it wrote.
package final class FileCopy {
  /// How often a file that changes is read again.
  private static let attempts = 4

  /// What became of a file.
  enum Outcome {
    case copied(Copied)
    /// It was there when the folder was listed, and is gone now: it is left out.
    case gone
    /// It became a symlink or something else.
    case notAFile
  }

  /// The source could not be read: named in the backup, which goes on.
  ///
  /// A failure of the target ends it.
  package struct Unreadable: Error { package let error: SystemError }

  package struct Copied {
    let quick: QuickHash
    let size: Int64
    /// The source as it was before it was read.
    let source: FileStatus
    /// When it was read, in nanoseconds since 1970 UTC.
    let readNanoseconds: Int64
    /// Whether it changed while it was read, every time.
    package let isUnstable: Bool
    /// The names of its extended attributes, which are not copied.
    package let attributes: [String]
    /// The first bytes, for those who look into small files.
    package let head: [UInt8]
  }

  private let buffer = IOBuffer(size: 1 << 20)
  private let files: any FileSystem
  private let time: any TimeSource
  private let progress: (Int64) -> Void

  init(files: any FileSystem, time: any TimeSource, progress: @escaping (Int64) -> Void) {
    self.files = files
    self.time = time
    self.progress = progress
  }

  /// Copies a source into a new file of the same name.
  /// - Parameter keepsHead: whether the first 64 KiB are wanted.
  /// - Throws: `Unreadable` for the source, `SystemError` for the target; nothing is left of the target.
  func copy(
    _ entry: TreeEntry, to directory: Descriptor, displayPath: FilePath, keepsHead: Bool
  ) throws -> Outcome {
    for attempt in 1...Self.attempts {
      let source: OpenFile
      do throws(SystemError) {
        source = try OpenFile(
          entry.name, at: entry.directory, mode: [.noFollow], displayPath: displayPath, files: files)
      } catch {
        if error.errno == .noSuchFileOrDirectory { return .gone }
        if error.errno == .tooManySymbolicLinkLevels { return .notAFile }
        throw Unreadable(error: error)
      }
      let before = try reading { () throws(SystemError) in try source.status() }
      guard before.kind == .regular else { return .notAFile }
      let attributes = try reading { () throws(SystemError) in try files.attributeNames(of: source.descriptor) }
      let now = time.nowNanoseconds
      let (quick, size, head) = try write(
        source, status: before, name: entry.name, directory: directory, keepsHead: keepsHead)
      let after: FileStatus
      do {
        after = try reading { () throws(SystemError) in try source.status() }
      } catch {
        // A copy that cannot be checked against its source is no part of the backup, so it is removed.
        try files.remove(entry.name, at: directory)
        throw error
      }
      let held = after.isUnchanged(since: before) && size == before.size
      try source.close()
      if held || attempt == Self.attempts {
        return .copied(
          Copied(
            quick: quick, size: size, source: before, readNanoseconds: now, isUnstable: !held,
            attributes: attributes.filter(Self.isOfUser), head: head))
      }
      try files.remove(entry.name, at: directory)
    }
    preconditionFailure("The last attempt returns.")
  }

  /// The quick hash of a file of so many bytes that stands still.
  func hash(of file: OpenFile, size: Int64) throws -> QuickHash {
    try file.passCache(size: size)
    let stream = QuickHashStream()
    try file.visit(size: size, by: buffer) { bytes, _ in stream.update(bytes) }
    return stream.finalize()
  }

  private func write(
    _ source: OpenFile, status: FileStatus, name: FilePath, directory: Descriptor, keepsHead: Bool
  ) throws -> (QuickHash, Int64, [UInt8]) {
    let target = try TargetFile(
      name, at: directory, permissions: Self.permissions(of: status), expectedBytes: status.size, files: files)
    do {
      // Made in one step where all of the file is there at once.
      var quick: QuickHash?
      let stream = status.size > Int64(buffer.bytes.count) ? QuickHashStream() : nil
      var offset: Int64 = 0
      var head: [UInt8] = []
      // What grows meanwhile is seen by the look at the source afterwards.
      while offset < status.size {
        try Interruption.check()
        let count = try reading { () throws(SystemError) in
          try source.read(into: buffer.bytes, at: offset, ofSize: status.size)
        }
        if count == 0 { break }
        let bytes = buffer.prefix(count)
        if keepsHead, offset == 0 { head = Array(bytes.prefix(65_536)) }
        if let stream { stream.update(bytes) } else { quick = QuickHash(of: bytes) }
        try target.write(bytes, at: offset)
        offset += Int64(count)
        progress(Int64(count))
      }
      try files.setModified(target.file.descriptor, nanoseconds: status.modifiedNanoseconds)
      try target.file.close()
      return (stream?.finalize() ?? quick ?? .ofNothing, offset, head)
    } catch {
      // What failed is told; what it left is hidden, and goes with the backup in the making if it stays.
      ignoringFailure { try files.remove(name, at: directory) }
      throw error
    }
  }

  /// Whether somebody set an extended attribute; not: the system itself, which sets its own again.
  package static func isOfUser(_ name: String) -> Bool {
    let ofSystem = [
      "security.selinux", "security.ima", "security.evm", "trusted.", "com.apple.provenance", "com.apple.quarantine",
      "com.apple.lastuseddate", "com.apple.macl",
    ]
    return !ofSystem.contains { name.hasPrefix($0) }
  }

  private func reading<Result>(_ body: () throws(SystemError) -> Result) throws(Unreadable) -> Result {
    do throws(SystemError) { return try body() } catch { throw Unreadable(error: error) }
  }

  /// Readable by those who could read the source, writable by nobody: 0444 for an ordinary file.
  package static func permissions(of status: FileStatus) -> UInt16 { status.permissions & 0o444 | 0o400 }
}
