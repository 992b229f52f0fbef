internal import Files
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

// The second places.

extension Diagnosis {
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
