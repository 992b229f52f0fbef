internal import ArgumentParser
internal import DuckDBFile
internal import Files
internal import Stacks
internal import Store

/// The command `hrp duckdb inspect`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show header, blocks, WAL and lock holder of a DuckDB file. Takes no lock and writes nothing.",
    discussion: """
      Examples:
        hrp duckdb inspect ~/hrp-data/hrp.duckdb
        hrp duckdb inspect prices.duckdb --json | jq .blocks_free
      """)

  @Argument(help: "The database.", completion: .file()) var file: String
  @OptionGroup var output: OutputOptions

  func run() throws {
    let path = Stack.absolute(file)
    guard try Kernel().exists(path) else {
      throw BackupError(
        "source.not-found", kind: .notFound, message: "no database at \(path.text)", remedy: "Check the path.")
    }
    let found = try Inspection(path, files: Kernel(), time: SystemTime())
    let console = output.console
    for (name, value) in lines(found) { console.result("\(name):\(pad(name))\(value)") }
    try console.json(InspectionOutput(found, path: path.text))
  }

  private func pad(_ name: String) -> String { String(repeating: " ", count: max(1, 18 - name.count)) }

  private func lines(_ found: Inspection) -> [(String, String)] {
    let compatibility = found.state.map(\.header.compatibility) ?? 0
    return [
      (
        "Storage version",
        "\(found.main.storageVersion)" + (compatibility > 0 ? " (compatibility \(compatibility))" : "")
      ),
      ("Written by", found.main.libraryVersion.isEmpty ? "unknown" : "DuckDB \(found.main.libraryVersion)"),
      ("File", ByteCount.text(found.fileBytes)),
    ] + contents(found) + [
      ("WAL", words(found.wal, header: found.state?.header)),
      ("Checkpoint WAL", words(found.checkpointWAL, header: found.state?.header)),
      ("Writer", found.writer.map(OtherProcess.name) ?? "none"),
      (
        "Reader",
        found.writer == nil ? found.holder.map(OtherProcess.name) ?? "none" : "not known while there is a writer"
      ),
    ]
  }

  private func contents(_ found: Inspection) -> [(String, String)] {
    guard let state = found.state else {
      let encryption = found.main.encryption
      return [
        (
          "Encrypted",
          "AES-\(8 * (encryption?.keyLength ?? 0)) \(encryption?.cipher ?? "")"
            + "; headers, blocks and WAL entries cannot be read without the key"
        )
      ]
    }
    return [
      ("Iteration", "\(state.header.iteration) (slot \(state.pair.currentSlot))"),
      ("Block size", "\(state.geometry.allocationSize)"),
      ("Blocks in use", "\(state.freeList.inUse.count), of these \(state.freeList.metadata.count) metadata"),
      ("Blocks free", "\(state.freeList.free.count)"),
    ]
  }

  private func words(_ log: Inspection.WALState, header: DatabaseHeader?) -> String {
    switch log {
    case .none: return "none"
    case .torn: return "a torn header, which every engine ignores"
    case .unreadable(let why): return why
    case .damaged(let scan, let damage):
      return
        "damaged at byte \(damage.offset) behind \(scan.commits) commits, with \(damage.commitsBehind) more behind it"
    case .found(let scan, let bytes):
      var text = "\(ByteCount.text(bytes)), "
      text += scan.header.version == 3 ? "encrypted" : "\(scan.commits) commits in \(scan.entries) entries"
      if let iteration = scan.header.iteration { text += ", after checkpoint \(iteration)" }
      if scan.firstRowGroups != nil { text += ", with bulk-loaded row groups" }
      if let marker = scan.finalMarker {
        text +=
          marker.metaBlock == header?.metaBlock?.raw
          ? ", checkpointed already" : ", a checkpoint is running or died"
      }
      if scan.tail != .nothing { text += ", \(bytes - scan.end) bytes at its end are not committed" }
      return text
    }
  }
}
