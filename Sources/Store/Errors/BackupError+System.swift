package import Files
package import SystemPackage

// The table of the kernel's errors: for each call and error it has a code, a meaning and a remedy. A disk is blamed
// only for errors that disks cause. Names of temporary files are not shown, since the user can do nothing about them.

extension BackupError {
  /// The failure of a system call, as the reader should see it.
  ///
  /// - Parameter places: of a stack, whose parts are called by what they are: the database, the backups, scratch.
  package static func of(_ error: SystemError, doing what: String, in places: KnownPlaces? = nil) -> BackupError {
    let fault = SystemFault(error, what: what, in: places)
    let entry = fault.entry
    return BackupError(
      entry.code ?? "system.\(error.call)", kind: entry.kind, message: entry.message, remedy: entry.remedy,
      cause: fault.cause)
  }
}

/// Where the parts of a stack are, so that an error can call them by what they are.
package struct KnownPlaces: Sendable {
  package let database: FilePath
  package let backups: FilePath
  package let scratch: FilePath
  package let logs: FilePath
  package let data: FilePath

  package init(database: FilePath, backups: FilePath, scratch: FilePath, logs: FilePath, data: FilePath) {
    self.database = database
    self.backups = backups
    self.scratch = scratch
    self.logs = logs
    self.data = data
  }
}

/// One failure of a system call, with what is known of where it happened.
private struct SystemFault {
  /// What the table says; an entry without a code gets the general code of the call.
  struct Entry {
    var code: String?
    var kind = BackupError.Kind.failed
    let message: String
    let remedy: String
  }

  /// The part of a stack that a path lies in.
  enum Place { case database, backups, scratch, logs, stack, elsewhere }

  let call: String
  let errno: Errno
  let what: String
  /// The path in readable form, without temporary names; empty when the call had no useful path.
  let path: String
  /// The same ready for a shell; empty where `path` is.
  let word: String
  let place: Place

  init(_ error: SystemError, what: String, in places: KnownPlaces?) {
    call = error.call
    errno = error.errno
    self.what = what
    path = Self.lasting(error.path)
    let bytes = ByteText.bytes(of: path.utf8) ?? Array(path.utf8)
    // A name without its directory helps nobody.
    word = path.hasPrefix("/") ? ShellWord.quoted(FilePath(bytes: bytes)) : ""
    place = places.map { Self.place(of: FilePath(bytes: bytes), in: $0) } ?? .elsewhere
  }

  /// What the kernel said, without the names of temporary files.
  var cause: String { path.isEmpty ? "\(call): \(errno)" : "\(call) \(path): \(errno)" }

  /// The path up to the first name that lives only as long as an operation.
  private static func lasting(_ path: String) -> String {
    var kept: [Substring] = []
    for part in path.split(separator: "/", omittingEmptySubsequences: false) {
      let isHidden = part.hasPrefix(".") && (part.contains("hrp-") || part.hasSuffix(".partial"))
      // Locks, pins and proofs stay: they have names that a reader can look at.
      let isOurs = [".hrp-stack.lock", ".hrp-backups.lock", ".hrp-pins", ".hrp-proofs", ".hrp-trash"].contains {
        part.hasPrefix($0)
      }
      if isHidden && !isOurs || part.hasPrefix("hrp-scratch.") || part.hasPrefix("hrp-snapshot.") { break }
      kept.append(part)
    }
    return kept == [""] && path.hasPrefix("/") ? "/" : kept.joined(separator: "/")
  }

  private static func place(of path: FilePath, in places: KnownPlaces) -> Place {
    if path.starts(with: places.scratch) { return .scratch }
    if path.starts(with: places.backups) { return .backups }
    if path.starts(with: places.logs) { return .logs }
    let names = ["", ".wal", ".wal.checkpoint"].map { places.database.string + $0 }
    if names.contains(path.string) { return .database }
    return path.starts(with: places.data) ? .stack : .elsewhere
  }

  private var at: String { path.isEmpty ? "" : ": \(path)" }
  private var subject: String { path.isEmpty ? "something" : path }

  // MARK: - The table of errors

  var entry: Entry {
    switch errno {
    case .noSpace, .diskQuotaExceeded: space
    case .permissionDenied, .notPermitted: permission
    case .readOnlyFileSystem: readOnly
    case .fileExists:
      Entry(
        code: "path.exists", message: "\(subject) exists already", remedy: "Name a place that does not exist yet.")
    case .notDirectory:
      Entry(
        code: "path.not-a-directory", message: "\(subject) is not a directory",
        remedy: "Name a directory; what is there stays as it is.")
    case .noSuchFileOrDirectory:
      Entry(
        code: "path.vanished", kind: .notFound, message: "\(subject) is not there (while \(what))",
        remedy: call == "posix_spawn"
          ? "Set HRP_EXECUTABLE to the program hrp, or put it on PATH."
          : "Check the path, and whether a disk was unmounted.")
    default: Entry(message: "\(what) failed\(at)", remedy: limits ?? path(errno) ?? device ?? unknown)
    }
  }

