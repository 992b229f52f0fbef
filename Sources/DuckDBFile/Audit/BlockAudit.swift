package import Files

/// Checks the checksum of every block in use while a sealed file is read once, in order.
package struct BlockAudit {
  /// The most wrong blocks that are named one by one.
  package static let maximumNamed = 100

  private let state: StorageState
  /// A free list that calls its own blocks free is not trusted at all.
  private let inUse: BlockSet
  /// Blocks in use whose checksum is wrong, with their offsets in bytes.
  package private(set) var damaged: [(block: Int, offset: Int64)] = []
  /// Blocks in use that were seen, right or wrong.
  package private(set) var checked = 0

  package init(_ state: StorageState) {
    self.state = state
    var inUse = state.freeList.inUse
    for block in state.listBlocks { inUse.insert(block) }
    self.inUse = inUse
  }

  /// Takes the next bytes; they must begin at a block's start and hold whole blocks, but for the end of the file.
  package mutating func consume(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {
    let size = Int(state.geometry.allocationSize)
    var block = state.geometry.wholeBlocks(inFileOf: offset)
    for start in stride(from: 0, to: bytes.count, by: size) {
      defer { block += 1 }
      guard inUse.contains(block) else { continue }
      checked += 1
      let end = min(start + size, bytes.count)
      let isRight = end - start == size && Checksum.isRight(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      if !isRight, damaged.count < Self.maximumNamed {
        damaged.append((block, state.geometry.offset(of: block)))
      }
    }
  }

  /// How many blocks in use the file did not hold at all.
  package var missing: Int { inUse.count - checked }
}

/// Checks a sealed WAL: every entry whole, the last one a commit, the checkpoint the database's.
package enum WALAudit {
  /// What is wrong with the WAL; nil when nothing is wrong.
  package static func problem(of file: OpenFile, state: StorageState?) throws -> String? {
    let wal: WALFile
    do {
      wal = try WALFile(sealed: file)
    } catch let error as FormatError {
      return "\(error)"
    }
    guard let scan = wal.scan else { return "its header is cut short" }
    guard scan.header.version == 2 else { return "its version is \(scan.header.version)" }
    let size = try file.status().size
    if scan.end != size { return "entry \(scan.entries + 1) at byte \(scan.end) is cut short or damaged" }
    if scan.lastCommitEnd != size { return "what follows byte \(scan.lastCommitEnd) was never committed" }
    guard let state else { return nil }
    if let iteration = scan.header.iteration, iteration != state.header.iteration {
      return "it follows checkpoint \(iteration), the database is at \(state.header.iteration)"
    }
    let owner = state.main.databaseIdentifier
    if let found = scan.header.databaseIdentifier, owner.contains(where: { $0 != 0 }), found != owner {
      return "it carries another database's identifier"
    }
    return nil
  }
}
