package import Files

/// A line of `manifest.jsonl`: what `checksums.txt` cannot say of one entry.
package struct ManifestLine: Equatable, Sendable {
  package enum Kind: String, Sendable {
    case file, directory, link

    fileprivate init?(_ text: ArraySlice<UInt8>) {
      guard let kind = [Kind.file, .directory, .link].first(where: { text.elementsEqual($0.rawValue.utf8) }) else {
        return nil
      }
      self = kind
    }
  }

  package var path: EntryPath
  package var kind: Kind
  /// Permission bits of the source; they mean nothing for a symlink.
  package var permissions: UInt16
  /// When the source changed, in nanoseconds since 1970 UTC.
  package var modifiedNanoseconds: Int64
  /// The size of a file, or the length of a symlink's target; otherwise 0.
  package var size: Int64
  /// The target of a symlink, in bytes.
  package var target: [UInt8]?
  /// Which file this was in the source, and when it was read; set for files that were copied as they are.
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

    fileprivate func append(to line: inout [UInt8]) {
      line.append(literal: ",\"device\":\"")
      line.append(decimal: identity.device)
      line.append(literal: "\",\"inode\":\"")
      line.append(decimal: identity.inode)
      line.append(literal: "\",\"ctime_ns\":")
      line.append(decimal: changedNanoseconds)
      line.append(literal: ",\"read_ns\":")
      line.append(decimal: readNanoseconds)
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
    var line: [UInt8] = []
    line.reserveCapacity(260 + path.bytes.count)
    line.append(literal: "{\"path\":")
    line.append(quoting: path.bytes)
    line.append(literal: ",\"kind\":\"")
    line.append(contentsOf: kind.rawValue.utf8)
    line.append(literal: "\",\"mode\":")
    line.append(decimal: permissions)
    line.append(literal: ",\"mtime_ns\":")
    line.append(decimal: modifiedNanoseconds)
    line.append(literal: ",\"size\":")
    line.append(decimal: size)
    if let target {
      line.append(literal: ",\"target\":")
      line.append(quoting: target)
    }
    if let origin { origin.append(to: &line) }
    if attributesCount > 0 {
      line.append(literal: ",\"attributes\":")
      line.append(decimal: attributesCount)
    }
    line.append(literal: "}\n")
    return line
  }

  /// Reads a line without its line feed.
  /// - Throws: `FlatJSON.Malformed`, also for a path that leads out of the backup.
  package init(parsing line: [UInt8]) throws(FlatJSON.Malformed) {
    var fields = Fields()
    try FlatJSON.parse(line) { (name, value) throws(FlatJSON.Malformed) in try fields.take(name, value: value) }
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
      // The time must be plausible: with another one, adding the uncertainty of a clock could overflow.
      guard let device, let inode, let changed, let read, (0..<7_000_000_000_000_000_000).contains(read) else {
        return nil
      }
      return Origin(
        identity: FileIdentity(device: device, inode: inode), changedNanoseconds: changed, readNanoseconds: read)
    }

    private enum Key {
      case path, kind, mode, modified, size, target, device, inode, changed, read, attributes

      /// Returns nil when the name belongs to a field of a later version.
      init?(_ name: ArraySlice<UInt8>) {
        // The length and the first letter tell the known names apart; then the name is compared once.
        let (key, text): (Key, StaticString)
        switch (name.count, name.first.map { Unicode.Scalar($0) }) {
        case (4, "p"): (key, text) = (.path, "path")
        case (4, "k"): (key, text) = (.kind, "kind")
        case (4, "m"): (key, text) = (.mode, "mode")
        case (8, "m"): (key, text) = (.modified, "mtime_ns")
        case (4, "s"): (key, text) = (.size, "size")
        case (6, "t"): (key, text) = (.target, "target")
        case (6, "d"): (key, text) = (.device, "device")
        case (5, "i"): (key, text) = (.inode, "inode")
        case (8, "c"): (key, text) = (.changed, "ctime_ns")
        case (7, "r"): (key, text) = (.read, "read_ns")
        case (10, "a"): (key, text) = (.attributes, "attributes")
        default: return nil
        }
        guard name.isEqual(to: text) else { return nil }
        self = key
      }
    }

    mutating func take(_ name: ArraySlice<UInt8>, value: FlatJSON.Value) throws(FlatJSON.Malformed) {
      switch (Key(name), value) {
      case (.path, .text(let text)): path = ByteText.bytes(of: text).flatMap { EntryPath(validating: $0) }
      case (.kind, .text(let text)): kind = Kind(text)
      case (.mode, .number(let number)): mode = number
      case (.modified, .number(let number)): modified = number
      case (.size, .number(let number)): size = number
      case (.target, .text(let text)):
        guard let bytes = ByteText.bytes(of: text), !bytes.isEmpty, !bytes.contains(0),
          bytes.count <= EntryPath.maximumLength
        else { throw FlatJSON.Malformed() }
        target = bytes
      case (.device, .text(let text)): device = text.decimal
      case (.inode, .text(let text)): inode = text.decimal
      case (.changed, .number(let number)): changed = number
      case (.read, .number(let number)): read = number
      case (.attributes, .number(let number)): attributes = max(0, number)
      default: break  // A field of a later version.
      }
    }
  }
}
