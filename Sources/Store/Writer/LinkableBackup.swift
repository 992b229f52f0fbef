internal import Files
internal import SystemPackage

/// A stored backup whose files can be hard-linked into another one.
///
/// Entries are asked for in the order of the lists, so both lists pass by once. It is locked against removal for as
/// long as this lives.
package final class LinkableBackup {
  /// A stored file, as the lists have it.
  package struct Stored {
    package let line: ManifestLine
    let digest: Digest
  }

  /// What became of a hard link.
  enum Outcome {
    case linked
    /// A verification found the stored file damaged, so it is not handed on.
    case damaged
    /// The stored file is not as its lists have it, or the file system makes no hard link of it: a copy does as well.
    case impossible
  }

  let name: FileName
  /// Whether the file system refused a hard link to a file that is there and right.
  private(set) var wasRefused = false
  private let damaged: DamagedFiles
  private let files: any FileSystem
  private let root: OpenFile
  private let chain: DirectoryChain
  private let checksums: OrderedList<ChecksumLine>
  private let manifest: OrderedList<ManifestLine>

  /// Whether a backup is one of ours, complete, and verified when it was made.
  static func isLinkable(_ backup: ListedBackup) -> Bool {
    guard let metadata = backup.metadata else { return false }
    return metadata.isOurs && metadata.verified == true && metadata.complete == true
  }

  /// Opens a backup; returns nil when its own seals do not hold: a list that somebody changed is not believed.
  init?(_ backup: ListedBackup, files: any FileSystem) throws {
    guard let metadata = backup.metadata, backup.metadataProblem == nil else { return nil }
    name = backup.name
    damaged = try DamagedFiles(in: backup.path.folder, files: files)
    self.files = files
    root = try OpenFile(backup.path, mode: [.directory, .noFollow], files: files)
    chain = DirectoryChain(root: root)
    let folder = DirectoryBackup(adopting: root)
    guard try files.lock(root.descriptor, kind: .shared),
      let checksums = try ContentsWalk.checksums(of: folder, written: metadata.checksumsDigest),
      let manifest = try ContentsWalk.manifest(of: folder, written: metadata.manifestDigest),
      checksums.problems.isEmpty, manifest.problems.isEmpty, checksums.digest == metadata.checksumsDigest,
      manifest.digest == metadata.manifestDigest
    else { return nil }
    self.checksums = checksums
    self.manifest = manifest
  }

  /// What the lists say of a file; nil when they do not name it.
  func find(_ path: EntryPath) throws -> Stored? {
    try pass(checksums, before: path.bytes)
    try pass(manifest, before: path.bytes)
    guard let sum = checksums.next, sum.key == path.bytes, let line = manifest.next, line.key == path.bytes else {
      return nil
    }
    return Stored(line: line.element, digest: sum.element.digest)
  }

  /// Hard-links a stored file into a folder, under its own name.
  func link(_ stored: Stored, at directory: Descriptor) throws -> Outcome {
    let path = stored.line.path
    let (from, name) = (try chain.directory(holding: path), path.name.path)
    do throws(SystemError) {
      let status = try files.status(name, at: from)
      // Stored copies are never written to. One whose times say otherwise is not handed on.
      guard status.kind == .regular, status.size == stored.line.size,
        status.modifiedNanoseconds == stored.line.modifiedNanoseconds
      else { return .impossible }
      guard !damaged.mayHold(status.identity) else { return .damaged }
    } catch {
      // It may be gone: then a copy does as well.
      return .impossible
    }
    do throws(SystemError) {
      try files.makeHardLink(name, at: directory, to: name, at: from)
      return .linked
    } catch {
      // It may be on another file system, or have too many hard links: then a copy does as well.
      wasRefused = true
      return .impossible
    }
  }

  private func pass<Element>(_ list: OrderedList<Element>, before key: [UInt8]) throws {
    while let next = list.next, next.key.lexicographicallyPrecedes(key) { try list.advance() }
  }
}
