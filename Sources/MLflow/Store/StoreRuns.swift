package import Files
package import SystemPackage

/// Counts what an MLflow store holds: runs by the name of their experiment, of its databases and of its files.
package struct StoreRuns {
  private let root: FilePath
  private let files: any FileSystem

  package init(_ root: FilePath, files: any FileSystem) {
    self.root = root
    self.files = files
  }

  /// Counts the runs.
  ///
  /// - Parameter scratch: where the databases of a store in use are copied to, since only SQLite may read them while
  ///   other programs write; nil when no other program writes to them.
  /// - Throws: `SystemError`, `SQLiteError`.
  package func byExperiment(copyingTo scratch: FilePath?) throws -> [String: Int64] {
    var counts = try inFiles()
    let folder = try OpenFile(root, mode: [.directory], files: files)
    for (number, name) in try MLflowStore.databases(in: folder).enumerated() {
      var path = root.appending(name.path.components)
      if let scratch {
        let copy = scratch.appending("runs.\(number).db")
        try SQLiteFile.copy(path, to: copy)
        path = copy
      }
      counts.merge(try TrackingRecords.runsByExperiment(path)) { $0 + $1 }
    }
    return counts
  }

  private func inFiles() throws -> [String: Int64] {
    var counts: [String: Int64] = [:]
    for store in [root, root.appending("mlruns")] where try files.exists(store) {
      for experiment in try files.folders(in: store) {
        let place = store.appending(experiment.path.components)
        let meta = place.appending("meta.yaml")
        guard try files.exists(meta) else { continue }
        let bytes = try OpenFile(meta, mode: [.noFollow], files: files).read(count: MetaFile.maximumBytes, at: 0)
        let name = MetaFile(bytes)["name"] ?? ByteText.escaped(experiment.bytes)
        let runs = try files.folders(in: place).count {
          try files.exists(place.appending($0.path.components).appending("meta.yaml"))
        }
        counts[name, default: 0] += Int64(runs)
      }
    }
    return counts
  }
}
