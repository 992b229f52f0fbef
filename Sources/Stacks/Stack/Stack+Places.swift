package import Files
package import Settings
package import Store
internal import SystemPackage

extension Stack {
  /// The second places that are configured.
  package var secondPlaces: [PlaceSettings] { settings.places.places }

  /// A configured place.
  package func place(_ place: PlaceSettings, files: any FileSystem, time: any TimeSource) -> DirectoryPlace {
    DirectoryPlace(
      title: place.name, path: dataDirectory.pushing(FilePath(expandingTilde: place.path)).lexicallyNormalized(),
      id: place.id, files: files, time: time)
  }

  /// The place that a user names: by a name of the configuration, or by a directory.
  /// - Throws: `BackupError` `place.unknown`, `place.unsupported`.
  package func place(named text: String, files: any FileSystem, time: any TimeSource) throws(BackupError)
    -> DirectoryPlace
  {
    if let configured = secondPlaces.first(where: { $0.name == text }) {
      return place(configured, files: files, time: time)
    }
    if text.hasPrefix("rest:") || text.hasPrefix("rclone:") {
      throw BackupError(
        "place.unsupported", kind: .usage, message: "\(text) is a vault, which this version of hrp does not have",
        remedy: "Name a directory, or a place of the configuration.")
    }
    guard text.contains("/") || text == "~" || text == "." || text == ".." else { throw unknownPlace(text) }
    let path = Self.absolute(text)
    return DirectoryPlace(title: path.text, path: path, files: files, time: time)
  }

  /// Splits a backup's name as a user gives it: `offsite:latest`, `/mnt/usb:2`.
  /// - Returns: the place, nil for the backup directory, and what is named there.
  /// - Throws: `BackupError` `place.unknown`, `place.unsupported`; `SystemError`.
  package func place(ofBackup text: String, files: any FileSystem, time: any TimeSource) throws
    -> (place: DirectoryPlace?, name: String)
  {
    guard let first = text.firstIndex(of: ":"), let last = text.lastIndex(of: ":") else { return (nil, text) }
    let name = String(text[..<first])
    if name == "rest" || name == "rclone" || secondPlaces.contains(where: { $0.name == name }) {
      return (
        try place(named: name == "rest" || name == "rclone" ? text : name, files: files, time: time),
        String(text[text.index(after: first)...])
      )
    }
    let folder = String(text[..<last])
    if folder.contains("/") {
      // A directory may have a colon in its name.
      if try files.exists(Self.absolute(text)) { return (nil, text) }
      return (try place(named: folder, files: files, time: time), String(text[text.index(after: last)...]))
    }
    throw unknownPlace(name)
  }

  private func unknownPlace(_ name: String) -> BackupError {
    let known = secondPlaces.map(\.name)
    let words = known.isEmpty ? "no places are configured" : "what there is: \(known.joined(separator: ", "))"
    return BackupError(
      "place.unknown", kind: .notFound, message: "there is no place \(name); \(words)",
      remedy: "Add it to places: in \(configurationFile(Kernel()).path.text), or name a directory, such as ./\(name)")
  }
}
