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
    let contents: DirectoryWriter.Contents
    let database: CopiedDatabase
    let mlflow: CopiedStore?
    /// Parts of MLflow that an earlier backup has and that are missing now.
    let lost: [CreateResult.SourceNote]
    let durationSeconds: Double

    var notes: MLflowSource.Notes {
      var notes = mlflow?.notes ?? MLflowSource.Notes()
      notes.unread += lost
      return notes
    }
    var isComplete: Bool { notes.unread.isEmpty }
    /// Files that could not be read were not checked, so an incomplete backup is never called verified.
    var isVerified: Bool { isComplete }

    func result(path: FilePath) -> CreateResult {
      let copied = database.result
      return CreateResult(
        path: path.text, name: staging.publishedName ?? staging.name,
        timestamp: LocalTime(nanoseconds: staging.began).iso8601WithOffset, sizeBytes: contents.sizeBytes,
        filesCount: contents.filesCount, checksumFile: path.appending("checksums.txt").text,
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
      events.send(.warning("changed whenever it was read, and is in the backup as read last: \(note.path)"))
    }
    for note in report.notes.skipped.prefix(100) {
      events.send(.notice("not in the backup: \(note.path) (\(note.why))"))
    }
    let (unread, unstable) = (report.notes.unread.count - 100, report.notes.unstable.count - 100)
    if unread > 0 { events.send(.warning("and \(unread) more could not be read (\"unread\" in metadata.json)")) }
    if unstable > 0 {
      events.send(.warning("and \(unstable) more changed whenever they were read (\"unstable\" in metadata.json)"))
    }
    if let copied = report.mlflow, let scheme = copied.store.remoteScheme {
      events.send(
        .notice(
          copied.scan.hasRecords
            ? "MLflow's records in \(copied.store.directory.text) are in the backup; if the server that "
              + "MLFLOW_TRACKING_URI names (\(scheme)) keeps others elsewhere, those are not"
            : "the tracking records are on a server (\(scheme)) and not in the backup"))
    }
    guard let scan = report.mlflow?.scan, scan.outside + scan.remote > 0 else { return }
    let places = scan.places.sorted { $0.value > $1.value }.prefix(3).map { "\($0.key): \($0.value)" }
    events.send(
      .notice(
        "artifacts of \(ItemCount.text(scan.outside + scan.remote, of: "record")) are not in the backup: "
          + "they are recorded outside of "
          + "the MLflow directory (\(places.joined(separator: ", ")))"))
  }

  /// A note about an MLflow directory that is missing now and that an earlier backup has; nil when no backup has one.
  ///
  /// A backup without it is incomplete. Otherwise rotation would delete, one by one, the backups that have it.
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

  /// Databases and folders at the top of a store that the previous backup has and that are missing now.
  ///
  /// When the user removed them on purpose, this is reported once: the next backup is compared with this one.
  func lostParts(of store: MLflowStore) throws -> [CreateResult.SourceNote] {
    guard let earlier = try earlierWithStore() else { return [] }
    let name = ByteText.escaped(earlier.name.bytes)
    return try LostParts.find(in: store, beside: earlier, files: files).map { path in
      .init(path: path.text, why: "it is not there, and \(name) has it: hrp recover says what helps")
    }
  }

  /// Notes the folders in a store that hold backups and are left out, but for the one that backups go to.
  func noteOldBackups(in source: MLflowSource) throws {
    let folder = source.root
    let current = try OpenFile(stack.backupDirectory, mode: [.directory], files: files).status().identity
    for name in try OldBackups.find(in: folder) where source.store.holds(name) {
      guard try files.status(name.path, at: folder.descriptor).identity != current else { continue }
      source.note(skipped: name, "it holds backups")
    }
  }
}
