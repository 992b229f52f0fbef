package import SystemPackage

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// The processes that have a file open, as far as this one may look (Linux: `/proc/PID/fd`, man 5 proc).
///
/// An ordinary user sees the own processes only, and nobody sees those of another container: an empty list proves
/// nothing.
package struct FileHolders: Sendable {
  /// A descriptor of another process.
  package struct Holder: Sendable, Equatable {
    package let pid: Int32
    /// The file's name, as that process opened it.
    package let path: FilePath
    /// Whether it may write to it.
    package let mayWrite: Bool
    /// When the process began, in nanoseconds since 1970 UTC; nil when the system does not say.
    package let began: Int64?
  }

  package let seen: [Holder]
  /// Processes whose open files this one may not look at.
  package let unseenProcesses: Int

  /// Looks at all processes but this one.
  ///
  /// A child that this process has just made has its descriptors until it runs its program: it is looked at again.
  /// - Throws: `SystemError` when the processes cannot be listed.
  package init(of identity: FileIdentity) throws(SystemError) {
    try self.init(matching: { (path, _) throws(SystemError) in try Self.identity(of: path) == identity })
  }

  /// Looks for processes that have a file open that has one of some names, or had it when it was deleted.
  ///
  /// A file that was moved has its new name. Processes that see other mounts than this one mean other files by a name,
  /// and do not count.
  /// - Throws: `SystemError` when the processes cannot be listed.
  package init(ofNames names: [FilePath]) throws(SystemError) {
    // The kernel writes it so for a file whose last name is gone.
    let all = Set(names + names.map { FilePath(bytes: $0.bytes + Array(" (deleted)".utf8)) })
    let own = try Self.mounts(of: "self")
    try self.init(matching: { (path, pid) throws(SystemError) in
      guard let target = try Self.target(of: path), all.contains(FilePath(bytes: target)) else { return false }
      return try Self.mounts(of: "\(pid)") == own
    })
  }

  /// Which mounts a process sees: two that see the same have the same words here.
  private static func mounts(of process: String) throws(SystemError) -> [UInt8] {
    guard try Kernel().exists("/proc/self/ns/mnt") else { return [] }
    return try Kernel().linkTarget(FilePath("/proc/\(process)/ns/mnt"), at: nil)
  }

  private typealias Match = (_ descriptor: FilePath, _ pid: Int32) throws(SystemError) -> Bool

  private init(matching match: Match) throws(SystemError) {
    for _ in 0..<20 {
      let found = try FileHolders(now: match)
      guard found.seen.contains(where: { OtherProcess.parent(of: $0.pid) == ThisProcess.pid }) else {
        self = found
        return
      }
      SystemTime().sleep(.milliseconds(10))
    }
    self = try FileHolders(now: match)
  }

  private init(now match: Match) throws(SystemError) {
    let kernel = Kernel()
    var seen: [Holder] = []
    var unseen = 0
    guard try kernel.exists("/proc/self/fd") else {
      (self.seen, unseenProcesses) = ([], 0)
      return
    }
    let all = try OpenFile("/proc", mode: [.directory], files: kernel)
    for entry in try kernel.entries(of: all.descriptor) {
      guard let pid = Int32(String(decoding: entry.name.bytes, as: UTF8.self)), pid != ThisProcess.pid else { continue }
      do {
        seen += try Self.holders(pid, match: match, kernel: kernel)
      } catch  where [.noSuchFileOrDirectory, .noSuchProcess].contains(error.errno) {
        continue  // It has ended meanwhile.
      } catch {
        unseen += 1
      }
    }
    self.seen = seen
    unseenProcesses = unseen
  }

  private static func holders(_ pid: Int32, match: Match, kernel: Kernel) throws(SystemError) -> [Holder] {
    let folder = FilePath("/proc/\(pid)/fd")
    let open = try OpenFile(folder, mode: [.directory], files: kernel)
    var found: [Holder] = []
    for entry in try kernel.entries(of: open.descriptor) {
      let name = folder.appending(entry.name.path.components)
      guard try match(name, pid) else { continue }
      guard let target = try target(of: name) else { continue }
      let path = FilePath(bytes: target)
      let number = String(decoding: entry.name.bytes, as: UTF8.self)
      found.append(
        Holder(
          pid: pid, path: path, mayWrite: mayWrite(pid, number: number, kernel: kernel),
          began: OtherProcess.start(of: pid)))
    }
    return found
  }

  /// What a descriptor's link says; nil when the descriptor was closed meanwhile, while the process goes on.
  private static func target(of descriptor: FilePath) throws(SystemError) -> [UInt8]? {
    do {
      return try Kernel().linkTarget(descriptor, at: nil)
    } catch  where error.meansAbsent || error.errno == .noSuchProcess {
      return nil
    }
  }

  /// Which file a symlink leads to; nil when the descriptor was closed meanwhile.
  ///
  /// The corresponding C function is `stat`.
  /// - Throws: `SystemError`: what cannot be looked at may be the file.
  private static func identity(of path: FilePath) throws(SystemError) -> FileIdentity? {
    var status = stat()
    guard path.withPlatformString({ stat($0, &status) }) == 0 else {
      let error = SystemError("stat", errno: Errno(rawValue: errno), path: path.text)
      guard error.meansAbsent || error.errno == .noSuchProcess else { throw error }
      return nil
    }
    return FileIdentity(
      device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino))
  }

  /// Whether a descriptor may write to its file; true when that cannot be read.
  private static func mayWrite(_ pid: Int32, number: String, kernel: Kernel) -> Bool {
    do throws(SystemError) {
      let file = try OpenFile(FilePath("/proc/\(pid)/fdinfo/\(number)"), files: kernel)
      let lines = try String(decoding: file.read(count: 4096, at: 0), as: UTF8.self).split(separator: "\n")
      let words = lines.first { $0.hasPrefix("flags:") }?.dropFirst(6).drop { $0.isWhitespace }
      guard let flags = words.flatMap({ Int32($0, radix: 8) }) else { return true }
      return flags & O_ACCMODE != O_RDONLY
    } catch {
      return true
    }
  }

  /// Whether a process writes to the file through memory, which moves its modification time now and then only.
  ///
  /// - Returns: nil when the process does not let us look.
  package static func isMappedForWriting(_ identity: FileIdentity, by pid: Int32) -> Bool? {
    guard pid > 0 else { return nil }
    do {
      let lines = LineReader(try OpenFile(FilePath("/proc/\(pid)/maps"), files: Kernel()))
      while let line = try lines.next() {
        // In the form `7f..-7f.. rw-s 00000000 fd:01 1234 /path`.
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
        guard fields.count >= 5, String(decoding: fields[1], as: UTF8.self).hasPrefix("rw-s") else { continue }
        if UInt64(String(decoding: fields[4], as: UTF8.self)) == identity.inode { return true }
      }
      return false
    } catch {
      return nil
    }
  }
}
