package import SystemPackage

/// A folder of our own for copies and for what an engine spills, locked as long as its maker lives.
///
/// What a killed process left there is removed by the next one.
package struct Scratch {
  private static let prefix = "hrp-scratch."

  package let path: FilePath
  private let parent: OpenFile
  private let folder: OpenFile
  private let name: FilePath

  /// Where scratch goes when there is no data directory: `TMPDIR`, else `/tmp`.
  package static var standard: FilePath { FilePath(ThisProcess.environment("TMPDIR") ?? "/tmp") }

  /// Makes the folder; when another process removes the empty directory meanwhile, that is made again too.
  package init(in directory: FilePath = Scratch.standard, files: any FileSystem) throws {
    let made = try Self.make(in: directory, files)
    (parent, name, folder) = made
    path = parent.path.appending(name.components)
  }

  private static func make(
    in directory: FilePath, _ files: any FileSystem
  ) throws -> (parent: OpenFile, name: FilePath, folder: OpenFile) {
    for attempt in 1...100 {
      try Interruption.check()
      try files.makeDirectories(directory)
      do {
        let parent = try OpenFile(directory, mode: [.directory], files: files)
        try removeDebris(in: parent)
        if let (name, folder) = try make(in: parent) { return (parent, name, folder) }
      } catch let error as SystemError where error.errno == .noSuchFileOrDirectory && attempt < 100 {
        continue
      }
    }
    throw SystemError("mkdirat", errno: .fileExists, path: directory.text)
  }

  private static func removeDebris(in parent: OpenFile) throws {
    let files = parent.files
    for entry in try files.entries(of: parent.descriptor) where entry.name.hasPrefix(prefix) {
      // A folder of another user, or one that is in use, must not be removed.
      ignoringFailure {
        let old = try OpenFile(entry.name.path, at: parent.descriptor, mode: [.directory, .noFollow], files: files)
        if try files.lock(old.descriptor, kind: .exclusive) {
          try files.removeTree(entry.name.path, at: parent.descriptor)
        }
      }
    }
  }

  /// A new folder with our lock on it; nil when another process removed the folder before we had the lock.
  private static func make(in parent: OpenFile) throws -> (FilePath, OpenFile)? {
    let files = parent.files
    let name = FilePath("\(prefix)\(ThisProcess.pid).\(UInt32.random(in: 0 ..< .max))")
    try files.makeDirectory(name, at: parent.descriptor, permissions: 0o700)
    let folder = try OpenFile(name, at: parent.descriptor, mode: [.directory, .noFollow], files: files)
    guard try files.lock(folder.descriptor, kind: .exclusive), try files.exists(name, at: parent.descriptor) else {
      return nil
    }
    return (name, folder)
  }

  /// Removes it; what cannot be removed now, the next one will.
  package func remove() { ignoringFailure { try parent.files.removeTree(name, at: parent.descriptor) } }
}
