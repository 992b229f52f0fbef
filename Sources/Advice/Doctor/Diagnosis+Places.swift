internal import Backup
internal import Files
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

// The second places.

extension Diagnosis {
  private static let placeProbe = FilePath(
    ".\(BackupLayout.prefix)probe.\(ThisProcess.pid)\(BackupLayout.partialSuffix)")

  /// Whether each configured place can be reached, is the right one, and is on another device than the data.
  func secondPlaces() throws -> [DiagnosisRow] {
    try stack.secondPlaces.map { configured in
      let place = stack.place(configured, files: files, time: time)
      let name = "place-\(configured.name)"
      do {
        try place.check()
      } catch let error as BackupError {
        // A disk that is not plugged in is nothing unusual.
        let state: DiagnosisRow.State = error.kind == .notFound ? .warning : .failure
        return DiagnosisRow(name, state: state, detail: error.message, remedy: error.remedy)
      }
      // Only a real write finds a full quota, a read-only mount or missing rights.
      let folder = try OpenFile(place.path, mode: [.directory], files: files)
      try files.makeDirectory(Self.placeProbe, at: folder.descriptor, permissions: 0o700)
      try files.removeDirectory(Self.placeProbe, at: folder.descriptor)
      let newest = try StackBackups(of: stack, files: files, time: time).verified(holdingMLflow: false).first
      let status = PlaceStatus(
        configured, of: stack,
        newestBackup: newest.map { .init(name: ByteText.escaped($0.backup.name.bytes), timestamp: $0.timestamp) },
        files: files, time: time)
      if let problem = status.problem {
        return DiagnosisRow(name, state: .warning, detail: "\(place.path.text): \(problem)", remedy: status.remedy)
      }
      let count = try place.backups.list().count
      let words = "\(place.path.text), \(count) \(count == 1 ? "copy" : "copies")"
      guard place.isOnOtherDevice(than: stack.database, files: files) == false else {
        return DiagnosisRow(name, state: .good, detail: words)
      }
      return DiagnosisRow(
        name, state: .warning, detail: "\(words), on the data's own device: a broken disk takes both",
        remedy: "Name a directory on another disk in places.\(configured.name).path.")
    }
  }
}
