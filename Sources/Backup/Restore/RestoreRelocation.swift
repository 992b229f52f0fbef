internal import Files
internal import MLflow
internal import Stacks
internal import Store
internal import SystemPackage

/// Makes a staged MLflow store name the place that it is going to.
///
/// Locations that name the MLflow directory of the backup's source are rewritten; nothing else is.
struct RestoreRelocation {
  private let relocation: Relocation
  private let staging: RestoreStaging

  /// - Parameter store: where the store's files will lie, as the user names it.
  init(of metadata: BackupMetadata?, store: FilePath, in staging: RestoreStaging) {
    let place = { (text: String?) in text.flatMap { ByteText.bytes(of: $0.utf8) }.map { FilePath(bytes: $0) } }
    let realStore = RealPath.ofWhatExists(store)
    let sources = [place(metadata?.sourceDirectory), place(metadata?.realSourceDirectory)].compactMap { $0 }
    // A program that used a path with symlinks may have recorded it with the symlinks resolved.
    var pairs = [
      (place(metadata?.mlflowDirectory), store), (place(metadata?.realMLflowDirectory), realStore),
    ]
    // The Python tool does not say where the store was: it took `mlflow` in the data directory.
    if metadata?.mlflowDirectory == nil { pairs = sources.map { ($0.appending("mlflow"), store) } }
    var moved = pairs.compactMap { old, new in old.map { (old: $0, new: new) } }
    if metadata?.mlflowLayout == "flat" {
      // Only these names of the directory came with the backup.
      moved = moved.flatMap { old, new in
        ["mlruns", "mlartifacts"].map { (old: old.appending($0), new: new.appending($0)) }
      }
    }
    relocation = Relocation(moved, leaving: sources)
    self.staging = staging
  }

  /// Rewrites; does nothing where the store comes back to its own place, or where none is restored.
  /// - Throws: `SQLiteError`, `SystemError`, `Interruption.Stopped`.
  func run() throws -> StoreRelocation.Result {
    guard !relocation.isEmpty, let root = try openStore() else { return StoreRelocation.Result() }
    return try StoreRelocation(relocation, of: root).run()
  }

  private func openStore() throws -> OpenFile? {
    let (folder, name) = (staging.storeFolder, staging.storePath.name.path)
    if staging.storePath.isRoot { return folder }
    guard try folder.files.exists(name, at: folder.descriptor) else { return nil }
    return try OpenFile(
      name, at: folder.descriptor, mode: [.directory, .noFollow], displayPath: folder.path.appending(name.components),
      files: folder.files)
  }
}
