package import Files
package import SystemPackage

// A copy of an encrypted database. Without the key neither header, free list, block checksums nor markers of the WAL
// can be read (docs/formats/duckdb.md §6.7), so a copy beside a writer could not be told to be right. Hence:
//
//   E1  Nobody has the file open for writing, before the first byte is read and after the last. Where that cannot be
//       told (`WriterPresence`), the files must not have changed for 30 s.
//   E2  The WALs are read before the main file, all as they lie: also `.wal.checkpoint`, which a checkpoint that died
//       left and the engine merges.
//   E3  Afterwards, main file and WALs are the same files with the same sizes and times, the raw headers have the same
//       bytes, and a WAL that was missing is still missing. Otherwise everything is copied again. Example: a program
//       opens the database, makes a checkpoint and closes it while the main file is read. At the end there is no writer
//       (E1), but header and times have changed, so the copy begins again.

/// Copies an encrypted database that nobody writes to.
package final class EncryptedCopy {
  /// How often a copy is begun anew when the database changed meanwhile.
  private static let attempts = 5

  /// E1.
  private static let quietNanoseconds: Int64 = 30_000_000_000

  private let database: DatabaseFile
  private let name: FilePath
  private let directory: Descriptor
  private let permissions: UInt16
  private let observer: (any WriteObserver)?
  private let progress: (Int64) -> Void
  private let buffer = IOBuffer(size: 1 << 20)
  private var files: any FileSystem { database.file.files }

  /// Prepares a copy into new files of a directory: `name`, and its WALs beside it where there are any.
  package init(
    of database: DatabaseFile, to name: FilePath, at directory: Descriptor, permissions: UInt16 = 0o644,
    observer: (any WriteObserver)? = nil, progress: @escaping (Int64) -> Void = { _ in }
  ) {
    self.database = database
    self.name = name
    self.directory = directory
    self.permissions = permissions
    self.observer = observer
    self.progress = progress
  }

  /// Copies; the files are complete but not yet durable.
  /// - Throws: `HotCopyError`: `.encryptedInUse`, `.doesNotSettle`; `SystemError`; `Interruption.Stopped`.
  package func run() throws -> HotCopy.Result {
    for pass in 1...Self.attempts {
      if let result = try attempt(pass) { return result }
      for suffix in ["", ".wal", ".wal.checkpoint"] {
        try files.removeTree(FilePath(name.string + suffix), at: directory)
      }
    }
    throw HotCopyError.doesNotSettle(database.path, "it changed in each of \(Self.attempts) attempts")
  }

  private func attempt(_ pass: Int) throws -> HotCopy.Result? {
    try checkNoWriter()
    let base = try database.walBase()
    let before = try look(base)
    let main = try database.mainHeader()
    let wal = try copyWAL(WALNames.wal(of: base), to: WALNames.wal(of: name))
    let checkpointWAL = try copyWAL(WALNames.checkpointWAL(of: base), to: WALNames.checkpointWAL(of: name))
    let size = try copy(database.file, to: name, observer: observer)
    try checkNoWriter()
    guard try look(base) == before, try database.isStillInPlace() else { return nil }
    return HotCopy.Result(
      method: .verbatim, iteration: wal.header?.iteration, storageVersion: main.storageVersion,
      libraryVersion: main.libraryVersion, blockSize: 0, blocksInUse: 0, blocksFree: 0, walBytes: wal.size,
      checkpointWALBytes: checkpointWAL.size, passes: pass, flips: 0, restarts: pass - 1, byteCount: size)
  }

  /// E1.
  private func checkNoWriter() throws {
    while true {
      switch try database.writerPresence() {
      case .nobody: return
      case .writer(let pid):
        throw HotCopyError.encryptedInUse(
          database.path, writer: pid ?? 0, program: pid.flatMap { OtherProcess.program(of: $0) })
      case .unknown:
        // A clock that is behind the file's makes it young for longer; the change itself makes the copy begin anew.
        let age = database.time.nowNanoseconds - (try database.lastChange())
        if age >= Self.quietNanoseconds { return }
        try Interruption.check()
        database.time.sleep(.milliseconds(500))
      }
    }
  }

  /// Everything by which a change shows (E3).
  private struct Look: Equatable {
    let headers: [UInt8]
    let main: FileStatus
    let wals: [FileStatus?]
  }

  private func look(_ base: FilePath) throws -> Look {
    Look(
      headers: try database.file.read(count: Int(HeaderPair.end), at: 0), main: try database.file.status(),
      wals: try [WALNames.wal(of: base), WALNames.checkpointWAL(of: base)].map {
        try files.exists($0) ? files.status($0, at: nil) : nil
      })
  }

  private func copyWAL(_ source: FilePath, to target: FilePath) throws -> (size: Int64, header: WALHeader?) {
    do {
      let file = try OpenFile(source, mode: [.noFollow], files: files)
      let bytes = try file.read(count: WALHeader.maximumLength, at: 0)
      // A header that cannot be read is copied as it lies; it only names the checkpoint in the report.
      let header = parsed { try WALHeader(parsing: bytes) } ?? nil
      return (try copy(file, to: target, observer: nil), header)
    } catch let error as SystemError where error.errno == .noSuchFileOrDirectory {
      return (0, nil)
    }
  }

  private func copy(_ source: OpenFile, to name: FilePath, observer: (any WriteObserver)?) throws -> Int64 {
    let size = try source.status().size
    let target = CopyTarget(
      try TargetFile(name, at: directory, permissions: permissions, expectedBytes: size, files: files),
      observer: observer)
    var offset: Int64 = 0
    while offset < size {
      try Interruption.check()
      let count = try source.read(into: buffer.bytes, at: offset, ofSize: size)
      if count == 0 { break }
      try target.write(buffer.prefix(count), at: offset)
      offset += Int64(count)
      progress(Int64(count))
    }
    try target.file.close()
    return offset
  }
}
