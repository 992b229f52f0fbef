internal import Files
internal import SystemPackage

/// What lies in a backup: the parts with their files and bytes, counted without reading a file.
package struct BackupContents: Sendable {
  /// One name at the top of a backup.
  package struct Part: Sendable {
    /// In readable form; a folder ends with `/`.
    package let name: String
    package var files = 0
    package var bytes: Int64 = 0
  }

  /// In the order of the names; the backup's own lists are left out.
  package private(set) var parts: [Part] = []
  /// Folders that could not be counted, each with the reason.
  package private(set) var unread: [String] = []

  /// Counts.
  /// - Throws: `SystemError` when the backup itself cannot be opened; `Interruption.Stopped`.
  package init(_ backup: any StoredBackup) throws {
    var parts: [Part] = []
    var unread: [String] = []
    try backup.walk { step in
      try Interruption.check()
      switch step {
      case .directory(let entry):
        if entry.path.parent.isRoot { parts.append(Part(name: entry.path.text + "/")) }
      case .entry(let entry):
        if BackupLayout.lists.contains(entry.path) { break }
        if entry.path.parent.isRoot { parts.append(Part(name: entry.path.text)) }
        parts[parts.count - 1].files += 1
        parts[parts.count - 1].bytes += entry.status.size
      case .unreadable(let path, let error):
        unread.append("\(path.text): \(error.errno)")
      }
      return true
    }
    self.parts = parts
    self.unread = unread
  }
}
