package import Files
internal import SystemPackage

/// One entry of a backup with everything that its lists say of it.
package struct StoredEntry {
  private let item: any StoredItem
  /// nil in backups of the Python tool.
  package let manifest: ManifestLine?
  /// The hash of a file, as `checksums.txt` says it.
  let expected: Digest?

  init(_ item: any StoredItem, manifest: ManifestLine?, expected: Digest?) {
    self.item = item
    self.manifest = manifest
    self.expected = expected
  }

  package var path: EntryPath { item.path }
  package var status: FileStatus { item.status }
  /// Opens the contents of a file, which may be read after the visit.
  package func open() throws(SystemError) -> any ReadableBytes { try item.open() }
}

/// Walks a backup beside its two lists and notes every difference; what becomes of the contents is the visitor's.
///
/// Tree, `checksums.txt` and `manifest.jsonl` are in the same order, so all three pass by once and nothing is held in
/// memory. The same walk checks a fresh backup, verifies an old one and restores.
package final class ContentsWalk {

  private let backup: any StoredBackup
  private let checksums: OrderedList<ChecksumLine>?
  private let manifest: OrderedList<ManifestLine>?
  package private(set) var metadata: BackupMetadata?
  package private(set) var findings: [Finding] = []
  private var counts: [StackPart?: Int] = [:]
  /// Folders that could not be read.
  private var unread: [EntryPath] = []
  /// What operating systems left in the backup: it is not part of it and does no harm.
  package private(set) var litter = Litter()

  /// Opens the lists of a backup.
  ///
  /// Those that are missing or malformed are findings, not errors.
  package init(_ backup: any StoredBackup) throws {
    self.backup = backup
    let reading = try backup.metadata()
    metadata = reading?.metadata
    checksums = try Self.checksums(of: backup, written: metadata?.checksumsDigest)
    manifest = try Self.manifest(of: backup, written: metadata?.manifestDigest)
    noteLists()
    noteMetadata(reading)
  }

  /// How many files `checksums.txt` names.
  package var filesListed: Int { checksums?.count ?? 0 }

  /// Walks the backup.
  ///
  /// The visitor returns the hash of a file's contents, or nil where it did not read them; it is asked
  /// for files that are listed, and for directories and symlinks.
  package func run(_ visit: (StoredEntry) throws -> Digest?) throws {
    try backup.walk { step in
      try Interruption.check()
      switch step {
      case .directory(let entry):
        try meet(entry, visit: visit)
        return true
      case .entry(let entry):
        let isList = entry.path.isDirectly(in: .root) && BackupLayout.lists.contains(entry.path)
        if !isList { try meet(entry, visit: visit) }
        return true
      case .unreadable(let path, let error):
        if error.meansShortage { throw error }
        note(.unreadable(path, error: error))
        unread.append(path)
        return true
      }
    }
    try passChecksums(before: nil)
    try passManifest(before: nil)
  }

  /// Walks the backup and has its files read by the check meanwhile.
  ///
  /// - Returns: why the inside of files could not be looked at.
  package func run(_ check: ContentsCheck, skipping: (StoredEntry) -> Bool = { _ in false }) throws -> [String] {
    do {
      try run { entry in
        if !skipping(entry) { try check.take(entry) }
        return nil
      }
      return try check.finish(self)
    } catch {
      check.cancel()
      throw error
    }
  }

  /// Notes what a visitor found by looking into a file.
  package func note(_ finding: Finding) {
    guard counts[finding.part, default: 0] < Finding.maximumKept else { return }
    counts[finding.part, default: 0] += 1
    findings.append(finding)
  }

  // MARK: - Meeting of the three streams

  private func meet(_ entry: any StoredItem, visit: (StoredEntry) throws -> Digest?) throws {
    let isDirectory = entry.status.kind == .directory
    let key = isDirectory ? entry.path.bytes + [UInt8(ascii: "/")] : entry.path.bytes
    try passManifest(before: key)
    var line: ManifestLine?
    if let next = manifest?.next, next.key == key {
      line = next.element
      try manifest?.advance()
    }
    switch entry.status.kind {
    case .regular: try meetFile(entry, line: line, visit: visit)
    case .directory: try meetOther(entry, line: line, as: .directory, visit: visit)
    case .link: try meetOther(entry, line: line, as: .link, visit: visit)
    default: note(Finding(.unexpected, path: entry.path, detail: "it is \(entry.status.kind.words)"))
    }
  }

  private func meetFile(
    _ entry: any StoredItem, line: ManifestLine?, visit: (StoredEntry) throws -> Digest?
  ) throws {
    try passChecksums(before: entry.path.bytes)
    guard let next = checksums?.next, next.key == entry.path.bytes else {
      if line == nil, litter.take(entry.path) { return }
      return note(Finding(.unexpected, path: entry.path, detail: line == nil ? "" : "it is not in checksums.txt"))
    }
    try checksums?.advance()
    if manifest != nil {
      if let line, line.kind != .file || line.size != entry.status.size {
        note(
          Finding(.mismatch, path: entry.path, detail: "the manifest says \(line.kind.rawValue), \(line.size) bytes"))
      }
      if line == nil {
        note(Finding(.malformed, path: BackupLayout.manifest, detail: "does not name \(entry.path.text)"))
      }
    }
    let stored = StoredEntry(entry, manifest: line, expected: next.element.digest)
    do {
      if let found = try visit(stored), found != next.element.digest { note(Finding(.mismatch, path: entry.path)) }
    } catch let error as SystemError where error.path == entry.path.text && !error.meansShortage {
      note(.unreadable(entry.path, error: error))
    }
  }

  private func meetOther(
    _ entry: any StoredItem, line: ManifestLine?, as kind: ManifestLine.Kind,
    visit: (StoredEntry) throws -> Digest?
  ) throws {
    // Backups of the Python tool have no manifest: their folders are taken as they are, and they contain no symlinks.
    if manifest != nil, line?.kind != kind {
      return note(Finding(kind == .link ? .link : .unexpected, path: entry.path, detail: "it is not in the manifest"))
    }
    if manifest == nil, kind == .link { return note(Finding(.unexpected, path: entry.path, detail: "it is a symlink")) }
    if let target = line?.target, try entry.target() != target {
      return note(Finding(.link, path: entry.path, detail: "it leads to another place than when it was backed up"))
    }
    _ = try visit(StoredEntry(entry, manifest: line, expected: nil))
  }

  /// Notes the files that the list names and the tree does not hold.
  private func passChecksums(before key: [UInt8]?) throws {
    while let next = checksums?.next, key.map({ next.key.lexicographicallyPrecedes($0) }) ?? true {
      // What lies in a folder that cannot be read may be there.
      let isUnread = unread.contains { next.element.path.isInside($0) }
      if !isUnread { note(Finding(.missing, path: next.element.path)) }
      try checksums?.advance()
    }
  }

  /// Notes the symlinks and folders that the manifest names and the tree does not hold; files are in the other list.
  private func passManifest(before key: [UInt8]?) throws {
    while let next = manifest?.next, key.map({ next.key.lexicographicallyPrecedes($0) }) ?? true {
      switch next.element.kind {
      case _ where unread.contains(where: { next.element.path.isInside($0) }): break
      case .link: note(Finding(.link, path: next.element.path, detail: "it is missing"))
      case .directory: note(Finding(.missing, path: next.element.path, detail: "an empty folder"))
      case .file: break
      }
      try manifest?.advance()
    }
  }

  // MARK: - The lists themselves

  private func noteLists() {
    guard let checksums else { return note(Finding(.missing, path: BackupLayout.checksums)) }
    for problem in checksums.problems { note(Finding(.malformed, path: BackupLayout.checksums, detail: problem)) }
    if checksums.next == nil { note(Finding(.malformed, path: BackupLayout.checksums, detail: "names no file")) }
    for problem in manifest?.problems ?? [] { note(Finding(.malformed, path: BackupLayout.manifest, detail: problem)) }
  }

  private func noteMetadata(_ reading: MetadataReader.Reading?) {
    guard let reading else { return note(Finding(.missing, path: BackupLayout.metadata)) }
    if let problem = reading.problem { note(Finding(.malformed, path: BackupLayout.metadata, detail: problem)) }
    guard let metadata, metadata.isOurs else {
      // Nobody but us writes a manifest, and ours is always sealed by the metadata.
      if manifest != nil {
        note(Finding(.malformed, path: BackupLayout.metadata, detail: "does not belong to this backup"))
      }
      return
    }
    if let checksums, metadata.checksumsDigest != checksums.digest {
      note(Finding(.mismatch, path: BackupLayout.checksums, detail: "it is not the one that metadata.json names"))
    }
    if let manifest {
      if metadata.manifestDigest != manifest.digest {
        note(Finding(.mismatch, path: BackupLayout.manifest, detail: "it is not the one that metadata.json names"))
      }
    } else {
      note(Finding(.missing, path: BackupLayout.manifest))
    }
  }

  /// The list `checksums.txt` of a backup; nil when there is none.
  static func checksums(of backup: any StoredBackup, written: Digest?) throws -> OrderedList<ChecksumLine>? {
    try backup.list(BackupLayout.checksums).map { file in
      try OrderedList(file, written: written, key: { $0.path.bytes }) { try ChecksumLine(parsing: $0) }
    }
  }

  /// The list `manifest.jsonl` of a backup; nil when there is none.
  static func manifest(of backup: any StoredBackup, written: Digest?) throws -> OrderedList<ManifestLine>? {
    try backup.list(BackupLayout.manifest).map { file in
      try OrderedList(file, written: written, key: key) { try ManifestLine(parsing: $0) }
    }
  }

  /// Folders sort as if their name ended with `/`, as the tree is walked.
  private static func key(of line: ManifestLine) -> [UInt8] {
    line.kind == .directory ? line.path.bytes + [UInt8(ascii: "/")] : line.path.bytes
  }
}
