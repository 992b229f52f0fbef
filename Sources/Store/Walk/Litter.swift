internal import Files

/// Files that file managers and other machines put into every folder that they look at.
package struct Litter {
  private static let names: Set<String> = [
    ".DS_Store", ".localized", "Icon\r", "Thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini", ".directory",
  ]
  /// What macOS keeps beside a file where the file system has no room for it.
  private static let prefix = "._"
  private static let maximumNames = 3

  private var first: [String] = []
  private var count = 0

  /// Notes a file that the lists of the backup do not name, if it is of this kind.
  /// - Returns: whether it is.
  mutating func take(_ path: EntryPath) -> Bool {
    let name = String(decoding: path.name.bytes, as: UTF8.self)
    guard Self.names.contains(name) || name.hasPrefix(Self.prefix) else { return false }
    if first.count < Self.maximumNames { first.append(path.text) }
    count += 1
    return true
  }

  /// What was found, as a sentence; nil when nothing was found.
  package var notice: String? {
    guard count > 0 else { return nil }
    let more = count > first.count ? " and \(count - first.count) more" : ""
    return "the backup holds what an operating system left there, which is not part of it: "
      + first.joined(separator: ", ") + more
  }
}
