internal import Backup
internal import Files
internal import MLflow
internal import Stacks
internal import Store
internal import SystemPackage

extension Diagnosis {
  /// Checks that the MLflow store can be read, and that what its records name is part of a backup.
  func mlflow() throws -> [DiagnosisRow] {
    // Backups that cannot be looked at have a row of their own.
    let lost = forPeople({ try LostMLflow(of: stack, files: files).words }).flatMap { $0 }.map { words in
      DiagnosisRow("mlflow", state: .failure, detail: words, remedy: "hrp recover says which backup helps.")
    }
    guard let store = try stack.mlflow(files: files) else {
      return [
        lost
          ?? DiagnosisRow(
            "mlflow", state: .warning, detail: "there is no MLflow directory: backups hold the database only",
            remedy: "If there should be one: set MLFLOW_TRACKING_URI, or put it at mlflow/ in the data directory.")
      ]
    }
    let folder = try OpenFile(store.directory, mode: [.directory], files: files)
    let databaseNames = try MLflowStore.databases(in: folder).filter { store.holds($0) }
    if let scheme = store.remoteScheme, databaseNames.isEmpty {
      return [
        DiagnosisRow(
          "mlflow", state: .warning,
          detail: "\(store.directory.text); the tracking records are on a server (\(scheme))",
          remedy: "Back the server's own database up too; it is not in these backups.")
      ]
    }
    if let problem = try StoreProblem.find(in: store, scratch: stack.scratchDirectory, files: files) {
      return [DiagnosisRow("mlflow", state: .failure, detail: problem, remedy: "hrp recover says which backup helps.")]
    }
    if let lost { return [lost] }
    var survey = ArtifactScan(roots: store.places)
    var databases = 0
    let scratch = try Scratch(in: stack.scratchDirectory, files: files)
    defer { scratch.remove() }
    for name in databaseNames {
      let copy = scratch.path.appending("\(databases).db")
      // While others write, SQLite alone may read the database: so a copy of it is looked at.
      try SQLiteFile.copy(store.directory.appending(name.path.components), to: copy)
      try survey.noteDatabase(copy)
      databases += 1
    }
    try noteMeta(folder, store: store, survey: &survey)
    let records = survey.inside + survey.outside + survey.remote
    let words =
      "\(store.directory.text), \(ItemCount.text(databases, of: "database")), "
      + "\(ItemCount.text(records, of: "record")) with artifacts"
    return [DiagnosisRow("mlflow", state: .good, detail: words), artifacts(survey)]
  }

  private func artifacts(_ survey: ArtifactScan) -> DiagnosisRow {
    guard survey.outside + survey.remote > 0 else {
      return DiagnosisRow("artifacts", state: .good, detail: "all recorded artifacts lie in the MLflow directory")
    }
    let places = survey.places.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
      .map { "\($0.key): \($0.value)" }
    return DiagnosisRow(
      "artifacts", state: .warning,
      detail:
        "artifacts of \(ItemCount.text(survey.outside + survey.remote, of: "record")) are in no backup: "
        + "\(places.joined(separator: ", "))",
      remedy: "Back these places up by other means, or log to the MLflow directory (experiments' artifact_location).")
  }

  private func noteMeta(_ folder: OpenFile, store: MLflowStore, survey: inout ArtifactScan) throws {
    var noted = survey
    try TreeWalk(files: files).walk(folder) { step in
      switch step {
      case .directory(let entry): return !entry.path.parent.isRoot || store.holds(entry.path.name)
      case .entry(let entry):
        if entry.name == "meta.yaml" {
          // A file that cannot be read is not counted here; a backup that has to leave it out names it.
          let head = forPeople {
            try OpenFile(entry.name, at: entry.directory, mode: [.noFollow], files: files).read(count: 65_536, at: 0)
          }
          if let head { noted.noteMeta(head) }
        }
      case .unreadable: break
      }
      return true
    }
    survey = noted
  }
}
