internal import Files
internal import SystemPackage

/// The copy in the making, and whoever sees its bytes as they are written.
final class CopyTarget {
  let target: TargetFile
  private let observer: (any WriteObserver)?

  var file: OpenFile { target.file }

  init(_ target: TargetFile, observer: (any WriteObserver)?) {
    self.target = target
    self.observer = observer
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemError) {
    try target.write(bytes, at: offset)
    observer?.wrote(bytes, at: offset)
  }

  func truncate(to length: Int64) throws(SystemError) {
    try file.truncate(to: length)
    observer?.truncated(to: length)
  }

  /// Makes holes of the blocks that are not in the set; a file system without holes keeps what is there.
  func punchHoles(outside used: BlockSet, _ geometry: BlockGeometry) throws(SystemError) {
    let free = BlockSet(limit: used.limit, all: true).subtracting(used)
    var position = 0
    while let run = free.run(from: position, maximum: .max) {
      position = run.upperBound
      let offset = geometry.offset(of: run.lowerBound)
      do {
        try file.files.punchHole(
          file.descriptor, offset: offset, length: Int64(run.count) * geometry.allocationSize)
      } catch {
        // Only space is lost. What lies there is not in use, and its bytes are in the file's hash as they are.
        return
      }
      observer?.wrote(UnsafeRawBufferPointer(start: nil, count: 0), at: offset)
    }
  }
}
