internal import DuckDBFile
internal import Files
internal import MLflow
internal import Stacks
internal import Store
internal import SystemPackage

extension BackupRun {
  /// Everything that is known of a backup before it is published.
  struct Report {
    let staging: Staging
    let lists: BackupLists
    let digests: (checksums: Digest, manifest: Digest)
    let database: CopiedDatabase
    let mlflow: CopiedStore?
    /// What of MLflow an earlier backup has, and is not there.
    let lost: [CreateResult.SourceNote]
    let durationSeconds: Double

    var notes: MLflowCopy.Notes {
      var notes = mlflow?.notes ?? MLflowCopy.Notes()
      notes.unread += lost
      return notes
    }
    var isComplete: Bool { notes.unread.isEmpty }
    /// What could not be read is in no check: an incomplete backup is never called verified.
    var isVerified: Bool { isComplete }

    func result(path: FilePath) -> CreateResult {
      let copied = database.result
      return CreateResult(
        path: path.text, name: staging.publishedName ?? staging.name,
        timestamp: LocalTime(nanoseconds: staging.began).iso8601WithOffset, sizeBytes: lists.sizeBytes,
        filesCount: lists.filesCount, checksumFile: path.appending("checksums.txt").text,
        includesMLflow: mlflow != nil, durationSeconds: durationSeconds, isVerified: isVerified,
        isComplete: isComplete,
        snapshot: CreateResult.Snapshot(
          method: copied.method.rawValue, iteration: copied.iteration, walBytes: copied.walBytes,
          blocksCopied: copied.blocksInUse, blocksFree: copied.blocksFree, passes: copied.passes),
        unread: notes.unread, unstable: notes.unstable, skipped: notes.skipped,
        sharedWith: mlflow?.sharedWith.map { ByteText.escaped($0.bytes) }, sharedBytes: mlflow?.sharedBytes ?? 0)
    }
  }

  /// Tells what is not in the backup, or not as it should be.
  func tell(_ report: Report) {
    for note in report.notes.unread.prefix(100) {
      events.send(.warning("could not be read, and is not in the backup: \(note.path) (\(note.why))"))
    }
    for note in report.notes.unstable.prefix(100) {
      events.send(.warning("never held still, and is in the backup as read last: \(note.path)"))
    }
    for note in report.notes.skipped.prefix(100) {
      events.send(.notice("not in the backup: \(note.path) (\(note.why))"))
    }
    let (unread, unstable) = (report.notes.unread.count - 100, report.notes.unstable.count - 100)
    if unread > 0 { events.send(.warning("and \(unread) more could not be read (\"unread\" in metadata.json)")) }
    if unstable > 0 {
      events.send(.warning("and \(unstable) more never held still (\"unstable\" in metadata.json)"))
    }
    if let copied = report.mlflow, let scheme = copied.store.remoteScheme {
      events.send(
        .notice(
          copied.survey.hasRecords
            ? "MLflow's records in \(copied.store.directory.text) are in the backup; if the server that "
              + "MLFLOW_TRACKING_URI names (\(scheme)) keeps others elsewhere, those are not"
            : "the tracking records are on a server (\(scheme)) and not in the backup"))
    }
    guard let survey = report.mlflow?.survey, survey.outside + survey.remote > 0 else { return }
    let places = survey.places.sorted { $0.value > $1.value }.prefix(3).map { "\($0.key): \($0.value)" }
    events.send(
      .notice(
        "artifacts of \(survey.outside + survey.remote) records are not in the backup: they are recorded outside of "
          + "the MLflow directory (\(places.joined(separator: ", ")))"))
  }

  /// An MLflow directory that an earlier backup of this stack has, as what could not be read; nil: none has.
  ///
  /// A backup without it is not whole: else those that have it would be rotated away one by one.
  func lostStore() throws -> CreateResult.SourceNote? {
    guard let earlier = try earlierWithStore() else { return nil }
    return .init(
      path: stack.dataDirectory.appending("mlflow").text,
      why: "there is no MLflow directory, and \(ByteText.escaped(earlier.name.bytes)) has one; if it was removed for "
        + "good, pass --no-mlflow")
  }

  private func earlierWithStore() throws -> ListedBackup? {
    try BackupDirectory(stack.backupDirectory, files: files).newest(of: stack, holding: .mlflow)
  }

  /// What the backup before has at the top of a store, and the store has not: its databases and its folders.
  ///
  /// Who removed it for good is told once: the next backup is compared with this one.
  func lostParts(of store: MLflowStore) throws -> [CreateResult.SourceNote] {
    guard let earlier = try earlierWithStore() else { return [] }
    let name = ByteText.escaped(earlier.name.bytes)
    var lost: [CreateResult.SourceNote] = []
    for folder in BackupLayout.stores.map({ earlier.path.appending($0.name.path.components) })
    where try files.exists(folder) {
      let stored = try OpenFile(folder, [.directory], files: files)
      let databases = try MLflowStore.databases(in: stored)
      let folders = try files.entries(of: stored.descriptor).filter { $0.kind == .directory }.map(\.name)
      for part in databases + folders.sorted() where store.holds(part) {
        let path = store.directory.appending(part.path.components)
        guard try !files.exists(path) else { continue }
        lost.append(.init(path: path.text, why: "it is not there, and \(name) has it: hrp recover says what helps"))
      }
    }
    return lost
  }

