internal import Files
internal import SystemPackage

/// What one thread reads back with: a buffer, and the queue for many reads at once where there is one.
final class ReadBackReader {
  /// A file that fits is read whole, and many of them at once.
  private static let maximumSmallBytes: Int64 = 64 << 10

  private let files: any FileSystem
  private let buffer = IOBuffer(size: 1 << 20)
  private let batch: (any BatchReader)?
  private let progress: (Int64) -> Void

  init(files: any FileSystem, progress: @escaping (Int64) -> Void) {
    self.files = files
    self.progress = progress
    batch = files.makeBatchReader()
  }

  func close(_ descriptors: [Descriptor?]) {
    // They were only read from: nothing can be lost by it.
    for descriptor in descriptors { ignoringFailure { try descriptor.map(files.close) } }
  }

  /// Reads the files of a region and notes their SHA-256 in it.
  /// - Parameter descriptors: the files, in the order of `region.unread`; nil for a file that could not be opened.
  /// - Returns: what is not as it was written.
  func read(_ region: inout WrittenFiles.Region, descriptors: [Descriptor?]) throws -> [Finding] {
    var findings: [Finding] = []
    var rest: [Int] = []
    var together: [Int] = []
    var reads: [BatchRead] = []
    var start = 0
    for (index, entry) in region.unread.enumerated() {
      guard let descriptor = descriptors[index] else { continue }
      let room = Self.room(entry.size)
      guard batch != nil, (1...Self.maximumSmallBytes).contains(entry.size), start + room <= buffer.bytes.count else {
        rest.append(index)
        continue
      }
      together.append(index)
      reads.append(
        BatchRead(
          descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[start..<(start + room)])))
      start += room
    }
    for (number, count) in (batch?.read(reads) ?? []).enumerated() {
      let (index, entry) = (together[number], region.unread[together[number]])
      guard let count, Int64(count) == entry.size else {
        rest.append(index)
        continue
      }
      let bytes = UnsafeRawBufferPointer(rebasing: reads[number].bytes[..<count])
      if QuickHash(of: bytes) != entry.quick { findings.append(Finding(.mismatch, path: entry.path)) }
      region.note(Digest(of: bytes), at: entry.place)
      progress(entry.size)
    }
    // What was read together is hashed by now: the buffer is free for the others.
    for index in rest {
      guard let descriptor = descriptors[index] else { continue }
      if let finding = try read(region.unread[index], descriptor: descriptor, region: &region) {
        findings.append(finding)
      }
    }
    return findings
  }

  /// Whole units for a file, and one byte more than it has, so that a file that grew is seen.
  private static func room(_ size: Int64) -> Int {
    (Int(size) + IOBuffer.alignment) / IOBuffer.alignment * IOBuffer.alignment
  }

  private func read(
    _ entry: WrittenFiles.Unread, descriptor: Descriptor, region: inout WrittenFiles.Region
  ) throws -> Finding? {
    let (quick, stream) = (QuickHashStream(), DigestBox())
    let file = OpenFile(adopting: descriptor, path: FilePath(bytes: entry.path.bytes), files: files)
    // Whoever opened it closes it.
    defer { _ = file.release() }
    let end: Int64
    do {
      end = try file.visit(size: entry.size, by: buffer) { bytes, _ in
        quick.update(bytes)
        stream.update(bytes)
        progress(Int64(bytes.count))
      }
    } catch let error as SystemError where !error.meansShortage {
      return .unreadable(entry.path, error: error)
    }
    region.note(stream.finalize(), at: entry.place)
    guard try file.status().size == entry.size else {
      return Finding(.mismatch, path: entry.path, detail: "its size changed")
    }
    return quick.finalize() == entry.quick && end == entry.size ? nil : Finding(.mismatch, path: entry.path)
  }
}
