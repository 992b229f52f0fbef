internal import Files
internal import SystemPackage

/// The hidden folder in which a restore is staged, and the renames that publish it (R2, R3, R4).
final class RestoreStaging {
  let folder: OpenFile
  private let target: FilePath
  /// The directory that holds the staging folder: the target, or its parent when the target does not exist yet.
  private let parent: OpenFile
  private let hiddenName: FilePath
  private let isNewTarget: Bool
  private let files: any FileSystem

  init(for target: FilePath, files: any FileSystem) throws {
    self.target = target
    self.files = files
    isNewTarget = try !files.exists(target)
    let place = isNewTarget ? target.removingLastComponent() : target
    if isNewTarget { try files.makeDirectories(place) }
    parent = try OpenFile(place, [.directory], files: files)
    // One name for each target: two restores to one place meet here.
    let own = isNewTarget ? target.lastComponent.map { "." + FileName($0).path.string } ?? "" : ""
    hiddenName = FilePath("\(own).hrp-restore\(BackupLayout.partialSuffix)")
    folder = try Self.make(hiddenName, in: parent, for: target, files: files)
  }

  /// Makes and locks the folder; what a crashed restore left under that name is removed.
  private static func make(
    _ name: FilePath, in parent: OpenFile, for target: FilePath, files: any FileSystem
  ) throws -> OpenFile {
    if try files.exists(name, at: parent.descriptor) {
      let old = try OpenFile(name, at: parent.descriptor, [.directory, .noFollow], files: files)
      guard try files.lock(old.descriptor, .exclusive) else {
        throw BackupError(
          "restore.busy", .busy, "another hrp is restoring to \(target.text)", remedy: "Wait until it is done.")
      }
      try files.removeTree(name, at: parent.descriptor)
    }
    try files.makeDirectory(name, at: parent.descriptor, permissions: 0o755)
    let folder = try OpenFile(
      name, at: parent.descriptor, [.directory, .noFollow], shown: parent.path.appending(name.components), files: files)
    guard try files.lock(folder.descriptor, .exclusive) else {
      throw BackupError(
        "restore.busy", .busy, "another hrp is restoring to \(target.text)", remedy: "Wait until it is done.")
    }
    return folder
  }

  /// Puts everything in its place.
  ///
  /// Returns what there is now, in the backup's names.
  func publish(_ place: RestorePlacement, note: ProcessNote, _ time: any TimeSource) throws -> [String] {
    let hasDatabase = try files.exists(BackupLayout.database.name.path, at: folder.descriptor)
    let hasMLflow = try files.exists("mlflow", at: folder.descriptor)
    if place.isFlat, hasMLflow { try flatten() }
    if isNewTarget {
      try files.renameNew(hiddenName, at: parent.descriptor, to: target, at: nil)
      try parent.synchronize()
    } else {
      try publishInto(target, note, time)
    }
    return (hasDatabase ? ["hrp.duckdb"] : []) + (hasMLflow ? ["mlruns/"] : [])
  }

  /// The flat layout: what is staged as `mlflow/` belongs beside the database.
  private func flatten() throws {
    let mlflow = try OpenFile("mlflow", at: folder.descriptor, [.directory, .noFollow], files: files)
    for entry in try files.entries(of: mlflow.descriptor) {
      try files.renameNew(entry.name.path, at: mlflow.descriptor, to: entry.name.path, at: folder.descriptor)
    }
    try mlflow.close()
    try files.removeDirectory("mlflow", at: folder.descriptor)
  }

  private func publishInto(_ target: FilePath, _ note: ProcessNote, _ time: any TimeSource) throws {
    let lock = try AdvisoryLock.take(.exclusive, .stack, on: target, note: note, files: files, time: time)
    defer { try? lock.release() }
    // The database last (R3): names before it in this order are of no use to an engine without it.
    let last = [BackupLayout.log.name, BackupLayout.database.name]
    let names = try files.entries(of: folder.descriptor).map(\.name).filter { !last.contains($0) }.sorted()
    for name in names + last where try files.exists(name.path, at: folder.descriptor) {
      try files.renameNew(name.path, at: folder.descriptor, to: name.path, at: parent.descriptor)
    }
    try parent.synchronize()
    try files.removeTree(hiddenName, at: parent.descriptor)
  }

  func discard() throws(SystemError) { try files.removeTree(hiddenName, at: parent.descriptor) }
}
