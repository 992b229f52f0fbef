package import Files

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// What `metadata.json` says, as far as it can be read: of our backups and of the Python tool's.
package struct BackupMetadata: Sendable {
  /// Set in our own backups only; the format's number.
  package var format: Int?
  package var name: String?
  package var timestamp: String?
  /// Seconds since 1970 UTC.
  package var createdAt: Double?
  package var sizeBytes: Int64?
  /// How long making it took.
  package var durationSeconds: Double?
  package var includesMLflow: Bool?
  package var verified: Bool?
  package var complete: Bool?
  /// What was not read when an incomplete backup was made, in readable form.
  package var unread: [String] = []
  /// Databases and folders at the top of the MLflow directory that were gone and that an earlier backup has.
  package var lost: [String] = []
  package var checksumsDigest: Digest?
  package var manifestDigest: Digest?
  /// The data directory that was backed up, in the escapes of ``ByteText``.
  package var sourceDirectory: String?
  /// The same with all symlinks resolved; programs may have recorded either form.
  package var realSourceDirectory: String?
  package var mlflowLayout: String?
  /// The MLflow directory that was backed up, in the escapes of ``ByteText``.
  package var mlflowDirectory: String?
  package var realMLflowDirectory: String?
  package var databaseName: String?
  /// Whether the database is a clone that shares storage with its source.
  package var sharesStorage: Bool?
  /// How many names the list of files holds.
  package var filesCount: Int?
  /// The version of the program that made it.
  package var hrpVersion: String?
  /// The machine that it was made on.
  package var host: String?
  /// The DuckDB that had written the database: "v2.0.0".
  package var libraryVersion: String?
  /// How the database was copied, and at which of its checkpoints.
  package var snapshotMethod: String?
  package var snapshotIteration: Int64?
  /// The backup that unchanged files are hard-linked from, and their bytes.
  package var sharedWith: String?
  package var sharedBytes: Int64?

  /// What an incomplete backup lacks, as a clause; nil when it is not known to be incomplete.
  package var incompleteWords: String? {
    guard complete == false else { return nil }
    guard let first = unread.first else { return "some source files could not be read when it was made" }
    let more = unread.count > 1 ? " and \(unread.count - 1) more" : ""
    return "\(first)\(more) was missing or could not be read when it was made"
  }

  /// Whether one of our own versions wrote it.
  package var isOurs: Bool { format != nil }
}

/// Reads `metadata.json` line by line: the list of files, which may be long, is counted and not kept.
package enum MetadataReader {
  /// The result of reading the file.
  package struct Reading {
    /// The metadata; nil when the file is not a JSON object, or is too large for the metadata of a backup.
    package let metadata: BackupMetadata?
    /// What is wrong with the file, as a clause; nil when no problem was found.
    package let problem: String?
  }

  /// Where the list of files begins, in a file of ours.
  private static let list = [UInt8(ascii: "\n")] + MetadataParser.listLine
  /// The list must begin within so many bytes.
  private static let maximumHeadBytes = 64 << 10

  /// Reads what stands before the list of files, and nothing else: enough to list a backup, however many files it has.
  ///
  /// Whether the seal holds is not looked at; whoever relies on the contents asks `read`.
  /// - Returns: nil when the file is not written in a form in which the head is enough.
  /// - Throws: `SystemError` when the file cannot be read.
  package static func readHead(_ file: any ReadableBytes) throws -> BackupMetadata? {
    let bytes = try file.read(count: maximumHeadBytes, at: 0)
    guard let start = bytes.firstRange(of: list)?.lowerBound else { return nil }
    let metadata = MetadataParser.decode(Array(bytes[..<start]) + list + Array("]\n}\n".utf8))
    return metadata?.isOurs == true && metadata?.filesCount != nil ? metadata : nil
  }

  /// Reads all of it.
  /// - Throws: `SystemError` when the file cannot be read.
  package static func read(_ file: any ReadableBytes) throws -> Reading {
    let lines = LineReader(file, maximumLength: 1 << 20)
    var parser = MetadataParser()
    do {
      while !parser.isTooLarge, let line = try lines.next() {
        parser.take(line, endsWithLineFeed: lines.endedWithLineFeed)
      }
    } catch is LineReader.LineTooLong {
      return Reading(metadata: nil, problem: "is not the metadata of a backup")
    }
    return parser.finish()
  }
}

