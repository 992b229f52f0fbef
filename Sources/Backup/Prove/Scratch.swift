internal import Files
internal import SystemPackage

/// A folder of our own for copies and for what an engine spills, locked as long as its maker lives.
///
/// What a killed process left there is removed by the next one.
struct Scratch {
  private static let prefix = "hrp-scratch."

  let path: FilePath
  private let parent: OpenFile
  private let folder: OpenFile
  private let name: FilePath

  /// Where scratch goes when there is no data directory: `TMPDIR`, else `/tmp`.
  static var standard: FilePath { FilePath(ThisProcess.environment("TMPDIR") ?? "/tmp") }

  init(in directory: FilePath = Scratch.standard, files: any FileSystem) throws {
    try files.makeDirectories(directory)
    parent = try OpenFile(directory, [.directory], files: files)
    try Self.tidy(parent)
    name = FilePath("\(Self.prefix)\(ThisProcess.pid).\(UInt32.random(in: 0 ..< .max))")
    try files.makeDirectory(name, at: parent.descriptor, permissions: 0o700)
    folder = try OpenFile(name, at: parent.descriptor, [.directory, .noFollow], files: files)
    _ = try files.lock(folder.descriptor, .exclusive)
    path = parent.path.appending(name.components)
  }

  /// Removes what dead makers left; another user's, or one that somebody works in, is not ours to remove.
  private static func tidy(_ parent: OpenFile) throws {
    let files = parent.files
    for entry in try files.entries(of: parent.descriptor) where entry.name.hasPrefix(prefix) {
      ignoringFailure {
        let old = try OpenFile(entry.name.path, at: parent.descriptor, [.directory, .noFollow], files: files)
        if try files.lock(old.descriptor, .exclusive) { try files.removeTree(entry.name.path, at: parent.descriptor) }
      }
    }
  }

  /// Removes it; what cannot be removed now, the next one will.
  func remove() { ignoringFailure { try parent.files.removeTree(name, at: parent.descriptor) } }
}
