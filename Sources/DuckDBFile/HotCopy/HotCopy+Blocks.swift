private import Files

extension HotCopy {
  /// Copies every block in use that is not yet known to be right.
  ///
  /// Returns false when the header changed meanwhile.
  ///
  /// Metadata blocks are taken along in the first pass, so that the file is written in its own order; they count only
  /// once they are read again at the end (I7), or at once in a clone.
  func copyDataBlocks() throws -> Bool {
    var missing = state.freeList.inUse.subtracting(valid)
    if passes > 1, frozen == nil { missing = missing.subtracting(state.freeList.metadata) }
    let most = buffer.bytes.count / Int(state.geometry.allocationSize)
    var position = 0
    while let run = missing.run(from: position, maximum: most) {
      guard try copyRun(run) else { return false }
      position = run.upperBound
      guard try observe() else { return false }
    }
    return true
  }

  private func copyRun(_ run: Range<Int>) throws -> Bool {
    let size = Int(state.geometry.allocationSize)
    let offset = state.geometry.offset(of: run.lowerBound)
    let room = buffer.room(run.count * size)
    let count = try blocks.read(into: room, at: offset)
    for index in 0..<run.count {
      let part = UnsafeMutableRawBufferPointer(rebasing: room[(index * size)..<((index + 1) * size)])
      let isRight = count >= (index + 1) * size && Checksum.isRight(UnsafeRawBufferPointer(part))
      if !isRight, try !readAgain(run.lowerBound + index, into: part) { return false }
    }
    if !options.keepsClone { try target.write(UnsafeRawBufferPointer(room), at: offset) }
    for block in run where !state.freeList.metadata.contains(block) { valid.insert(block) }
    progress(Int64(room.count))
    return true
  }

  /// Reads a block until its checksum is right.
  ///
  /// Returns false when the header changed meanwhile.
  ///
  /// With a writer at work the tail of what is in use may be a bulk load that is not yet written
  /// (docs/formats/duckdb.md §1.4), so more patience is due before it is called damage.
  /// - Throws: `HotCopyError.damaged` when it stays wrong under one header.
  func readAgain(_ block: Int, into room: UnsafeMutableRawBufferPointer) throws -> Bool {
    let attempts = try frozen == nil && mayBeWritten() ? 100 : 3
    for _ in 0..<attempts {
      guard try observe() else { return false }
      let count = try blocks.read(into: room, at: state.geometry.offset(of: block))
      if count == room.count, Checksum.isRight(UnsafeRawBufferPointer(room)) { return true }
      time.sleep(.milliseconds(20))
    }
    guard try observe() else { return false }
    throw HotCopyError.damaged(
      database.path,
      "block \(block) at byte \(state.geometry.offset(of: block)) is in use and its checksum is wrong")
  }

  /// Copies what lies outside of the blocks in use, holes left out.
  ///
  /// Row-group entries of the WAL name blocks there (I2).
  func copyBlocksOutsideUse() throws {
    let size = try blocks.status().size
    let geometry = state.geometry
    let most = buffer.bytes.count / Int(geometry.allocationSize)
    var block = 0
    let last = geometry.wholeBlocks(inFileOf: size)
    while block < last {
      guard let data = try blocks.files.nextData(blocks.descriptor, from: geometry.offset(of: block))
      else { return }
      block = max(block, geometry.wholeBlocks(inFileOf: data))
      var run = block..<block
      while run.upperBound < last, run.count < most, !state.freeList.inUse.contains(run.upperBound) {
        run = run.lowerBound..<(run.upperBound + 1)
      }
      guard !run.isEmpty else {
        block += 1
        continue
      }
      let room = buffer.room(run.count * Int(geometry.allocationSize))
      let count = try blocks.read(into: room, at: geometry.offset(of: run.lowerBound))
      try target.write(buffer.prefix(count), at: geometry.offset(of: run.lowerBound))
      block = run.upperBound
      try Interruption.check()
    }
  }

  /// Copies the metadata blocks as they are now (I7).
  ///
  /// Returns false when the header changed meanwhile.
  func copyMetadataBlocks() throws -> Bool {
    let size = Int(state.geometry.allocationSize)
    let room = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<size])
    let header = state.header.iteration
    for block in state.freeList.metadata {
      let offset = state.geometry.offset(of: block)
      let count = try database.file.read(into: room, at: offset)
      if count < size || !Checksum.isRight(UnsafeRawBufferPointer(room)) {
        guard try readAgain(block, into: room) else { return false }
      }
      let had = try target.target.read(into: other.room(size), at: offset)
      // Written only when it changed: the copy's own hash is made while it is written, in the order of the file.
      if had < size || !other.prefix(size).elementsEqual(buffer.prefix(size)) {
        try target.write(buffer.prefix(size), at: offset)
      }
    }
    return header == state.header.iteration
  }

  /// Whether source and copy say the same checksum of a block that was copied under an earlier header.
  func hasSameStoredChecksum(_ block: Int) throws -> Bool {
    let offset = state.geometry.offset(of: block)
    let count = try target.target.read(into: other.room(8), at: offset)
    return try database.file.read(count: 8, at: offset) == Array(other.prefix(count))
  }

  func writeHeaders() throws {
    let header = state.pair.currentBytes
    let bytes = state.mainBytes + header + header
    let count = try target.target.read(into: other.room(bytes.count), at: 0)
    if !other.prefix(count).elementsEqual(bytes) { try bytes.withUnsafeBytes { try target.write($0, at: 0) } }
  }

  /// Gives the copy its header in both slots and its length.
  func finish(_ wal: LiveWAL) throws -> Result {
    try writeHeaders()
    let inUse = state.freeList.inUse
    var end = HeaderPair.end
    if wal.hasRowGroups {
      end = max(end, try target.file.status().size)
    } else if flips > 0 || options.keepsClone {
      // Blocks that are not in use, or went out of use while we copied: holes, as if they had not been copied.
      try target.punchHoles(outside: inUse, state.geometry)
    }
    if let last = inUse.last { end = max(end, state.geometry.offset(of: last + 1)) }
    try target.truncate(to: end)
    try target.file.close()
    try walTarget.close()
    return Result(
      method: frozen == nil ? .hotCopy : options.keepsClone ? .reflink : .clone, iteration: state.header.iteration,
      storageVersion: state.storageVersion,
      libraryVersion: state.main.libraryVersion, blockSize: state.geometry.allocationSize, blocksInUse: inUse.count,
      blocksFree: state.freeList.free.count, walBytes: wal.byteCount, passes: passes, flips: flips,
      restarts: restarts, byteCount: end, warnings: warnings)
  }
}