/// Takes the lines of a `metadata.json`.
///
/// Pure: lines in, metadata or what is wrong out.
package struct MetadataParser {
  /// The most bytes that everything but the list of files may take.
  private static let maximumBytes = 4 << 20

  private var kept: [UInt8] = []
  private var names = 0
  private var isInList = false
  private var hash = DigestStream()
  /// Lines that were taken and are not hashed yet; many lines are hashed at once.
  private var pending: [UInt8] = []
  private var tail: [UInt8]?
  /// No more lines are wanted: this is not the metadata of a backup.
  package var isTooLarge: Bool { kept.count + (tail?.count ?? 0) > Self.maximumBytes }

  package init() {}

  /// Takes the next line, given without its line feed.
  package mutating func take(_ line: [UInt8], endsWithLineFeed: Bool) {
    guard !isTooLarge else { return }
    if line.starts(with: Self.sealPrefix) { tail = tail ?? [] }
    if tail == nil {
      pending.append(contentsOf: line)
      if endsWithLineFeed { pending.append(UInt8(ascii: "\n")) }
      if pending.count >= 64 << 10 { hashPending() }
    } else {
      tail?.append(contentsOf: line)
      if endsWithLineFeed { tail?.append(UInt8(ascii: "\n")) }
    }
    if isInList, line.starts(with: Self.listEnd) { isInList = false }
    if isInList {
      names += 1
    } else {
      kept += line + [UInt8(ascii: "\n")]
      isInList = line == Self.listLine
    }
  }

  private mutating func hashPending() {
    pending.withUnsafeBytes { hash.update($0) }
    pending.removeAll(keepingCapacity: true)
  }

  /// What the lines said.
  package func finish() -> MetadataReader.Reading {
    if isTooLarge { return MetadataReader.Reading(metadata: nil, problem: "is too large") }
    guard var metadata = Self.decode(kept) else {
      return MetadataReader.Reading(metadata: nil, problem: "is not a JSON object")
    }
    if names > 0 { metadata.filesCount = names }
    var hash = hash
    pending.withUnsafeBytes { hash.update($0) }
    return MetadataReader.Reading(
      metadata: metadata, problem: metadata.isOurs ? sealProblem(hash.finalize()) : nil)
  }

  /// Returns nil when the bytes are not a JSON object.
  fileprivate static func decode(_ bytes: [UInt8]) -> BackupMetadata? {
    let data = Data(bytes)
    return parsed { try JSONDecoder().decode(Stored.self, from: data) }?.metadata
  }

  /// The line that begins the list of files.
  static let listLine = Array("  \"files\": [".utf8)
  private static let listEnd = Array("  ]".utf8)
  static let sealPrefix = Array("  \"metadata_sha256\": \"".utf8)

  /// The end of the file, from the seal on: nothing may follow that the seal does not cover.
  static func tail(sealing digest: Digest) -> [UInt8] { sealPrefix + Array("\(digest.hex)\"\n}\n".utf8) }

  private func sealProblem(_ digest: Digest) -> String? {
    guard let tail else { return "has no seal" }
    return tail == Self.tail(sealing: digest) ? nil : "was changed: its seal does not match its contents"
  }

  /// The keys that matter.
  ///
  /// A field of another type than expected counts as not there: the file may be a stranger's.
  private struct Stored: Decodable {
    var metadata = BackupMetadata()

    enum Key: String, CodingKey {
      case format, name, timestamp, created_at, size_bytes, include_mlflow, verified, complete, unread, lost,
        checksums_sha256
      case manifest_sha256, source_dir, source_dir_real, mlflow, database, snapshot, files, hrp_version, host, shared,
        files_count, duration_seconds
    }
    private struct Unread: Decodable { let path: String }
    enum Inner: String, CodingKey {
      case layout, name, shares_storage, directory, directory_real, library_version, method, iteration, backup, bytes
    }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: Key.self)
      metadata.format = fields.usable(Int.self, key: .format)
      metadata.name = fields.usable(String.self, key: .name)
      metadata.timestamp = fields.usable(String.self, key: .timestamp)
      metadata.createdAt = fields.usable(Double.self, key: .created_at)
      metadata.sizeBytes = fields.usable(Int64.self, key: .size_bytes).flatMap { $0 < 0 ? nil : $0 }
      metadata.durationSeconds = fields.usable(Double.self, key: .duration_seconds).flatMap { $0 < 0 ? nil : $0 }
      metadata.includesMLflow = fields.usable(Bool.self, key: .include_mlflow)
      metadata.verified = fields.usable(Bool.self, key: .verified)
      metadata.complete = fields.usable(Bool.self, key: .complete)
      metadata.unread = fields.usable([Unread].self, key: .unread)?.map(\.path) ?? []
      metadata.lost = fields.usable([String].self, key: .lost) ?? []
      metadata.checksumsDigest = Self.digest(fields, key: .checksums_sha256)
      metadata.manifestDigest = Self.digest(fields, key: .manifest_sha256)
      metadata.sourceDirectory = fields.usable(String.self, key: .source_dir)
      metadata.realSourceDirectory = fields.usable(String.self, key: .source_dir_real)
      let named = fields.usable([String].self, key: .files)?.count
      metadata.filesCount = fields.usable(Int.self, key: .files_count).flatMap { $0 < 0 ? nil : $0 } ?? named
      let mlflow = parsed { try fields.nestedContainer(keyedBy: Inner.self, forKey: .mlflow) }
      metadata.mlflowLayout = mlflow?.usable(String.self, key: .layout)
      metadata.mlflowDirectory = mlflow?.usable(String.self, key: .directory)
      metadata.realMLflowDirectory = mlflow?.usable(String.self, key: .directory_real)
      let database = parsed { try fields.nestedContainer(keyedBy: Inner.self, forKey: .database) }
      let snapshot = parsed { try fields.nestedContainer(keyedBy: Inner.self, forKey: .snapshot) }
      metadata.sharesStorage = snapshot?.usable(Bool.self, key: .shares_storage)
      metadata.databaseName = database?.usable(String.self, key: .name)
      metadata.hrpVersion = fields.usable(String.self, key: .hrp_version)
      metadata.host = fields.usable(String.self, key: .host)
      metadata.libraryVersion = database?.usable(String.self, key: .library_version)
      metadata.snapshotMethod = snapshot?.usable(String.self, key: .method)
      metadata.snapshotIteration = snapshot?.usable(Int64.self, key: .iteration)
      let shared = parsed { try fields.nestedContainer(keyedBy: Inner.self, forKey: .shared) }
      metadata.sharedWith = shared?.usable(String.self, key: .backup)
      metadata.sharedBytes = shared?.usable(Int64.self, key: .bytes)
    }

    private static func digest(_ fields: KeyedDecodingContainer<Key>, key: Key) -> Digest? {
      fields.usable(String.self, key: key).flatMap { Digest(hex: Array($0.utf8)) }
    }
  }
}

