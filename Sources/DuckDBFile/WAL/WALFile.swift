package import Files
package import SystemPackage

/// An open WAL and what a pass over it found.
package final class WALFile {
  package let file: OpenFile
  package let identity: FileIdentity
  /// What the pass over the WAL found; nil when the WAL holds nothing but a torn header, which every engine ignores.
  package var scan: WALScan? { scanner?.scan }

  /// The damage behind the last whole entry, in any storage version; nil when there is none, or only a torn end.
  package private(set) var damage: WALDamage?

  /// For the next look at the same WAL; nil when it must begin again.
  package private(set) var progress: WALProgress?

  private let buffer: IOBuffer
  private let head: [UInt8]
  private var scanner: WALScanner?

  /// Opens and reads the WAL.
  ///
  /// Returns nil when there is no WAL.
  ///
  /// - Parameter progress: of an earlier look; what was whole then is not read again.
  /// - Throws: `FormatError` for a header that no DuckDB writes; `SystemError`.
  package static func open(
    _ path: FilePath, after progress: WALProgress? = nil, buffer: IOBuffer, files: any FileSystem
  ) throws -> WALFile? {
    do {
      return try WALFile(try OpenFile(path, mode: [.noFollow], files: files), after: progress, buffer: buffer)
    } catch let error as SystemError where error.call == "openat" && error.errno == .noSuchFileOrDirectory {
      return nil
    }
  }

  /// Reads a WAL that nobody writes to, such as the one in a backup.
  package convenience init(sealed file: OpenFile) throws { try self.init(file, after: nil, buffer: IOBuffer()) }

  private init(_ file: OpenFile, after earlier: WALProgress?, buffer: IOBuffer) throws {
    self.file = file
    self.buffer = buffer
    identity = try file.status().identity
    head = try file.read(count: WALHeader.maximumLength, at: 0)
    guard let header = try WALHeader(parsing: head) else { return }
    if let earlier, try earlier.isBeginning(of: file, identity: identity, head: head) {
      scanner = earlier.scanner
      progress = earlier
    } else {
      scanner = WALScanner(header: header)
    }
    try scanOn()
  }

  /// Looks at what was appended since the last look.
  package func scanAgain() throws {
    scanner?.rewind()
    try scanOn()
  }

  private func scanOn() throws {
    // Only framed WALs have frames to walk: others are told apart by their version.
    guard var scanner, scanner.scan.header.version == 2 else { return }
    let size = try file.status().size
    while !scanner.isDone, scanner.offset < size {
      try Interruption.check()
      let count = try file.read(into: buffer.bytes, at: scanner.offset)
      if count == 0 { break }
      // What was appended since is left for the next look: an entry that it begins would seem to be cut short.
      scanner.consume(buffer.prefix(Int(min(Int64(count), size - scanner.offset))), limit: size)
    }
    scanner.finish()
    self.scanner = scanner
    progress = try WALProgress(scanner, in: file, identity: identity, head: head) ?? progress
    damage = try WALDamage(behind: scanner.scan, in: file, size: size, buffer: buffer)
  }
}
