package import Files
private import SystemPackage

/// Whether somebody may be writing to a database, and how that is known (docs/formats/duckdb.md §5.4).
package enum WriterPresence: Sendable, Equatable {
  /// A process has it open for writing.
  ///
  /// The PID is 0 for a process of another container, and nil where it cannot be seen which one it is.
  case writer(pid: Int32?)
  /// The kernel says that nobody has it open for writing.
  case nobody
  /// Nobody was seen, and the kernel does not say: a network file system, another user's file, macOS.
  case unknown(unseenProcesses: Int)
}

extension DatabaseFile {
  /// Who may be writing.
  ///
  /// A file without a lock may still have a writer: POSIX locks vanish when the writer's own process opens and closes
  /// its database file, and they do not cross every mount. So the kernel is asked whether any process has the file open
  /// for writing. Where it does not tell, the open files of all visible processes are looked at.
  package func writerPresence() throws(SystemError) -> WriterPresence {
    if let pid = try writer() { return .writer(pid: pid) }
    let files = file.files
    let isOpen = try files.hasOtherOpeners(file.descriptor, openers: .writers)
    // A virtual machine's file system may have a writer on the host, whom this kernel does not know.
    if isOpen == false, try files.isLocal(file.descriptor) { return .nobody }
    let holders = try FileHolders(of: identity)
    if let seen = holders.seen.first(where: \.mayWrite) { return .writer(pid: seen.pid) }
    return isOpen == true ? .writer(pid: nil) : .unknown(unseenProcesses: holders.unseenProcesses)
  }

  /// When the database or its WAL was last changed, in nanoseconds since 1970 UTC.
  package func lastChange() throws -> Int64 {
    let base = try walBase()
    let wals = try [WALNames.wal(of: base), WALNames.checkpointWAL(of: base)].compactMap { try modified($0) }
    return max(try file.status().modifiedNanoseconds, wals.max() ?? .min)
  }

  /// When a file was last changed; nil when there is none of that name.
  private func modified(_ path: FilePath) throws(SystemError) -> Int64? {
    do {
      return try file.files.status(path, at: nil).modifiedNanoseconds
    } catch  where error.errno == .noSuchFileOrDirectory {
      return nil
    }
  }
}
