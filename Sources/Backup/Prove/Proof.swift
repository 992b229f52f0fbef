package import DuckDBEngine
package import Files
package import SystemPackage

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// What the last drill of a backup showed: a small file beside the sealed backups, never needed to restore.
package struct Proof: Codable, Sendable, Equatable {
  /// The hash of the backup's `checksums.txt`: a proof belongs to those contents, whatever their directory is called.
  package var checksums: String
  /// How deep it looked: "drill".
  package var level: String
  package var isOK: Bool
  /// ISO 8601 with offset.
  package var at: String
  /// The version of DuckDB that read it.
  package var engine: String
  package var durationSeconds: Double
  /// What was wrong, a line each; at most a hundred.
  package var findings: [String]
  package var tables: [TableFingerprint]
  /// What the first drill that passed read: every later one must read the same.
  package var first: Reading?

  /// Tables as one version of the engine read them.
  package struct Reading: Codable, Sendable, Equatable {
    package var engine: String
    package var at: String
    package var tables: [TableFingerprint]
  }

  enum CodingKeys: String, CodingKey {
    case checksums = "checksums_sha256"
    case level, at, engine, findings, tables, first
    case isOK = "ok"
    case durationSeconds = "duration_seconds"
  }
}

/// The proofs in a directory of backups.
package struct ProofDirectory {
  private static let folderName = FilePath(".hrp-proofs")
  private static let maximumBytes: Int64 = 64 << 20

  private let backups: FilePath
  private let files: any FileSystem

  package init(of backups: FilePath, files: any FileSystem) {
    self.backups = backups
    self.files = files
  }

  /// The proof of a backup; nil: there is none that can be read, or it is another backup's.
  package func proof(of name: FileName, checksums: Digest?) -> Proof? {
    guard let checksums,
      let file = try? OpenFile(path(of: name), [.noFollow], files: files), let status = try? file.status(),
      status.kind == .regular, status.size <= Self.maximumBytes,
      let bytes = try? file.read(count: Int(status.size), at: 0),
      let proof = try? JSONDecoder().decode(Proof.self, from: Data(bytes)), proof.checksums == checksums.hex
    else { return nil }
    return proof
  }

  /// Writes a proof in place of the one before; a crash leaves the one or the other.
  package func write(_ proof: Proof, of name: FileName) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    let bytes = Array(try encoder.encode(proof)) + [UInt8(ascii: "\n")]
    let parent = try OpenFile(backups, [.directory], files: files)
    if try !files.exists(Self.folderName, at: parent.descriptor) {
      try files.makeDirectory(Self.folderName, at: parent.descriptor, permissions: 0o755)
      try parent.synchronize()
    }
    let folder = try OpenFile(Self.folderName, at: parent.descriptor, [.directory, .noFollow], files: files)
    let staged = FilePath(".\(ThisProcess.pid).partial")
    try files.removeTree(staged, at: folder.descriptor)
    let file = try OpenFile(staged, at: folder.descriptor, [.write, .create, .exclusive], files: files)
    try file.write(bytes, at: 0)
    try file.synchronize()
    try file.close()
    try files.renameReplacing(
      staged, at: folder.descriptor, to: Self.fileName(of: name), at: folder.descriptor)
    try folder.synchronize()
  }

  /// Removes the proof of a backup that is gone.
  package func remove(_ name: FileName) throws(SystemError) {
    if try files.exists(path(of: name)) { try files.remove(path(of: name), at: nil) }
  }

  private func path(of name: FileName) -> FilePath {
    backups.pushing(Self.folderName).pushing(Self.fileName(of: name))
  }

  private static func fileName(of name: FileName) -> FilePath { FilePath(bytes: name.bytes + Array(".json".utf8)) }
}
