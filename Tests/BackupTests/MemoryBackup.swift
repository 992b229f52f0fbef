import Backup
import Files
import Foundation
import Stacks
import Store
import Synchronization
import SystemPackage
import TestKit
import Testing

/// A backup that is nowhere but in memory: the second kind of place that everything which reads backups works with.
final class MemoryBackup: StoredBackup {
  private struct Stored: Sendable {
    let path: EntryPath
    let status: FileStatus
    var bytes: [UInt8] = []
    /// Folders sort as if their name ended with `/`.
    var key: [UInt8] { status.kind == .directory ? path.bytes + [UInt8(ascii: "/")] : path.bytes }
  }

  /// Something in it could not be read from where it was copied.
  struct NotWhole: Error {}

  let name: FileName
  let place: FilePath
  private let items: [Stored]
  /// Where it is materialized, once it was asked for.
  private let scratch = Mutex<String?>(nil)

  /// Reads a backup that is a folder.
  init(of folder: FilePath) throws {
    let backup = try DirectoryBackup(folder, files: Kernel())
    (name, place) = (backup.name, backup.place)
    var items: [Stored] = []
    try backup.walk { step in
      switch step {
      case .directory(let item): items.append(Stored(path: item.path, status: item.status))
      case .entry(let item):
        let bytes: [UInt8] =
          switch item.status.kind {
          case .regular: try item.open().read(count: Int(item.status.size), at: 0)
          case .link: try item.target()
          default: []
          }
        items.append(Stored(path: item.path, status: item.status, bytes: bytes))
      case .unreadable: throw NotWhole()
      }
      return true
    }
    self.items = items.sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  deinit {
    if let scratch = scratch.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: scratch) }
  }

  private func stored(_ path: EntryPath) throws(SystemError) -> Stored {
    guard let found = items.first(where: { $0.path == path }) else {
      throw SystemError("openat", errno: .noSuchFileOrDirectory, path: path.text)
    }
    return found
  }

  func status(of path: EntryPath) -> FileStatus? { items.first { $0.path == path }?.status }

  func entries(of folder: EntryPath) -> [DirectoryEntry] {
    items.filter { $0.path.isDirectly(in: folder) }.map { DirectoryEntry(name: $0.path.name, kind: $0.status.kind) }
  }

  func contents(of path: EntryPath) throws(SystemError) -> any ReadableBytes {
    MemoryBytes(try stored(path).bytes)
  }

  func walk(_ visit: (StoredStep) throws -> Bool) throws {
    var left: EntryPath?
    for stored in items {
      if let left, stored.path.isInside(left) { continue }
      let item = Item(stored: stored)
      let isWanted = try visit(stored.status.kind == .directory ? .directory(item) : .entry(item))
      if stored.status.kind == .directory, !isWanted { left = stored.path }
    }
  }

  func materialize(_ path: EntryPath) throws -> FilePath {
    let folder = try scratch.withLock { scratch in
      if let scratch { return scratch }
      let made = NSTemporaryDirectory() + "/hrp-memory-backup-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: made, withIntermediateDirectories: true)
      scratch = made
      return made
    }
    for stored in items where stored.path.isInside(path) {
      let target = URL(fileURLWithPath: folder + "/" + stored.path.text)
      try FileManager.default.createDirectory(
        at: stored.status.kind == .directory ? target : target.deletingLastPathComponent(),
        withIntermediateDirectories: true)
      if stored.status.kind == .regular { try Data(stored.bytes).write(to: target) }
    }
    return FilePath(folder).pushing(FilePath(bytes: path.bytes))
  }

  private struct Item: StoredItem {
    let stored: Stored
    var path: EntryPath { stored.path }
    var status: FileStatus { stored.status }
    func open() -> any ReadableBytes { MemoryBytes(stored.bytes) }
    func target() -> [UInt8] { stored.bytes }
  }
}

/// Bytes in memory.
private final class MemoryBytes: ReadableBytes {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
    let part = bytes.dropFirst(Int(offset)).prefix(buffer.count)
    buffer.copyBytes(from: part)
    return part.count
  }
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64, ofSize size: Int64) -> Int {
    read(into: buffer, at: offset)
  }
  func passCache(size: Int64) {}
  func close() {}
}

extension Verification {
  /// Verifies the backup where it lies, and once more out of memory: both say the same.
  func verify(
    _ path: FilePath, level: VerificationLevel, isRecorded: Bool = false, files: any FileSystem = Kernel(),
    andFromMemory: Bool = true
  ) throws -> VerificationReport {
    let report = try verify(DirectoryBackup(path, files: files), level: level, isRecorded: isRecorded)
    guard andFromMemory, let memory = try? MemoryBackup(of: path) else { return report }
    let again = try Verification(files: Kernel(), time: SystemTime(), events: EventStream())
      .verify(memory, level: level)
    #expect(again.findings.map { [$0.kind.rawValue, $0.file] } == report.findings.map { [$0.kind.rawValue, $0.file] })
    #expect(again.level == report.level && again.filesChecked == report.filesChecked)
    return report
  }
}

extension RestoreRun {
  /// Restores a backup that is a folder.
  init(
    _ path: FilePath, to target: RestoreTarget, request: Request = Request(), protecting: [FilePath] = [],
    files: any FileSystem, time: any TimeSource, events: EventStream
  ) throws {
    self.init(
      try DirectoryBackup(path, files: files), to: target, request: request, protecting: protecting, files: files,
      time: time, events: events)
  }
}
