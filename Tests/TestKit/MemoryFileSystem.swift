package import Files
package import Foundation
import Synchronization
package import SystemPackage

/// A file system in memory that keeps what is volatile apart from what is durable, and can lose its power.
///
/// A change of names is durable when one of its directories was synchronized after it, contents when their file was. At
/// a loss of power any subset of the other changes of names is lost, and any of the other pages that were written.
/// Renames and exchanges are one change each. Links are not followed: there are none.
package final class MemoryFileSystem: FileSystem {
  private struct Node {
    var kind: FileKind
    var permissions: UInt16
    var modified: Int64
    var changed: Int64
    var data: [UInt8] = []
    var durable: [UInt8] = []
    var entries: [String: Int] = [:]
    var durableEntries: [String: Int] = [:]
    var lock: (holder: Int32, isExclusive: Bool)?

    mutating func keepContents() { durable = data }
    mutating func keepNames() { durableEntries = entries }
  }

  /// One change of names that is not durable yet.
  private struct Change {
    var entries: [(directory: Int, name: String, node: Int?)]
  }

  private struct State {
    var nodes: [Int: Node] = [1: Node(kind: .directory, permissions: 0o755, modified: 1, changed: 1)]
    var next = 2
    var open: [Int32: Int] = [:]
    var nextDescriptor: Int32 = 1_000_000
    var changes: [Change] = []
    var clock: Int64 = 1_700_000_000_000_000_000
    var calls = 0
    var failsFrom = Int.max
  }

  private static let pageSize = 4096
  private static let devices = Mutex<UInt64>(0xFEED_0000)
  private let state = Mutex(State())
  /// No two of these file systems are one, whatever their inodes.
  private let device: UInt64

  package init() {
    device = Self.devices.withLock { last in
      last += 1
      return last
    }
  }

  /// From this call on, counted from now, nothing works any more: the power is gone.
  package func losePower(atCall number: Int) {
    state.withLock {
      $0.calls = 0
      $0.failsFrom = number
    }
  }

  /// Whether the power was lost.
  package var isDown: Bool { state.withLock { $0.calls >= $0.failsFrom } }

  /// What is there when the power is back: what was durable, and of the rest what chance left.
  package func restart(seed: UInt64) {
    var random = Random(seed)
    state.withLock { state in
      for id in state.nodes.keys.sorted() {
        guard var node = state.nodes[id] else { continue }
        node.entries = node.durableEntries
        node.data = Self.survivors(node, &random)
        node.durable = node.data
        node.lock = nil
        state.nodes[id] = node
      }
      for change in state.changes where random.coin() {
        for (directory, name, target) in change.entries { state.nodes[directory]?.entries[name] = target }
      }
      for id in state.nodes.keys { state.nodes[id]?.keepNames() }
      state.changes = []
      state.open = [:]
      state.failsFrom = .max
    }
  }

  private static func survivors(_ node: Node, _ random: inout Random) -> [UInt8] {
    if node.data == node.durable { return node.data }
    var data = random.coin() ? node.data : Array(node.data.prefix(max(node.durable.count, node.data.count / 2)))
    for start in stride(from: 0, to: data.count, by: pageSize) where random.coin() {
      for index in start..<min(start + pageSize, data.count) {
        data[index] = index < node.durable.count ? node.durable[index] : 0
      }
    }
    return data
  }

  /// A generator that gives the same for the same seed.
  private struct Random {
    private var value: UInt64
    init(_ seed: UInt64) { value = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func coin() -> Bool {
      value ^= value << 13
      value ^= value >> 7
      value ^= value << 17
      return value & 0x1_0000 != 0
    }
  }

  // MARK: - Filling and looking

  /// Copies a real folder into this file system, durable.
  package func load(_ folder: String, at path: String) throws {
    for name in FileManager.default.enumerator(atPath: folder)?.compactMap({ $0 as? String }).sorted() ?? [] {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: folder + "/" + name, isDirectory: &isFolder)
      let target = FilePath(path + "/" + name)
      try makeDirectories(target.removingLastComponent())
      if isFolder.boolValue {
        try makeDirectories(target)
      } else {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
        let file = try OpenFile(target, mode: [.write, .create], files: self)
        try file.write(bytes, at: 0)
        try file.close()
      }
    }
    _ = try synchronizeFileSystem(of: Descriptor(number: 0))
  }

  /// Paths and contents of all files below a path.
  package func contents(of path: String) -> [String: Data] {
    state.withLock { state in
      var found: [String: Data] = [:]
      func visit(_ id: Int, _ path: String) {
        guard let node = state.nodes[id] else { return }
        if node.kind != .directory { found[path] = Data(node.data) }
        for (name, child) in node.entries { visit(child, path.isEmpty ? name : path + "/" + name) }
      }
      if let root = try? Self.find(FilePath(path), at: nil, state) { visit(root, "") }
      return found
    }
  }

  // MARK: - Names

  private func call<Result>(_ body: (inout State) throws(SystemError) -> Result) throws(SystemError) -> Result {
    let result = state.withLock { state -> Swift.Result<Result, SystemError> in
      state.calls += 1
      if state.calls >= state.failsFrom { return .failure(SystemError("power", errno: .ioError)) }
      do throws(SystemError) { return .success(try body(&state)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private static func base(_ path: FilePath, at directory: Descriptor?, _ state: State) throws(SystemError) -> Int {
    if path.isAbsolute { return 1 }
    guard let directory, let id = state.open[directory.number] else {
      throw SystemError("openat", errno: .badFileDescriptor)
    }
    return id
  }

  private static func find(_ path: FilePath, at directory: Descriptor?, _ state: State) throws(SystemError) -> Int {
    var id = try base(path, at: directory, state)
    for component in path.components where component.string != "." {
      guard let node = state.nodes[id], node.kind == .directory else {
        throw SystemError("openat", errno: .notDirectory, path: path.string)
      }
      guard let next = node.entries[component.string] else {
        throw SystemError("openat", errno: .noSuchFileOrDirectory, path: path.string)
      }
      id = next
    }
    return id
  }

  private static func parent(
    _ path: FilePath, at directory: Descriptor?, _ state: State
  ) throws(SystemError) -> (Int, String) {
    let folder = path.removingLastComponent()
    let id = folder.isEmpty ? try base(path, at: directory, state) : try find(folder, at: directory, state)
    return (id, path.lastComponent?.string ?? "")
  }

  private static func change(_ entries: [(directory: Int, name: String, node: Int?)], _ state: inout State) {
    state.clock += 1000
    for (directory, name, node) in entries {
      state.nodes[directory]?.entries[name] = node
      state.nodes[directory]?.modified = state.clock
    }
    state.changes.append(Change(entries: entries))
  }

  package func open(_ path: FilePath, at directory: Descriptor?, mode: OpenMode, permissions: UInt16)
    throws(SystemError) -> Descriptor
  {
    try call { (state) throws(SystemError) in
      let (parent, name) = try Self.parent(path, at: directory, state)
      var id = name.isEmpty || name == "." ? parent : state.nodes[parent]?.entries[name]
      if id != nil, mode.contains(.exclusive) { throw SystemError("openat", errno: .fileExists, path: path.string) }
      if id == nil, mode.contains(.create) {
        id = Self.make(Node(kind: .regular, permissions: permissions, modified: 0, changed: 0), parent, name, &state)
      }
      guard let id, let node = state.nodes[id] else {
        throw SystemError("openat", errno: .noSuchFileOrDirectory, path: path.string)
      }
      if mode.contains(.directory), node.kind != .directory {
        throw SystemError("openat", errno: .notDirectory, path: path.string)
      }
      state.nextDescriptor += 1
      state.open[state.nextDescriptor] = id
      return Descriptor(number: state.nextDescriptor)
    }
  }

  private static func make(_ node: Node, _ parent: Int, _ name: String, _ state: inout State) -> Int {
    let id = state.next
    state.next += 1
    state.nodes[id] = node
    state.nodes[id]?.modified = state.clock
    state.nodes[id]?.changed = state.clock
    change([(parent, name, id)], &state)
    return id
  }

  package func close(_ descriptor: Descriptor) throws(SystemError) {
    state.withLock { state in
      guard let id = state.open.removeValue(forKey: descriptor.number) else { return }
      if state.nodes[id]?.lock?.holder == descriptor.number { state.nodes[id]?.lock = nil }
    }
    try call { (_) throws(SystemError) in }
  }

  private func node<Result>(
    _ descriptor: Descriptor, _ body: (inout Node, inout State) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    try call { (state) throws(SystemError) in
      guard let id = state.open[descriptor.number], var node = state.nodes[id] else {
        throw SystemError("fstat", errno: .badFileDescriptor)
      }
      let result = try body(&node, &state)
      state.nodes[id] = node
      return result
    }
  }

  package func read(_ descriptor: Descriptor, into bytes: UnsafeMutableRawBufferPointer, at offset: Int64)
    throws(SystemError) -> Int
  {
    let data = try node(descriptor) { (node, _) throws(SystemError) in node.data }
    guard offset < data.count else { return 0 }
    let count = min(bytes.count, data.count - Int(offset))
    data[Int(offset)..<(Int(offset) + count)].withUnsafeBytes { bytes.copyMemory(from: $0) }
    return count
  }

  package func write(_ descriptor: Descriptor, bytes: UnsafeRawBufferPointer, at offset: Int64)
    throws(SystemError) -> Int
  {
    let bytes = Array(bytes)
    return try node(descriptor) { (node, state) throws(SystemError) in
      let end = Int(offset) + bytes.count
      if node.data.count < end { node.data += [UInt8](repeating: 0, count: end - node.data.count) }
      node.data.replaceSubrange(Int(offset)..<end, with: bytes)
      state.clock += 1000
      node.modified = state.clock
      node.changed = state.clock
      return bytes.count
    }
  }

  package func append(_ descriptor: Descriptor, bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
    let size = try node(descriptor) { (node, _) throws(SystemError) in node.data.count }
    return try write(descriptor, bytes: bytes, at: Int64(size))
  }

  private func status(_ id: Int, _ node: Node, _ state: State) -> FileStatus {
    let names = state.nodes.values.reduce(0) { $0 + $1.entries.values.count { $0 == id } }
    return FileStatus(
      kind: node.kind, permissions: node.permissions, size: Int64(node.data.count),
      allocatedBytes: Int64(node.data.count), modifiedNanoseconds: node.modified, changedNanoseconds: node.changed,
      identity: FileIdentity(device: device, inode: UInt64(id)), linkCount: UInt64(names))
  }

  package func status(of descriptor: Descriptor) throws(SystemError) -> FileStatus {
    try call { (state) throws(SystemError) in
      guard let id = state.open[descriptor.number], let node = state.nodes[id] else {
        throw SystemError("fstat", errno: .badFileDescriptor)
      }
      return self.status(id, node, state)
    }
  }

  package func status(_ path: FilePath, at directory: Descriptor?) throws(SystemError) -> FileStatus {
    try call { (state) throws(SystemError) in
      let id = try Self.find(path, at: directory, state)
      return self.status(id, state.nodes[id] ?? Node(kind: .unknown, permissions: 0, modified: 0, changed: 0), state)
    }
  }

  package func entries(of directory: Descriptor) throws(SystemError) -> [DirectoryEntry] {
    try call { (state) throws(SystemError) in
      guard let id = state.open[directory.number], let node = state.nodes[id] else {
        throw SystemError("readdir", errno: .badFileDescriptor)
      }
      return node.entries.sorted { $0.key > $1.key }.map { name, child in
        DirectoryEntry(name: FileName(name), kind: state.nodes[child]?.kind ?? .unknown)
      }
    }
  }

  package func makeDirectory(_ path: FilePath, at directory: Descriptor?, permissions: UInt16) throws(SystemError) {
    try call { (state) throws(SystemError) in
      let (parent, name) = try Self.parent(path, at: directory, state)
      guard state.nodes[parent]?.entries[name] == nil, !name.isEmpty else {
        throw SystemError("mkdirat", errno: .fileExists, path: path.string)
      }
      _ = Self.make(Node(kind: .directory, permissions: permissions, modified: 0, changed: 0), parent, name, &state)
    }
  }

  package func makeLink(_ path: FilePath, at directory: Descriptor?, target: [UInt8]) throws(SystemError) {
    throw SystemError("symlinkat", errno: .notSupported)
  }

  package func linkTarget(_ path: FilePath, at directory: Descriptor?) throws(SystemError) -> [UInt8] {
    throw SystemError("readlinkat", errno: .invalidArgument)
  }

  package func makeHardLink(
    _ path: FilePath, at directory: Descriptor?, to source: FilePath, at sourceDirectory: Descriptor?
  ) throws(SystemError) {
    try call { (state) throws(SystemError) in
      let id = try Self.find(source, at: sourceDirectory, state)
      let (parent, name) = try Self.parent(path, at: directory, state)
      guard state.nodes[parent]?.entries[name] == nil else {
        throw SystemError("linkat", errno: .fileExists, path: path.string)
      }
      Self.change([(parent, name, id)], &state)
    }
  }

  package func remove(_ path: FilePath, at directory: Descriptor?) throws(SystemError) {
    try unlink(path, at: directory)
  }

  package func removeDirectory(_ path: FilePath, at directory: Descriptor?) throws(SystemError) {
    try unlink(path, at: directory)
  }

  private func unlink(_ path: FilePath, at directory: Descriptor?) throws(SystemError) {
    try call { (state) throws(SystemError) in
      let id = try Self.find(path, at: directory, state)
      guard state.nodes[id]?.entries.isEmpty == true else { throw SystemError("unlinkat", errno: .directoryNotEmpty) }
      let (parent, name) = try Self.parent(path, at: directory, state)
      Self.change([(parent, name, nil)], &state)
    }
  }

  package func renameNew(_ source: FilePath, at from: Descriptor?, to target: FilePath, at to: Descriptor?)
    throws(SystemError)
  {
    try rename(source, from, target, to, isReplacing: false)
  }

  package func renameReplacing(
    _ source: FilePath, at from: Descriptor?, to target: FilePath, at to: Descriptor?
  ) throws(SystemError) {
    try rename(source, from, target, to, isReplacing: true)
  }

  private func rename(
    _ source: FilePath, _ from: Descriptor?, _ target: FilePath, _ to: Descriptor?, isReplacing: Bool
  ) throws(SystemError) {
    try call { (state) throws(SystemError) in
      let id = try Self.find(source, at: from, state)
      let (old, oldName) = try Self.parent(source, at: from, state)
      let (new, newName) = try Self.parent(target, at: to, state)
      if !isReplacing, state.nodes[new]?.entries[newName] != nil {
        throw SystemError("renameat2", errno: .fileExists, path: target.string)
      }
      if isReplacing, let there = state.nodes[new]?.entries[newName], state.nodes[there]?.kind == .directory {
        guard state.nodes[id]?.kind == .directory else {
          throw SystemError("renameat", errno: .isDirectory, path: target.string)
        }
        guard state.nodes[there]?.entries.isEmpty == true else {
          throw SystemError("renameat", errno: .directoryNotEmpty, path: target.string)
        }
      }
      Self.change([(old, oldName, nil), (new, newName, id)], &state)
    }
  }

  package func exchange(
    _ first: FilePath, at firstDirectory: Descriptor?, with second: FilePath, at secondDirectory: Descriptor?
  ) throws(SystemError) -> Bool {
    try call { (state) throws(SystemError) in
      let (one, other) = (
        try Self.find(first, at: firstDirectory, state), try Self.find(second, at: secondDirectory, state)
      )
      let (place, name) = try Self.parent(first, at: firstDirectory, state)
      let (otherPlace, otherName) = try Self.parent(second, at: secondDirectory, state)
      Self.change([(place, name, other), (otherPlace, otherName, one)], &state)
      return true
    }
  }

  // MARK: - Durability

  package func synchronize(_ descriptor: Descriptor) throws(SystemError) {
    try call { (state) throws(SystemError) in
      guard let id = state.open[descriptor.number] else { throw SystemError("fsync", errno: .badFileDescriptor) }
      state.nodes[id]?.keepContents()
      Self.settle(&state) { change in change.entries.contains { $0.directory == id } }
    }
  }

  package func synchronizeContents(_ descriptor: Descriptor) throws(SystemError) { try synchronize(descriptor) }

  package func synchronizeFileSystem(of descriptor: Descriptor) throws(SystemError) -> Bool {
    try call { (state) throws(SystemError) in
      for id in state.nodes.keys { state.nodes[id]?.keepContents() }
      Self.settle(&state) { _ in true }
      return true
    }
  }

  private static func settle(_ state: inout State, _ isDurable: (Change) -> Bool) {
    for change in state.changes where isDurable(change) {
      for (directory, name, node) in change.entries { state.nodes[directory]?.durableEntries[name] = node }
    }
    state.changes.removeAll(where: isDurable)
  }

  // MARK: - The rest

  package func startWriteback(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError) {}
  package func waitForWriteback(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError) {}
  package func bypassCache(of descriptor: Descriptor, _ isOn: Bool) throws(SystemError) -> Bool { false }
  package func clone(_ source: Descriptor, to name: FilePath?, at directory: Descriptor, permissions: UInt16)
    throws(SystemError) -> Descriptor?
  { nil }
  package func dropCache(of descriptor: Descriptor) throws(SystemError) {}
  package func truncate(_ descriptor: Descriptor, to length: Int64) throws(SystemError) {
    try node(descriptor) { (node, _) throws(SystemError) in
      let count = Int(length)
      node.data = Array(node.data.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - node.data.count))
    }
  }
  package func punchHole(_ descriptor: Descriptor, offset: Int64, length: Int64) throws(SystemError) {
    throw SystemError("fallocate", errno: .notSupported)
  }
  package func setPermissions(_ descriptor: Descriptor, to permissions: UInt16) throws(SystemError) {
    try node(descriptor) { (node, _) throws(SystemError) in node.permissions = permissions }
  }
  package func setOwner(_ descriptor: Descriptor, to owner: FileOwner) throws(SystemError) {}
  package func setOwner(_ path: FilePath, at directory: Descriptor?, to owner: FileOwner) throws(SystemError) {}
  package func setModified(_ descriptor: Descriptor, nanoseconds: Int64) throws(SystemError) {
    try node(descriptor) { (node, _) throws(SystemError) in node.modified = nanoseconds }
  }
  package func setModified(_ path: FilePath, at directory: Descriptor?, nanoseconds: Int64) throws(SystemError) {
    try call { (state) throws(SystemError) in
      state.nodes[try Self.find(path, at: directory, state)]?.modified = nanoseconds
    }
  }
  package func space(of descriptor: Descriptor) throws(SystemError) -> FileSystemSpace {
    FileSystemSpace(availableBytes: 1 << 40, totalBytes: 1 << 41)
  }
  package func lock(_ descriptor: Descriptor, kind: LockKind) throws(SystemError) -> Bool {
    try node(descriptor) { (node, _) throws(SystemError) in
      if let lock = node.lock, lock.holder != descriptor.number, lock.isExclusive || kind == .exclusive { return false }
      node.lock = (descriptor.number, kind == .exclusive)
      return true
    }
  }
  package func unlock(_ descriptor: Descriptor) throws(SystemError) {
    try node(descriptor) { (node, _) throws(SystemError) in node.lock = nil }
  }
  package func hasOtherOpeners(_ descriptor: Descriptor, openers: Openers) throws(SystemError) -> Bool? {
    false
  }
  package func isLocal(_ descriptor: Descriptor) throws(SystemError) -> Bool { false }
  package func attributeNames(of descriptor: Descriptor) throws(SystemError) -> [String] { [] }
  package func lockHolder(_ descriptor: Descriptor, against kind: LockKind) throws(SystemError) -> Int32? { nil }
  package func takeDuckDBLock(_ descriptor: Descriptor, kind: LockKind) throws(SystemError) -> Bool { true }
  package func nextData(_ descriptor: Descriptor, from offset: Int64) throws(SystemError) -> Int64? {
    try node(descriptor) { (node, _) throws(SystemError) in offset < node.data.count ? offset : nil }
  }
}
