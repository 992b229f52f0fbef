package import Files
package import SystemPackage

/// The configuration file of a stack, `config/hrp.yaml` in its data directory.
package struct SettingsFile: Sendable {
  /// More is no configuration that somebody wrote.
  package static let maximumBytes: Int64 = 1 << 20

  private let name: FilePath

  package let path: FilePath
  private let files: any FileSystem

  /// - Parameter name: of another file beside it.
  package init(in dataDirectory: FilePath, named name: FilePath = "hrp.yaml", files: any FileSystem) {
    self.name = name
    path = dataDirectory.appending("config").appending(name.components)
    self.files = files
  }

  /// The text of the file; nil when there is no such file.
  /// - Throws: `SystemError` when it cannot be read, `SettingsProblem` when it is no text or too large.
  package func text() throws -> String? {
    guard let file = try OpenFile.ifPresent(path, files: files) else {
      try checkAbsent()
      return nil
    }
    let status = try file.status()
    guard status.kind == .regular, status.size <= Self.maximumBytes else {
      throw SettingsProblem(line: nil, message: "it is \(status.kind.words) of \(status.size) bytes: no configuration")
    }
    let bytes = try file.read(count: Int(status.size), at: 0)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SettingsProblem(line: nil, message: "it is not text in UTF-8")
    }
    // Some editors put a mark at the beginning that says nothing.
    return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
  }

  /// A symlink to nothing is a file on a disk that is not mounted, and not "no configuration".
  private func checkAbsent() throws {
    if try files.statusIfPresent(path) != nil {
      throw SettingsProblem(line: nil, message: "it is a symlink to nothing: is a disk not mounted?")
    }
    guard let folder = try files.statusIfPresent(path.folder) else { return }
    let isFolder = folder.kind == .directory || (folder.kind == .link && RealPath.of(path.folder) != nil)
    guard isFolder else {
      throw SettingsProblem(line: nil, message: "\(path.folder.text) is \(folder.kind.words), and no directory")
    }
  }

  /// Writes the file that explains every key; it appears whole, or not at all.
  ///
  /// Only its owner can read it: addresses of notices may hold secrets.
  /// - Returns: false when there is a file already, which stays as it is.
  /// - Throws: `SystemError`, also when there is no data directory.
  package func create() throws(SystemError) -> Bool {
    if try files.exists(path) { return false }
    let directory = path.folder
    if try !files.exists(directory) { try files.makeDirectoryOfItsOwner(directory) }
    let folder = try OpenFile(directory, mode: [.directory], files: files)
    let staged = FilePath(RandomName.make(".hrp.yaml-") + ".partial")
    let file = try OpenFile(
      staged, at: folder.descriptor, mode: [.write, .create, .exclusive], permissions: 0o600, files: files)
    do throws(SystemError) {
      try files.giveNew(file.descriptor, to: folder.status().owner)
      try file.write(Array(SettingsTemplate.text.utf8), at: 0)
      try file.synchronize()
      try file.close()
      try files.renameNew(
        staged, at: folder.descriptor, to: name, at: folder.descriptor)
    } catch {
      ignoringFailure { try files.remove(staged, at: folder.descriptor) }
      if error.errno == .fileExists { return false }
      throw error
    }
    try folder.synchronize()
    return true
  }
}
