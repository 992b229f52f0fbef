import Backup
import Files
import Stacks
import Store

/// `metadata.json`, line by line as it is read from a disk.
let metadata = Target(name: "metadata") { bytes in
  var parser = MetadataParser()
  var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  // What follows the last line feed is a line without one, when there is anything.
  let rest = lines.popLast() ?? []
  for line in lines { parser.take(Array(line), endsWithLineFeed: true) }
  if !rest.isEmpty { parser.take(Array(rest), endsWithLineFeed: false) }
  let reading = parser.finish()
  require(reading.metadata != nil || reading.problem != nil, "What cannot be read has a reason.")
  if let size = reading.metadata?.sizeBytes { require(size >= 0, "A size is not negative.") }
}

/// Lines of `checksums.txt`: what is taken is written as it was read, in lower case, and leads nowhere else.
let checksums = Target(name: "checksums") { bytes in
  for line in bytes.split(separator: UInt8(ascii: "\n")) {
    guard let parsed = try? ChecksumLine(parsing: Array(line)) else { continue }
    checkIsInside(parsed.path)
    require((try? ChecksumLine(parsing: parsed.bytes.dropLast())) == parsed, "A line that was written reads the same.")
  }
}

/// Lines of `manifest.jsonl`.
let manifest = Target(name: "manifest") { bytes in
  for line in bytes.split(separator: UInt8(ascii: "\n")) {
    guard let parsed = try? ManifestLine(parsing: Array(line)) else { continue }
    checkIsInside(parsed.path)
    require(parsed.size >= 0, "A size is not negative.")
    require((try? ManifestLine(parsing: parsed.bytes.dropLast())) == parsed, "A line that was written reads the same.")
  }
}

private func checkIsInside(_ path: EntryPath) {
  require(path.bytes.first != UInt8(ascii: "/") && !path.isRoot, "A path is relative.")
  require(!path.components.contains { $0.isDotOrDotDot }, "A path does not climb.")
}
