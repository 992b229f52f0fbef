internal import Backup
internal import Files
internal import Settings
internal import Stacks
internal import Store
internal import SystemPackage

// The second places.

extension Diagnosis {
  /// Whether each configured place can be reached, is the right one, and is on another device than the data.
  func secondPlaces() throws -> [DiagnosisRow] {
    guard !stack.secondPlaces.isEmpty else { return [] }
    let newest = try StackBackups(of: stack, files: files, time: time).verified(holdingMLflow: false).first.map {
      ProtectionFacts.Event(name: ByteText.escaped($0.backup.name.bytes), timestamp: $0.timestamp)
    }
    return try stack.secondPlaces.map { try row(of: $0, newestBackup: newest) }
  }

  private func row(of configured: PlaceSettings, newestBackup: ProtectionFacts.Event?) throws -> DiagnosisRow {
    let place = stack.place(configured, files: files, time: time)
    let name = "place-\(configured.name)"
    do {
      try place.check()
    } catch let error as BackupError {
      // A disk that is not plugged in is nothing unusual.
      let state: DiagnosisRow.State = error.kind == .notFound ? .warning : .failure
      return DiagnosisRow(name, state: state, detail: error.message, remedy: error.remedy)
    }
    try checkWritable(OpenFile(place.path, mode: [.directory], files: files))
    let copies = try PlaceStatus.copies(in: place, of: stack)
    let status = PlaceStatus(configured, copies: copies, newestBackup: newestBackup)
    if let problem = status.problem {
      return DiagnosisRow(name, state: .warning, detail: "\(place.path.text): \(problem)", remedy: status.remedy)
    }
    let words = "\(place.path.text), \(copies.count) \(copies.count == 1 ? "copy" : "copies")"
    guard place.isOnOtherDevice(than: stack.database, files: files) == false else {
      return DiagnosisRow(name, state: .good, detail: words)
    }
    return DiagnosisRow(
      name, state: .warning, detail: "\(words), on the data's own device: a broken disk takes both",
      remedy: "Name a directory on another disk in places.\(configured.name).path.")
  }
}
