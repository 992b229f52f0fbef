import DuckDBFile

/// Both headers and the header of a log.
///
/// With an odd first byte the checksums are made right first: else nearly every input would stop there.
let headers = Target(name: "headers") { bytes in
  guard let flag = bytes.first else { return }
  var file = Array(bytes.dropFirst())
  if flag & 1 == 1 { for start in [0, 4096, 8192] { seal(&file, start..<(start + 4096)) } }
  _ = try? MainHeader(parsing: Array(file.prefix(4096)))
  if let pair = try? HeaderPair(parsing: Array(file.dropFirst(4096).prefix(8192))) {
    require(pair.currentBytes.count == 4096, "The current slot is 4096 bytes.")
    require((16_384...262_144).contains(pair.current.geometry.allocationSize), "Blocks are 16 to 256 KiB.")
  }
  if let header = try? WALHeader(parsing: Array(file.prefix(WALHeader.maximumLength))) {
    require(header.length <= file.count, "A log's header ends within its bytes.")
  }
}

/// The stream of the free list; the first two bytes say how many blocks the file has.
let freeList = Target(name: "freelist") { bytes in
  guard bytes.count >= 2 else { return }
  let blockCount = Int(bytes[0]) << 8 | Int(bytes[1])
  let stream = Array(bytes[2...])
  let length = try? FreeList.length(ofStreamBeginning: stream)
  guard let list = try? FreeList(parsing: stream, blockCount: blockCount) else { return }
  require(length.flatMap { $0 }.map { $0 <= stream.count } ?? false, "What was parsed is as long as it said.")
  require(list.free.intersection(list.inUse).isEmpty, "No block is free and in use.")
  require(list.free.count + list.inUse.count == blockCount, "Every block is free or in use.")
  require(list.metadata.subtracting(list.inUse).isEmpty, "Metadata blocks are in use.")
}

/// A log, whole and in pieces; with an odd first byte its frames' checksums are made right first.
let log = Target(name: "log") { bytes in
  guard bytes.count >= 2 else { return }
  var file = Array(bytes[2...])
  guard let header = try? WALHeader(parsing: Array(file.prefix(WALHeader.maximumLength))) else { return }
  if bytes[0] & 1 == 1 { sealFrames(&file, from: header.length) }
  let scan = scanned(file, header, step: file.count)
  require(scan == scanned(file, header, step: Int(bytes[1]) + 1), "A log reads the same whole and in pieces.")
  var end = Int64(header.length)
  for range in scan.liveRanges {
    require(range.lowerBound >= end && !range.isEmpty, "The live parts are in order and apart.")
    end = range.upperBound
  }
  require(end <= scan.lastCommitEnd && scan.lastCommitEnd <= scan.end, "Nothing is live behind the last commit.")
  require(scan.end <= Int64(file.count), "A log ends within its bytes.")
}

private func scanned(_ file: [UInt8], _ header: WALHeader, step: Int) -> WALScan {
  var scanner = WALScanner(header: header)
  var offset = header.length
  while offset < file.count, !scanner.isDone {
    let next = min(offset + max(step, 1), file.count)
    file[offset..<next].withUnsafeBytes { scanner.consume($0, limit: Int64(file.count)) }
    offset = next
  }
  scanner.finish()
  return scanner.scan
}

/// Puts the checksum of the rest at the front of a unit.
private func seal(_ file: inout [UInt8], _ range: Range<Int>) {
  guard file.count >= range.upperBound else { return }
  let sum = file[(range.lowerBound + 8)..<range.upperBound].withUnsafeBytes { Checksum.of($0) }
  write(sum, to: &file, at: range.lowerBound)
}

private func sealFrames(_ file: inout [UInt8], from start: Int) {
  var offset = start
  while offset + 16 <= file.count {
    let size = file[offset..<(offset + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard size <= UInt64(file.count - offset - 16) else { return }
    let end = offset + 16 + Int(size)
    let sum = file[(offset + 16)..<end].withUnsafeBytes { Checksum.of($0) }
    write(sum, to: &file, at: offset + 8)
    offset = end
  }
}

private func write(_ value: UInt64, to file: inout [UInt8], at offset: Int) {
  for index in 0..<8 { file[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
}
