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

  /// Whether this process may do what only root may; in a user namespace that is less.
  package static var isRoot: Bool { geteuid() == 0 }

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

  /// Sets an environment variable, of this process and the children that it starts.
  package static func setEnvironment(_ name: String, to value: FilePath, isReplacing: Bool) {
    value.withPlatformString { _ = setenv(name, $0, isReplacing ? 1 : 0) }
  }

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

  /// The path with all symlinks resolved; nil when it leads to nothing.
  ///
  /// The corresponding C function is `realpath`.
  package static func realPath(_ path: FilePath) -> FilePath? {
    path.withPlatformString { text in
      guard let real = realpath(text, nil) else { return nil }
      defer { free(real) }
      return FilePath(platformString: real)
    }
  }

  /// The path with all symlinks resolved, also when its end does not exist; a dangling symlink at its end stays.
  package static func realPathOfWhatExists(_ path: FilePath) -> FilePath {
    if let real = realPath(path) { return real }
    guard let last = path.lastComponent, path.removingLastComponent() != path else { return path }
    return realPathOfWhatExists(path.removingLastComponent()).appending(last)
  }

  /// Looks whether this process may make and remove names in a directory.
  ///
  /// The corresponding C function is `faccessat` with `AT_EACCESS`.
  /// - Throws: `SystemError`: what would refuse it.
  package static func checkWritable(_ directory: FilePath) throws(SystemError) {
    let failed = directory.withPlatformString { faccessat(AT_FDCWD, $0, W_OK | X_OK, AT_EACCESS) } != 0
    if failed { throw SystemError("faccessat", errno: Errno(rawValue: errno), path: directory.text) }
  }

  /// Checks that this user may rename or remove a name, as far as that can be told without doing it.
  ///
  /// This needs the right to write to the directory that contains the name, and to the name itself when it is a
  /// directory that is moved. The sticky bit protects the names of other users; file flags protect all names.
  /// - Throws: `SystemError`: what would refuse it.
  package static func checkRenamable(_ path: FilePath, files: any FileSystem) throws(SystemError) {
    let folder = path.removingLastComponent()
    try checkWritable(folder)
    let (status, parent) = (try files.status(path, at: nil), try files.status(folder.appending("."), at: nil))
    if parent.permissions & 0o1000 != 0, !isRoot, !owns(status), !owns(parent) {
      throw SystemError("renameat", errno: .notPermitted, path: path.text)
    }
    if status.kind == .directory { try checkWritable(path) }
    for name in [folder, path] where name.withPlatformString({ hrp_is_fixed($0) }) == 1 {
      throw SystemError("renameat", errno: .notPermitted, path: name.text)
    }
  }

  /// Whether something is mounted at a path itself: a directory, or a file alone.
  ///
  /// The path must be without symlinks. Linux says it of the path (`statx`); before 5.8 its table of mounts does
  /// (`/proc/self/mountinfo`, man 5 proc).
  /// - Throws: `SystemError` when the table is there and cannot be read.
  package static func isMountPoint(_ path: FilePath) throws(SystemError) -> Bool {
    let answer = path.withPlatformString { hrp_is_mount_root($0) }
    if answer >= 0 { return answer == 1 }
    guard let file = try OpenFile.ifPresent("/proc/self/mountinfo", files: Kernel()) else { return false }
    var table: [UInt8] = []
    while true {
      let bytes = try file.read(count: 1 << 16, at: Int64(table.count))
      if bytes.isEmpty { break }
      table += bytes
    }
    return String(decoding: table, as: UTF8.self).split(separator: "\n").contains { line in
      let fields = line.split(separator: " ")
      // The table writes a blank as a backslash and three octal digits. Its device is compared instead.
      return fields.count > 4 && fields[4] == path.string
    }
  }

  /// Open files of other processes below some paths, as far as they are ours to see (Linux).
  ///
  /// - Throws: `SystemError` when a process of ours cannot be looked at.
  package static func openFiles(below paths: [FilePath]) throws(SystemError) -> [(pid: Int32, path: FilePath)] {
    let kernel = Kernel()
    var found: [(pid: Int32, path: FilePath)] = []
    for entry in try seen({ () throws(SystemError) in try names(in: "/proc") }) ?? [] {
      guard let number = Int32(String(decoding: entry.name.bytes, as: UTF8.self)), number != pid else { continue }
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
