package import SystemPackage

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// What can be seen of other processes.
package enum OtherProcess {
  /// Whether there is a process of this number on this machine, or in this container.
  package static func isAlive(_ pid: Int32) -> Bool { pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) }

  /// When a process began, in nanoseconds since 1970 UTC; nil when it is gone or not ours to know.
  ///
  /// From `/proc`: ticks since the machine began (man 5 proc, `starttime`), which are hundredths of a second.
  package static func start(of pid: Int32) -> Int64? {
    guard let fields = fields(of: pid), let machine = text("/proc/stat"),
      let boot = machine.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }).flatMap({
        Int64($0.dropFirst(6))
      }), fields.count > 19, let ticks = Int64(fields[19])
    else { return nil }
    return boot * 1_000_000_000 + ticks * 10_000_000
  }

  /// The parent of a process; nil when the system does not tell.
  package static func parent(of pid: Int32) -> Int32? {
    guard let fields = fields(of: pid), fields.count > 1 else { return nil }
    return Int32(fields[1])
  }

  /// What the system says of a process behind its name (`/proc/PID/stat`, man 5 proc).
  private static func fields(of pid: Int32) -> [Substring]? {
    // The name in brackets may hold blanks and brackets of its own.
    guard pid > 0, let stat = text(FilePath("/proc/\(pid)/stat")), let end = stat.lastIndex(of: ")") else { return nil }
    return stat[stat.index(after: end)...].split(separator: " ")
  }

  /// Open files of other processes below some paths, as far as they are ours to see (Linux).
  ///
  /// - Throws: `SystemError` when a process of ours cannot be looked at.
  package static func openFiles(below paths: [FilePath]) throws(SystemError) -> [(pid: Int32, path: FilePath)] {
    let kernel = Kernel()
    var found: [(pid: Int32, path: FilePath)] = []
    for entry in try seen({ () throws(SystemError) in try names(in: "/proc") }) ?? [] {
      guard let number = Int32(String(decoding: entry.name.bytes, as: UTF8.self)), number != ThisProcess.pid else {
        continue
      }
      let folder = FilePath("/proc/\(number)/fd")
      for descriptor in try seen({ () throws(SystemError) in try names(in: folder) }) ?? [] {
        let link = folder.appending(descriptor.name.path.components)
        guard let target = try seen({ () throws(SystemError) in try kernel.linkTarget(link, at: nil) }) else {
          continue
        }
        let file = FilePath(bytes: target)
        if paths.contains(where: { file.starts(with: $0) }) { found.append((number, file)) }
      }
    }
    return found
  }

  private static func names(in folder: FilePath) throws(SystemError) -> [DirectoryEntry] {
    let open = try OpenFile(folder, mode: [.directory], files: Kernel())
    return try Kernel().entries(of: open.descriptor)
  }

  /// Calls `look`; returns nil when the process is gone or hidden from us, or when the system has no `/proc`.
  private static func seen<Value>(_ look: () throws(SystemError) -> Value) throws(SystemError) -> Value? {
    do {
      return try look()
    } catch {
      let isNotOurs = error.errno == .permissionDenied || error.errno == .notPermitted
      guard error.meansAbsent || error.errno == .noSuchProcess || isNotOurs else { throw error }
      return nil
    }
  }

  static func text(_ path: FilePath) -> String? {
    forPeople {
      let file = try OpenFile(path, files: Kernel())
      return String(decoding: try file.read(count: 1 << 20, at: 0), as: UTF8.self)
    }
  }
}