  private var space: Entry {
    let isQuota = errno == .diskQuotaExceeded
    let disk = word.isEmpty ? "df -h" : "df -h \(word)"
    let look = isQuota ? "See how much you may use with quota -s" : "See what is full with \(disk)"
    let free =
      place == .scratch
      ? "free some there: copies that are thrown away need the size of the database"
      : "free some with hrp backup rotate --keep-days 7"
    return Entry(
      code: "disk.full", kind: .noSpace,
      message: "Not enough disk space while \(what)" + (isQuota ? ": the quota is used up" : ""),
      remedy: "\(look); \(free).")
  }

  private var permission: Entry {
    let look = word.isEmpty ? "" : " See who may do what there: ls -ld \(word)."
    let remedy: String
    switch place {
    case .database:
      remedy = "Run hrp as the user who owns the database, or let this user read and write it.\(look)"
    case .backups:
      remedy = "Make the backup directory yours to write to: chmod 755 \(word), as its owner.\(look)"
    case .scratch:
      remedy = "hrp keeps copies there that it throws away: chmod 700 \(word), as its owner.\(look)"
    case .logs: remedy = "hrp writes its log there: chmod 755 \(word), as its owner.\(look)"
    case .stack, .elsewhere:
      remedy =
        switch call {
        case "posix_spawn": "Make the program executable: chmod +x \(word)."
        case "fchmod", "futimens", "utimensat", "fchown", "fchownat":
          "Only the owner of a file may change its permissions and times: run hrp as that user.\(look)"
        case "renameat", "renameat2", "unlinkat", "mkdirat", "linkat", "symlinkat", "exchange":
          "The folder that holds it must be writable for the user who runs hrp.\(look)"
        default: "Run hrp as a user who may read and write it.\(look)"
        }
    }
    let isFixed = errno == .notPermitted && !word.isEmpty
    let more = isFixed ? " A file that may not be changed at all shows an i in lsattr -d \(word)." : ""
    return Entry(
      code: "permission.denied", message: "Permission denied while \(what)\(at)", remedy: remedy + more)
  }

  private var readOnly: Entry {
    let other =
      switch place {
      case .backups: "Name another place with --backup-dir, or mount this one for writing."
      case .database, .scratch, .logs, .stack: "Mount it for writing."
      case .elsewhere: "Name another place with --backup-dir or --target-dir, or mount this one for writing."
      }
    return Entry(code: "disk.read-only", message: "the file system is read-only: \(subject)", remedy: other)
  }

  /// What the system limits: nothing is wrong with any disk.
  private var limits: String? {
    switch (errno, call) {
    case (.tooManyOpenFiles, _):
      "This process may not open more files. Raise the limit (ulimit -n 4096) and try again."
    case (.tooManyOpenFilesInSystem, _):
      "The whole system has too many files open. Close programs, or raise fs.file-max, and try again."
    case (.noMemory, _): "There is not enough memory. Close programs, or raise the limit (ulimit -v), and try again."
    case (.resourceTemporarilyUnavailable, "posix_spawn"), (.resourceTemporarilyUnavailable, "pthread_create"):
      "This user may not start more processes. Close some, or raise the limit (ulimit -u), and try again."
    case (.fileTooLarge, _):
      "A file of this size is not allowed: see ulimit -f; FAT file systems end at 4 GB. Use another file system."
    case (.noLocks, _):
      "The file system has no locks left, or its lock service does not run (NFS: rpc.statd). Repair that, or use a "
        + "local disk."
    case (.tooManyLinks, _): "The file system allows no more hard links to one file: pass --no-link."
    default: nil
    }
  }

  /// What is wrong with a name or with what it leads to.
  private func path(_ errno: Errno) -> String? {
    switch errno {
    case .fileNameTooLong: "Shorten the name or the path: the file system does not take it."
    case .tooManySymbolicLinkLevels:
      "It is a symlink where hrp follows none, or symlinks lead in a circle. Look with ls -l, and name its target."
    case .isDirectory: "It is a directory where a file should be. Look with ls -ld, and move it away."
    case .directoryNotEmpty: "Another program put something there. Look at it with ls -la, move it away, and try again."
    case .improperLink:
      "Both places must be on one file system. Name a place on the same disk, or look for a mount in between."
    case .resourceBusy:
      "Something is mounted there, or the system uses it (findmnt shows mounts). Unmount it, or name another place."
    case .textFileBusy: "A program that runs is being written to. Wait until that is done, and try again."
    case .noSuchAddressOrDevice, .operationNotSupportedByDevice:
      "The device behind it is gone, or does not serve files. Is the disk connected and mounted?"
    default: nil
    }
  }

  /// What the disk, the network or the file system itself does wrong.
  private var device: String? {
    switch errno {
    case .ioError: "Check the disk (dmesg, smartctl -a) and the mount; then try again."
    case .staleNFSFileHandle, .timedOut, .hostIsDown, .noRouteToHost, .connectionReset:
      "The file server does not answer as it should. Check the network, mount the place again, and try again."
    case .invalidArgument, .notSupported, .notSupportedOnSocket, .noFunction:
      "The file system does not offer this (\(call)). Use another one for it, such as ext4, XFS, btrfs or APFS."
    // Linux: EUCLEAN.
    case Errno(rawValue: 117): "The file system itself is damaged. Unmount it, and let fsck look at it."
    default: nil
    }
  }

  private var unknown: String { "Look at the path\(word.isEmpty ? "" : " (ls -ld \(word))"), and try again." }
}
