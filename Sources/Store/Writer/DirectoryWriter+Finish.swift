internal import Files
internal import SystemPackage

/// What comes after the last entry: durable, read back, listed (B3), and sealed (B4).
extension DirectoryWriter {
  /// Makes everything durable, reads it back from the device, and writes `checksums.txt` of what the device gave.
  /// - Throws: `BackupError` with the code `backup.read-back` when it is not what was written.
  package func finish(events: EventStream) throws -> Contents {
    try addWaiting()
    try written.finishAdding()
    try manifest.close(durable: false)
    events.send(.phase("making it durable"))
    try files.synchronizeTree(staging.folder)
    events.send(.phase("reading it back"))
    let findings = try ReadBack(written, in: staging.folder, files: files) { events.send(.progress(bytes: $0)) }.run()
    if let first = findings.first {
      let more = findings.count > 1 ? " and \(findings.count - 1) more" : ""
      throw BackupError.readBack("from the disk is not what was written: \(first.line)\(more)")
    }
    let manifestDigest = try manifest.readBack()
    let checksums = try DigestedList(BackupLayout.checksums, in: staging.folder)
    try written.visit { path, digest in try checksums.write(ChecksumLine(digest: digest, path: path).bytes) }
    try checksums.close(durable: true)
    return Contents(
      checksums: try checksums.readBack(), manifest: manifestDigest, filesCount: written.count,
      sizeBytes: written.sizeBytes)
  }

  /// Writes `metadata.json`, makes it durable, and reads it back.
  package func seal(_ fields: some Encodable) throws {
    try MetadataWriter.write(fields, at: staging.folder.descriptor, permissions: 0o444, files: files) { tell in
      try written.visit { path, _ in try tell(path) }
    }
    let file = try OpenFile(
      BackupLayout.metadata.name.path, at: staging.folder.descriptor, mode: [.noFollow], files: files)
    try files.dropCache(of: file.descriptor)
    if let problem = try MetadataReader.read(file).problem {
      throw BackupError.readBack("of metadata.json \(problem)")
    }
  }
}

extension BackupError {
  /// The disk did not give back what it was given.
  /// - Parameter what: the rest of a sentence that begins "what was read back".
  static func readBack(_ what: String) -> BackupError {
    BackupError(
      "backup.read-back", kind: .failed, message: "what was read back \(what)",
      remedy: "Check the disk (dmesg, smartctl -a) or name another one with --backup-dir.")
  }
}
