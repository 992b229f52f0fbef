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
    let names = [target, LogNames.log(of: target), LogNames.checkpointLog(of: target)]
    for path in names where try files.exists(path) {
      throw SystemError("openat", .fileExists, path: path.text)
    }
    let database = try DatabaseFile(source, files: files, time: time)
    let parent = try OpenFile(target.removingLastComponent(), [.directory], files: files)
    let hidden = FilePath(".hrp-copy.\(ThisProcess.pid).partial")
    try files.removeTree(hidden, at: parent.descriptor)
    try files.makeDirectory(hidden, at: parent.descriptor, permissions: 0o700)
    defer {
      // Empty by then, or the rest of a failed copy; what cannot be removed is hidden.
      ignoringFailure { try files.removeTree(hidden, at: parent.descriptor) }
    }
    let folder = try OpenFile(hidden, at: parent.descriptor, [.directory, .noFollow], files: files)
    let permissions = try database.file.status().permissions & 0o666 | 0o600
    let result = try DatabaseCopy.run(
      of: database, to: "db", at: folder.descriptor, permissions: permissions, files: files, time: time)
    try publish(zip(["db", "db.wal", "db.wal.checkpoint"], names), from: folder)
    try parent.synchronize()
    return result
  }

  /// Makes the files durable and gives them their names, the database last.
  private func publish(_ pairs: some Sequence<(FilePath, FilePath)>, from folder: OpenFile) throws {
    let pairs = try pairs.filter { try files.exists($0.0, at: folder.descriptor) }
    for (staged, _) in pairs { try OpenFile(staged, at: folder.descriptor, files: files).synchronize() }
    var named: [FilePath] = []
    do {
      for (staged, name) in pairs.reversed() {
        try files.renameNew(staged, at: folder.descriptor, to: name, at: nil)
        named.append(name)
      }
    } catch {
      // A log without its database would be found by whatever is made there next.
      for name in named { ignoringFailure { try files.remove(name, at: nil) } }
      throw error
    }
  }
}
