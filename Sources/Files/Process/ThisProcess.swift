private import CFiles
package import SystemPackage

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#elseif canImport(Darwin)
  private import Darwin
#endif

/// What the program needs to know of the process that it runs in.
package enum ThisProcess {
  package static var pid: Int32 { getpid() }

  /// Whether this process may do what only root may; in a user namespace that is less.
  package static var isRoot: Bool { geteuid() == 0 }

  /// The number of the user whose rights this process has.
  package static var user: UInt32 { geteuid() }

  /// Whether a file is this user's own.
  package static func owns(_ status: FileStatus) -> Bool { status.owner.user == geteuid() }

  package static func exit(_ code: Int32) -> Never { _exit(code) }

  /// Bytes of memory that this process may take for itself (`ulimit -v`, `ulimit -d`); the largest number: no limit.
  package static var memoryLimitBytes: Int64 { hrp_memory_limit() }

  /// Limits the memory that this process may take for itself; what asks for more is refused, not served.
  ///
  /// A system that knows no such limit goes on without.
  package static func limitMemory(bytes: Int64) { hrp_limit_memory(bytes) }

  /// The path of the running program.
  package static var executable: FilePath? {
    var bytes = [CChar](repeating: 0, count: 4096)
    let length = hrp_own_path(&bytes, Int64(bytes.count))
    return length > 0 && length < bytes.count
      ? FilePath(bytes: bytes[..<Int(length)].map { UInt8(bitPattern: $0) }) : nil
  }

  /// The words of the command line after the program's name.
  ///
  /// They are those that the loader gave at the start; where the C library does not tell, those that Swift finds.
  package static var arguments: [String] {
    let count = hrp_argument_count()
    guard count > 0 else { return Array(CommandLine.arguments.dropFirst()) }
    return (1..<max(1, count)).compactMap { hrp_argument($0).map { String(cString: $0) } }
  }

  /// Ends this process as soon as the stream ends, from a thread of its own.
  ///
  /// It is for a child whose parent has the other end: the child never outlives its parent.
  package static func exitWhenEnded(_ stream: ChildStream) {
    let descriptor = stream.descriptor
    // Without a thread the child lives on until it is done, which is soon.
    ignoringFailure {
      _ = try Workers<Int>(count: 1, capacity: 1) {
        let rest = ChildStream(descriptor)
        ignoringFailure { while try rest.line() != nil {} }
        exit(1)
      }
    }
  }

  /// Makes a write to a pipe that nobody reads an error, and not the end of this process.
  package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// How many files this process may have open at once (`ulimit -n`).
  package static var openFileLimit: Int { Int(getdtablesize()) }

  /// Bytes of a page of memory.
  package static var pageBytes: Int64 { Int64(getpagesize()) }

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

  /// The names of all environment variables that are set.
  package static var environmentNames: [String] {
    var names: [String] = []
    while let word = hrp_environment_word(Int32(names.count)) {
      names.append(String(String(cString: word).prefix { $0 != "=" }))
    }
    return names
  }

  /// Sets an environment variable, of this process and the children that it starts.
  package static func setEnvironment(_ name: String, to value: FilePath, isReplacing: Bool) {
    value.withPlatformString { _ = setenv(name, $0, isReplacing ? 1 : 0) }
  }

  /// A path as it is seen from the directory in which this process works.
  package static func absolute(_ path: String) -> FilePath { workingDirectory.pushing(FilePath(path)) }

  package static var workingDirectory: FilePath {
    guard let text = getcwd(nil, 0) else { return "/" }
    defer { free(text) }
    return FilePath(platformString: text)
  }

  /// Whether the stream of this number is a terminal.
  package static func isTerminal(_ stream: Int32) -> Bool { isatty(stream) == 1 }

  /// Columns of the terminal of this stream; nil when the stream is no terminal, or does not tell its width.
  package static func terminalWidth(_ stream: Int32) -> Int? {
    let columns = hrp_terminal_width(stream)
    return columns > 0 ? Int(columns) : nil
  }

  /// A note for a lock that this process takes.
  package static func note(program: String, time: any TimeSource) -> ProcessNote {
    ProcessNote(
      pid: pid, program: program, host: host, since: LocalTime(nanoseconds: time.nowNanoseconds).plain)
  }

  /// Whether this very process has the file open.
  ///
  /// Closing any descriptor of a file drops all POSIX locks of the process on it, so a raw reader must not touch a file
  /// that an engine in the same process holds (man 2 fcntl, "Advisory record locking").
  /// - Throws: `SystemError` when it cannot be told.
  package static func hasOpen(_ identity: FileIdentity, files: any FileSystem) throws(SystemError) -> Bool {
    for number in openDescriptors() {
      do throws(SystemError) {
        if try files.status(of: Descriptor(number: number)).identity == identity { return true }
      } catch {
        // A descriptor that went away between the listing and the look is not open any more. One of a process that has
        // ended (`/proc/PID/fd`) leads to nothing.
        guard [.badFileDescriptor, .noSuchFileOrDirectory, .noSuchProcess].contains(error.errno) else { throw error }
      }
    }
    return false
  }

  /// The numbers of this process's descriptors; where the system has no list of them, all that there can be.
  private static func openDescriptors() -> [Int32] {
    guard let folder = opendir(hrp_descriptor_folder()) else { return Array(0..<min(getdtablesize(), 1 << 20)) }
    defer { closedir(folder) }
    var numbers: [Int32] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
      }
      if let number = Int32(name) { numbers.append(number) }
    }
    return numbers
  }
}
