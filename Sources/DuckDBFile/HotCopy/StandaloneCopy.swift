package import Files
package import SystemPackage

/// A hot copy for its own sake: hidden until it is whole and durable, then given its name.
package struct StandaloneCopy {
  private let source: FilePath
  private let target: FilePath
  private let files: any FileSystem
  private let time: any TimeSource

  package init(_ source: FilePath, to target: FilePath, files: any FileSystem, time: any TimeSource) {
    self.source = source
    self.target = target
    self.files = files
    self.time = time
  }

  /// Copies.
  ///
  /// The log gets its name before the database does: a database of that name is never without its log.
  /// - Throws: `HotCopyError`, `SystemError` (`fileExists`: the target or its log is there), `Interruption.Stopped`.
  package func run() throws -> HotCopy.Result {
    let log = LogNames.log(of: target)
    for path in [target, log] where try files.exists(path) {
      throw SystemError("openat", .fileExists, path: path.text)
    }
    let database = try DatabaseFile(source, files: files, time: time)
    let parent = try OpenFile(target.removingLastComponent(), [.directory], files: files)
    let hidden = FilePath(".hrp-copy.\(ThisProcess.pid).partial")
    try files.removeTree(hidden, at: parent.descriptor)
    try files.makeDirectory(hidden, at: parent.descriptor, permissions: 0o700)
    defer {
      // Empty by then, or the rest of a failed copy; what cannot be removed is hidden.
      try? files.removeTree(hidden, at: parent.descriptor)
    }
    let folder = try OpenFile(hidden, at: parent.descriptor, [.directory, .noFollow], files: files)
    let permissions = try database.file.status().permissions & 0o666 | 0o600
    let result = try HotCopy(
      of: database, to: "db", at: folder.descriptor, permissions: permissions, files: files, time: time
    ).run()
    if result.logBytes == 0 { try files.remove("db.wal", at: folder.descriptor) }
    for name in ["db", "db.wal"] where try files.exists(FilePath(name), at: folder.descriptor) {
      let file = try OpenFile(FilePath(name), at: folder.descriptor, files: files)
      try file.synchronize()
    }
    if result.logBytes > 0 { try files.renameNew("db.wal", at: folder.descriptor, to: log, at: nil) }
    do {
      try files.renameNew("db", at: folder.descriptor, to: target, at: nil)
    } catch {
      // A log without its database would be found by whatever is made there next.
      if result.logBytes > 0 { try? files.remove(log, at: nil) }
      throw error
    }
    try parent.synchronize()
    return result
  }
}