  /// Notes the folders in a store that hold backups and are left out, but for the one that backups go to.
  func noteOldBackups(in store: MLflowStore, _ copy: MLflowCopy) throws {
    let folder = try OpenFile(store.directory, [.directory], files: files)
    let current = try OpenFile(stack.backupDirectory, [.directory], files: files).status().identity
    for name in try OldBackups.find(in: folder) where store.holds(name) {
      guard try files.status(name.path, at: folder.descriptor).identity != current else { continue }
      copy.note(skipped: name, "it holds backups")
    }
  }

  func writeMetadata(_ report: Report) throws {
    let folder = report.staging.folder
    try MetadataWriter.write(
      fields(report), at: folder.descriptor, permissions: 0o444, files: files
    ) { tell in
      let file = try OpenFile(BackupLayout.checksums.name.path, at: folder.descriptor, [.noFollow], files: files)
      let lines = LineReader(file)
      while let line = try lines.next() { try tell(try ChecksumLine(parsing: line).path) }
    }
  }

  private func fields(_ report: Report) -> [(String, JSONText)] {
    let began = LocalTime(nanoseconds: report.staging.began)
    return [
      ("timestamp", .text(began.iso8601)),
      ("created_at", .number(Double(report.staging.began / 1000) / 1e6)),
      ("size_bytes", .whole(report.lists.sizeBytes)),
      ("size_mb", .number(ByteCount.roundedMegabytes(report.lists.sizeBytes))),
      ("include_mlflow", .flag(report.mlflow != nil)),
      ("hrp_version", .text(Version.current)),
      ("source_dir", .text(stack.dataDirectory.text)),
      ("source_dir_real", .text((ThisProcess.realPath(stack.dataDirectory) ?? stack.dataDirectory).text)),
      ("format", .whole(1)),
      ("name", .text(report.staging.name)),
      ("timestamp_with_offset", .text(began.iso8601WithOffset)),
      ("duration_seconds", .number((report.durationSeconds * 1000).rounded() / 1000)),
      ("verified", .flag(report.isVerified)),
      ("complete", .flag(report.isComplete)),
      ("host", .text(ThisProcess.host)),
      ("database", database(report.database)),
      ("snapshot", snapshot(report.database)),
      ("mlflow", mlflow(report)),
      ("shared", shared(report)),
      ("unread", .list(report.notes.unread.map(note))),
      ("unstable", .list(report.notes.unstable.map(note))),
      ("skipped", .list(report.notes.skipped.map(note))),
      ("checksums_sha256", .text(report.digests.checksums.hex)),
      ("manifest_sha256", .text(report.digests.manifest.hex)),
      ("files_count", .whole(Int64(report.lists.filesCount))),
    ]
  }

  private func database(_ copied: CopiedDatabase) -> JSONText {
    .object([
      ("path", .text(copied.path.text)),
      ("name", .text(copied.path.lastComponent.map { FileName($0).path.text } ?? "")),
      ("storage_version", .whole(Int64(clamping: copied.result.storageVersion))),
      ("library_version", .text(copied.result.libraryVersion)),
      ("block_size", .whole(copied.result.blockSize)),
    ])
  }

  private func snapshot(_ copied: CopiedDatabase) -> JSONText {
    .object([
      ("method", .text(copied.result.method.rawValue)),
      ("shares_storage", .flag(copied.result.method == .reflink)),
      ("iteration", .optional(copied.result.iteration.map { Int64(clamping: $0) })),
      ("wal_bytes", .whole(copied.result.walBytes)),
      ("blocks_copied", .whole(Int64(copied.result.blocksInUse))),
      ("blocks_free", .whole(Int64(copied.result.blocksFree))),
      ("passes", .whole(Int64(copied.result.passes))),
    ])
  }

  private func mlflow(_ report: Report) -> JSONText {
    guard let copied = report.mlflow else { return .null }
    let store = copied.store
    return .object([
      ("directory", .text(store.directory.text)),
      ("directory_real", .text((ThisProcess.realPath(store.directory) ?? store.directory).text)),
      ("layout", .text(store.layout.rawValue)),
      ("remote_tracking", .optional(store.remoteScheme)),
      ("artifacts_inside", .whole(Int64(copied.survey.inside))),
      ("artifacts_outside", .whole(Int64(copied.survey.outside))),
      ("artifacts_remote", .whole(Int64(copied.survey.remote))),
      (
        "places_not_in_backup",
        .object(copied.survey.places.sorted { $0.key < $1.key }.map { ($0.key, .whole(Int64($0.value))) })
      ),
    ])
  }

  /// Which bytes this backup shares with another one, file by file hard-linked.
  private func shared(_ report: Report) -> JSONText {
    guard let copied = report.mlflow, let backup = copied.sharedWith else { return .null }
    return .object([
      ("backup", .text(ByteText.escaped(backup.bytes))), ("bytes", .whole(copied.sharedBytes)),
      ("files", .whole(Int64(copied.sharedFiles))),
    ])
  }

  private func note(_ note: CreateResult.SourceNote) -> JSONText {
    .object([("path", .text(note.path)), ("why", .text(note.why))])
  }
}
