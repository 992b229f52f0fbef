package import Files
internal import MLflow
package import Settings
internal import Store
package import SystemPackage

extension Stack {
  /// Why a directory cannot be a second place of this stack, as a clause; nil when it can.
  /// - Throws: `SystemError`, and what finding the MLflow directory throws.
  package func problem(ofPlace path: FilePath, files: any FileSystem) throws -> String? {
    let place = RealPath.ofWhatExists(path)
    if place == RealPath.ofWhatExists(backupDirectory) { return "it is the backup directory itself" }
    if place == RealPath.ofWhatExists(dataDirectory) { return "it is the data directory itself" }
    if let backup = try BackupLayout.enclosingBackup(of: path, files: files) {
      return "it lies in a backup, \(backup.text)"
    }
    if place.starts(with: RealPath.ofWhatExists(backupDirectory)) { return "it lies in the backup directory" }
    if let store = try mlflow(files: files), store.directory != dataDirectory,
      place.starts(with: RealPath.ofWhatExists(store.directory))
    {
      return "it lies in the MLflow directory, and would become part of every backup"
    }
    return nil
  }

  /// The mistakes in the second places of the configuration, each with its line.
  package func problemsOfPlaces(files: any FileSystem, time: any TimeSource) throws -> [SettingsProblem] {
    var seen: [FilePath: String] = [:]
    return try secondPlaces.compactMap { configured in
      let path = place(configured, files: files, time: time).path
      let real = RealPath.ofWhatExists(path)
      defer { seen[real] = seen[real] ?? configured.name }
      let other = seen[real].map { "it is the place \($0) too" }
      guard let why = try other ?? problem(ofPlace: path, files: files) else { return nil }
      return SettingsProblem(line: configured.line, message: "places.\(configured.name).path cannot be meant: \(why)")
    }
  }
}
