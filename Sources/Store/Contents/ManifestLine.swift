package import Files

/// A line of `manifest.jsonl`: what `checksums.txt` cannot say of one entry.
package struct ManifestLine: Equatable, Sendable {
  package enum Kind: String, Sendable { case file, directory, link }

  package var path: EntryPath
  package var kind: Kind
  /// Permission bits of the source; of a link they mean nothing.
  package var permissions: UInt16
  /// When the source changed, in nanoseconds since 1970 UTC.
  package var modifiedNanoseconds: Int64
  /// Bytes of a file; of a link the length of its target; else 0.
  package var size: Int64
  /// Of a link: where it points, in bytes.
  package var target: [UInt8]?
  /// Of a file that was read from the source as it lay: which file that was and when it was read.
  package var origin: Origin?
  /// Extended attributes that the source had, and that are not kept.
  package var attributesCount: Int64 = 0

  /// The source of a file, by which the next backup can tell that it did not change.
  package struct Origin: Equatable, Sendable {
    package var identity: FileIdentity
    package var changedNanoseconds: Int64
    /// When it was read, in nanoseconds since 1970 UTC.
    package var readNanoseconds: Int64

    package init(identity: FileIdentity, changedNanoseconds: Int64, readNanoseconds: Int64) {
      self.identity = identity
      self.changedNanoseconds = changedNanoseconds
      self.readNanoseconds = readNanoseconds
    }
  }

  package init(
    path: EntryPath, kind: Kind, permissions: UInt16, modifiedNanoseconds: Int64, size: Int64, target: [UInt8]? = nil,
    origin: Origin? = nil, attributesCount: Int64 = 0
  ) {
    self.attributesCount = attributesCount
    self.path = path
    self.kind = kind
    self.permissions = permissions
    self.modifiedNanoseconds = modifiedNanoseconds
    self.size = size
    self.target = target
    self.origin = origin
  }

  /// The line with its line feed.
  package var bytes: [UInt8] {
    var line: [UInt8] = Array("{\"path\":".utf8) + FlatJSON.quoted(path.text.utf8)
    var tail = ",\"kind\":\"\(kind.rawValue)\",\"mode\":\(Int(permissions))"
    tail += ",\"mtime_ns\":\(modifiedNanoseconds),\"size\":\(size)"
    line.append(contentsOf: tail.utf8)
    if let target { line += Array(",\"target\":".utf8) + FlatJSON.quoted(ByteText.escaped(target).utf8) }
    if let origin {
      let text =
        ",\"device\":\"\(origin.identity.device)\",\"inode\":\"\(origin.identity.inode)\""
        + ",\"ctime_ns\":\(origin.changedNanoseconds),\"read_ns\":\(origin.readNanoseconds)"
      line.append(contentsOf: text.utf8)
    }
    if attributesCount > 0 { line += Array(",\"attributes\":\(attributesCount)".utf8) }
    line.append(contentsOf: [UInt8(ascii: "}"), UInt8(ascii: "\n")])
    return line
  }

  /// Reads a line without its line feed.
  /// - Throws: `FlatJSON.Malformed`, also for a path that leads out of the backup.
  package init(parsing line: [UInt8]) throws(FlatJSON.Malformed) {
    var fields = Fields()
    try FlatJSON.parse(line) { (name, value) throws(FlatJSON.Malformed) in try fields.take(name, value) }
    guard let path = fields.path, let kind = fields.kind, let mode = UInt16(exactly: fields.mode), mode <= 0o7777,
      fields.size >= 0, (kind == .link) == (fields.target != nil)
    else { throw FlatJSON.Malformed() }
    self.init(
      path: path, kind: kind, permissions: mode, modifiedNanoseconds: fields.modified, size: fields.size,
      target: fields.target, origin: fields.origin, attributesCount: fields.attributes)
  }

  private struct Fields {
    var path: EntryPath?
    var kind: Kind?
    var mode: Int64 = -1
    var modified: Int64 = 0
    var size: Int64 = -1
    var target: [UInt8]?
    var device: UInt64?
    var inode: UInt64?
    var changed: Int64?
    var read: Int64?
    var attributes: Int64 = 0

    var origin: Origin? {
      // Of a time that can be: others would not leave room for the doubt of a clock.
      guard let device, let inode, let changed, let read, (0..<7_000_000_000_000_000_000).contains(read) else {
        return nil
      }
      return Origin(
        identity: FileIdentity(device: device, inode: inode), changedNanoseconds: changed, readNanoseconds: read)
    }

    private enum Key: String {
      case path, kind, mode, mtime_ns, size, target, device, inode, ctime_ns, read_ns, attributes
    }

    mutating func take(_ name: ArraySlice<UInt8>, _ value: FlatJSON.Value) throws(FlatJSON.Malformed) {
      // Short texts need no memory of their own.
      switch (Key(rawValue: String(decoding: name, as: UTF8.self)), value) {
      case (.path, .text(let text)): path = ByteText.bytes(of: text).flatMap { EntryPath(validating: $0) }
      case (.kind, .text(let text)): kind = Kind(rawValue: String(decoding: text, as: UTF8.self))
      case (.mode, .number(let number)): mode = number
      case (.mtime_ns, .number(let number)): modified = number
      case (.size, .number(let number)): size = number
      case (.target, .text(let text)):
        guard let bytes = ByteText.bytes(of: text), !bytes.isEmpty, !bytes.contains(0),
          bytes.count <= EntryPath.maximumLength
        else { throw FlatJSON.Malformed() }
        target = bytes
      case (.device, .text(let text)): device = UInt64(String(decoding: text, as: UTF8.self))
      case (.inode, .text(let text)): inode = UInt64(String(decoding: text, as: UTF8.self))
      case (.ctime_ns, .number(let number)): changed = number
      case (.read_ns, .number(let number)): read = number
      case (.attributes, .number(let number)): attributes = max(0, number)
      default: break  // A field of a later version.
      }
    }
  }
}
