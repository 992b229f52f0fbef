private import CFiles
package import SystemPackage

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// What the program needs to know of the process it runs in and of its neighbours.
package enum ThisProcess {
  package static var pid: Int32 { getpid() }

  package static func exit(_ code: Int32) -> Never { _exit(code) }

  /// The path of the running program.
  package static var executable: FilePath? {
    var bytes = [CChar](repeating: 0, count: 4096)
    let length = hrp_own_path(&bytes, Int64(bytes.count))
    return length > 0 && length < bytes.count
      ? FilePath(bytes: bytes[..<Int(length)].map { UInt8(bitPattern: $0) }) : nil
  }

  /// Ends this process as soon as the stream ends, from a thread of its own.
  ///
  /// For a child whose parent holds the other end: it never outlives it.
  package static func exitWhenEnded(_ stream: ChildStream) {
    let descriptor = stream.descriptor
    // Without a thread the child lives on until it is done, which is soon.
    _ = try? Workers<Int>(count: 1, capacity: 1) {
      let rest = ChildStream(descriptor)
      while (try? rest.line()) != nil {}
      exit(1)
    }
  }

  package static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The value of an environment variable; an empty one counts as not set.
  package static func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }

  package static var workingDirectory: FilePath {
    guard let text = getcwd(nil, 0) else { return "/" }
    defer { free(text) }
    return FilePath(platformString: text)
  }

  /// Whether the stream of this number is a terminal.
  package static func isTerminal(_ stream: Int32) -> Bool { isatty(stream) == 1 }

  /// A note for a lock that this process takes.
  package static func note(program: String, time: any TimeSource) -> ProcessNote {
    ProcessNote(
      pid: pid, program: program, host: host, since: LocalTime(nanoseconds: time.nowNanoseconds).plain)
  }

  /// Whether this very process has the file open.
  ///
  /// Closing any descriptor of a file drops all POSIX locks of the process on it, so a raw reader must not touch a file
  /// that an engine in the same process holds (man 2 fcntl, "Advisory record locking").
  package static func hasOpen(_ identity: FileIdentity, files: any FileSystem) -> Bool {
    guard let folder = opendir(hrp_descriptor_folder()) else { return false }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
      }
      // A descriptor that went away between the listing and the look is not open any more.
      guard let number = Int32(name), let status = try? files.status(of: Descriptor(number: number)) else { continue }
      if status.identity == identity { return true }
    }
    return false
  }

  /// Whether there is a process of this number on this machine, or in this container.
  package static func isAlive(_ pid: Int32) -> Bool { pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) }

  /// The program of a process, as the system names it; nil when it is gone or not ours to know.
  package static func program(of pid: Int32) -> String? {
    guard pid > 0, let file = try? OpenFile(FilePath("/proc/\(pid)/comm"), files: Kernel()),
      let bytes = try? file.read(count: 256, at: 0)
    else { return nil }
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
