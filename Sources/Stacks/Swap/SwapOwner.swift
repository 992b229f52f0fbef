package import Files
internal import Store
package import SystemPackage

/// The file by which a hidden folder says which swap it is part of.
///
/// Only the hidden folder in the database's directory is found by its own name. The plan names the one in the store's
/// directory, and anybody may have changed the plan. So that folder holds the path of the first one and the plan's
/// nonce.
package struct SwapOwner: Equatable {
  static let name = FilePath("owner")

  /// The hidden folder in the database's directory, under the name that it has when the swap is committed.
  package let committed: FilePath
  /// nil in those that an earlier version wrote.
  let nonce: String?

  /// The place, and behind a NUL the nonce: an earlier version reads the place.
  var bytes: [UInt8] { committed.bytes + (nonce.map { [0] + Array($0.utf8) } ?? []) }

  package init(committed: FilePath, nonce: String) {
    self.committed = committed
    self.nonce = nonce
  }

  /// Reads the owner file in a folder; returns nil when there is none.
  /// - Throws: `SystemError` when it cannot be told.
  package init?(in folder: OpenFile) throws(SystemError) {
    let files = folder.files
    guard try files.exists(Self.name, at: folder.descriptor),
      try files.status(Self.name, at: folder.descriptor).kind == .regular
    else { return nil }
    let bytes = try OpenFile(Self.name, at: folder.descriptor, mode: [.noFollow], files: files).read(count: 8192, at: 0)
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    committed = FilePath(bytes: Array(parts[0]))
    nonce = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : nil
  }

  /// Writes it into a new folder.
  package func write(in folder: OpenFile, for owner: FileOwner) throws(SystemError) {
    let file = try OpenFile(
      Self.name, at: folder.descriptor, mode: [.write, .create, .exclusive], permissions: 0o600, files: folder.files)
    try file.write(bytes, at: 0)
    try folder.files.give(file.descriptor, to: owner)
    try file.close()
  }

  /// A nonce that nobody can know beforehand: 128 bits of the system's generator.
  package static func newNonce() -> String {
    var random = SystemRandomNumberGenerator()
    let words = (0..<2).map { _ in String(random.next() | 1 << 63, radix: 16) }
    return words.joined()
  }
}

extension SwapPlan {
  /// Opens the hidden folder in one of the swap directories, and checks that it belongs to this swap.
  ///
  /// - Parameter name: as it is called now.
  /// - Throws: `BackupError` `restore.foreign-folder`: it is somebody else's, and not touched; `SystemError`.
  package func openHidden(_ name: FileName, of role: Role, in place: OpenFile) throws -> OpenFile {
    let displayPath = place.path.appending(name.path.components)
    let folder = try OpenFile(
      name.path, at: place.descriptor, mode: [.directory, .noFollow], displayPath: displayPath, files: place.files)
    guard role == .store else { return folder }
    guard Self.isHidden(name), let owner = try SwapOwner(in: folder), isOurs(owner) else {
      throw BackupError(
        "restore.foreign-folder", kind: .failed,
        message: "\(displayPath.text) is no folder of the restore that names it",
        remedy: "It was not touched. Check who wrote \(database.path.text): a plan that came with copied files "
          + "cannot be trusted. If it is a stranger's, remove the hidden folder there whose plan.json names it.")
    }
    return folder
  }

  private func isOurs(_ owner: SwapOwner) -> Bool {
    if let nonce { return owner.nonce == nonce }
    // Written by an earlier version: by the place where the swap was made.
    guard owner.nonce == nil, let last = owner.committed.lastComponent else { return false }
    return owner.committed.removingLastComponent() == origin ?? database.path && FileName(last).isOfRestore
  }

  /// Whether a name is one that a restore gives to its hidden folders.
  static func isHidden(_ name: FileName) -> Bool {
    let text = String(decoding: name.bytes, as: UTF8.self)
    guard text.hasPrefix("."), text.utf8.count == name.bytes.count else { return false }
    if text.hasSuffix(".hrp-restore") || text.hasSuffix(".hrp-restore.partial") { return true }
    guard let number = text.split(separator: ".").last, Int(number) != nil else { return false }
    return text.hasSuffix(".hrp-undo.\(number)")
  }
}
