internal import DuckDBFile
internal import Files
internal import Store

extension ContentsReader {
  /// What looking into a database finds, beside its hash.
  struct DatabaseReading {
    let digest: Digest
    let state: StorageState?
    let findings: [Finding]
    /// Why its blocks could not be checked though nothing is wrong with it.
    let notice: String?
  }

  /// Hashes a database and checks every block in use on the way.
  func readDatabase(_ file: OpenFile, size: Int64, at path: EntryPath) throws -> DatabaseReading {
    let state: StorageState
    do {
      state = try DatabaseFile(sealed: file, time: time).state()
    } catch let error as HotCopyError {
      let digest = try digest(of: file, size: size)
      switch error {
      case .encrypted, .unknownVersion:
        return DatabaseReading(digest: digest, state: nil, findings: [], notice: error.message)
      default:
        return DatabaseReading(
          digest: digest, state: nil, findings: [Finding(.block, path: path, detail: error.message)], notice: nil)
      }
    }
    var audit = BlockAudit(state)
    // The headers first, so that what follows begins at a block.
    let head = try file.read(count: Int(HeaderPair.end), at: 0)
    var stream = DigestStream()
    head.withUnsafeBytes { stream.update($0) }
    let digest = try digest(of: file, size: size, from: Int64(head.count), stream: stream) { audit.consume($0, at: $1) }
    var findings: [Finding] = []
    // Nobody writes to a stored file, so both slots must be right: an engine refuses the file otherwise.
    if !state.pair.isWhole { findings.append(Finding(.block, path: path, detail: "one of its two headers is damaged")) }
    findings += audit.damaged.map {
      Finding(
        .block, path: path, detail: "block \($0.block) at byte \($0.offset): its checksum does not match its contents")
    }
    if audit.missing > 0 {
      findings.append(Finding(.block, path: path, detail: "\(audit.missing) blocks in use are cut off"))
    }
    return DatabaseReading(digest: digest, state: state, findings: findings, notice: nil)
  }
}