extension KeyedDecodingContainer {
  /// A field of another type than expected counts as not there.
  fileprivate func usable<Field: Decodable>(_ type: Field.Type, key: Key) -> Field? {
    parsed { try decode(type, forKey: key) }
  }
}

/// Writes `metadata.json`: the fields, the list of files, and last a seal over all that comes before it.
package enum MetadataWriter {
  /// - Parameter paths: tells each path of `checksums.txt` in order; the list is streamed, so it may be long.
  package static func write(
    _ fields: some Encodable, at directory: Descriptor, permissions: UInt16, files: any FileSystem,
    paths: ((EntryPath) throws -> Void) throws -> Void
  ) throws {
    let writer = try LineWriter(
      BackupLayout.metadata.name.path, at: directory, permissions: permissions, files: files, observe: { _ in })
    var hash = DigestStream()
    let put = { (bytes: [UInt8]) throws in
      bytes.withUnsafeBytes { hash.update($0) }
      try writer.write(bytes)
    }
    // All of the object but its closing brace, which stands on a line of its own.
    let object = try ResultText.json(fields)
    try put(Array((object.dropLast(2) + ",\n").utf8))
    try put(MetadataParser.listLine)
    var isFirst = true
    try paths { path in
      var line: [UInt8] = []
      line.append(literal: isFirst ? "\n    " : ",\n    ")
      line.append(quoting: path.bytes) { ResultText.escaped(FlatJSON.quoted($0.utf8)) }
      try put(line)
      isFirst = false
    }
    try put(Array((isFirst ? "],\n" : "\n  ],\n").utf8))
    try writer.write(MetadataParser.tail(sealing: hash.finalize()))
    _ = try writer.close(durable: true)
  }
}
