package import Files
package import SystemPackage

/// A hot copy for its own sake: hidden until it is whole and durable, then given its name.
package struct StandaloneCopy {
  private static let prefix = ".hrp-copy."

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
  /// The WAL gets its name before the database does: a database of that name is never without its WAL.
  /// - Throws: `HotCopyError`, `SystemError` (`fileExists`: the target or its WAL is there), `Interruption.Stopped`.
  package func run() throws -> HotCopy.Result {
    let names = [target, WALNames.wal(of: target), WALNames.checkpointWAL(of: target)]
    for path in names where try files.exists(path) {
      throw SystemError("openat", errno: .fileExists, path: path.text)
    }
    let database = try DatabaseFile(source, files: files, time: time)
    let parent = try OpenFile(target.removingLastComponent(), mode: [.directory], files: files)
    try HiddenFolder.removeAbandoned(Self.prefix, in: parent)
    let hidden = try HiddenFolder(Self.prefix, in: parent)
    defer {
      // Empty by then, or the rest of a failed copy; what cannot be removed is hidden, and removed by the next copy.
      ignoringFailure { try hidden.remove() }
    }
    let permissions = try database.file.status().permissions & 0o666 | 0o600
    let result = try DatabaseCopy.run(
      of: database, to: "db", at: hidden.folder.descriptor, permissions: permissions, files: files, time: time)
    var staged: [FilePath] = ["db"]
    if result.walBytes > 0 { staged.append("db.wal") }
    if result.checkpointWALBytes > 0 { staged.append("db.wal.checkpoint") }
    try publish(Array(zip(staged, names)), from: hidden.folder)
    try parent.synchronize()
    return result
  }

  /// Makes the files durable and gives them their names, the database last.
  private func publish(_ pairs: [(staged: FilePath, name: FilePath)], from folder: OpenFile) throws {
    for (staged, _) in pairs { try OpenFile(staged, at: folder.descriptor, files: files).synchronize() }
    var named: [FilePath] = []
    do {
      for (staged, name) in pairs.reversed() {
        try files.renameNew(staged, at: folder.descriptor, to: name, at: nil)
        named.append(name)
      }
    } catch {
      // A WAL without its database would be found by whatever is made there next.
      for name in named { ignoringFailure { try files.remove(name, at: nil) } }
      throw error
    }
  }
}
