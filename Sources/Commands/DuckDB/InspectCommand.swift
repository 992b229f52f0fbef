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
      throw BackupError("source.not-found", .notFound, "no database at \(path.text)", remedy: "Check the path.")
    }
    let found = try Inspection(path, files: Kernel(), time: SystemTime())
    let console = output.console
    for (name, value) in lines(found) { console.result("\(name):\(pad(name))\(value)") }
    console.json(json(found, path: path.text))
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
      ("WAL", words(found.wal, found.state?.header)),
      ("Checkpoint WAL", words(found.checkpointWAL, found.state?.header)),
      ("Writer", found.writer.map(ThisProcess.name) ?? "none"),
      (
        "Reader",
        found.writer == nil ? found.holder.map(ThisProcess.name) ?? "none" : "not known while there is a writer"
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

  private func words(_ log: Inspection.WALState, _ header: DatabaseHeader?) -> String {
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

  private func json(_ found: Inspection, path: String) -> JSONText {
    let state = found.state
    let fields: [(String, JSONText)] = [
      ("path", .text(path)), ("storage_version", .whole(Int64(clamping: found.main.storageVersion))),
      ("compatibility", .optional(state.map { Int64(clamping: $0.header.compatibility) })),
      ("library_version", .text(found.main.libraryVersion)), ("encrypted", .flag(state == nil)),
      ("iteration", .optional(state.map { Int64(clamping: $0.header.iteration) })),
      ("size_bytes", .whole(found.fileBytes)),
      ("block_size", .optional(state?.geometry.allocationSize)),
      ("blocks_in_use", .optional(state.map { Int64($0.freeList.inUse.count) })),
      ("blocks_metadata", .optional(state.map { Int64($0.freeList.metadata.count) })),
      ("blocks_free", .optional(state.map { Int64($0.freeList.free.count) })),
      ("wal", json(found.wal)), ("wal_checkpoint", json(found.checkpointWAL)),
      ("writer_pid", .optional(found.writer.map(Int64.init))),
      ("holder_pid", .optional(found.holder.map(Int64.init))),
    ]
    return .object(fields)
  }

  private func json(_ log: Inspection.WALState) -> JSONText {
    switch log {
    case .none: return .null
    case .torn: return .object([("state", .text("torn"))])
    case .unreadable(let why): return .object([("state", .text("unreadable")), ("why", .text(why))])
    case .damaged(let scan, let damage):
      return .object([
        ("state", .text("damaged")), ("committed_bytes", .whole(scan.lastCommitEnd)),
        ("commits", .whole(Int64(scan.commits))), ("damage_offset", .whole(damage.offset)),
        ("commits_behind", .whole(Int64(damage.commitsBehind))),
      ])
    case .found(let scan, let bytes) where scan.header.version == 3:
      return .object([
        ("state", .text("encrypted")), ("size_bytes", .whole(bytes)),
        ("iteration", .optional(scan.header.iteration.map { Int64(clamping: $0) })),
      ])
    case .found(let scan, let bytes):
      return .object([
        ("state", .text("readable")), ("size_bytes", .whole(bytes)), ("committed_bytes", .whole(scan.lastCommitEnd)),
        ("commits", .whole(Int64(scan.commits))), ("entries", .whole(Int64(scan.entries))),
        ("iteration", .optional(scan.header.iteration.map { Int64(clamping: $0) })),
        ("row_groups", .flag(scan.firstRowGroups != nil)), ("marker", .flag(scan.finalMarker != nil)),
      ])
    }
  }
}
