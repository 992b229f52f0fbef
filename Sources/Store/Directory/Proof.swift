package import Files
package import SystemPackage

#if canImport(FoundationEssentials)
  private import FoundationEssentials
#else
  private import Foundation
#endif

/// What the last drill of a backup showed, or a verification that failed since: a small file beside the sealed backups,
/// never needed to restore.
package struct Proof: Codable, Sendable, Equatable {
  /// The hash of the backup's `checksums.txt`: a proof belongs to those contents, whatever their directory is called.
  package var checksums: String
  /// How deep it looked.
  package var level: Level
  package var isOK: Bool
  /// Set when every byte was right and only a checkpoint failed; nil in old proofs, and wherever `isOK` says it all.
  package var state: State?
  /// ISO 8601 with offset.
  package var at: String
  /// The version of DuckDB that read it; empty when none did.
  package var engine: String
  package var durationSeconds: Double
  /// What was wrong, a line each; at most a hundred.
  package var findings: [String]
  /// The stored files that are damaged, in readable form; nil when there are none, or too many to list.
  package var damaged: [String]?
  package var tables: [TableFingerprint]
  /// What the first drill that passed read: every later one must read the same.
  package var first: Reading?
  /// The drill that had passed before a verification failed: it counts again when such a verification passes.
  package var passed: Passed?

  /// How deep a check looks; each level contains the one before.
  package enum Level: String, Codable, Sendable, CaseIterable, Comparable {
    case checksums, structure, engine, drill

    package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    package init(_ level: VerificationLevel) {
      self =
        switch level {
        case .checksums: .checksums
        case .structure: .structure
        case .engine: .engine
        }
    }
  }

  /// What more there is to say of a failure.
  package enum State: String, Codable, Sendable {
    /// The bytes are sound: only a checkpoint fails, and the live database may fail at its next one.
    case checkpointFailed = "checkpoint-failed"
  }

  /// Tables as one version of the engine read them.
  package struct Reading: Codable, Sendable, Equatable {
    package var engine: String
    package var at: String
    package var tables: [TableFingerprint]

    package init(engine: String, at: String, tables: [TableFingerprint]) {
      self.engine = engine
      self.at = at
      self.tables = tables
    }
  }

  /// A drill that passed.
  package struct Passed: Codable, Sendable, Equatable {
    package var at: String
    package var engine: String
    package var durationSeconds: Double
    package var tables: [TableFingerprint]

    package init(at: String, engine: String, durationSeconds: Double, tables: [TableFingerprint]) {
      self.at = at
      self.engine = engine
      self.durationSeconds = durationSeconds
      self.tables = tables
    }

    enum CodingKeys: String, CodingKey {
      case at, engine, tables
      case durationSeconds = "duration_seconds"
    }
  }

  enum CodingKeys: String, CodingKey {
    case checksums = "checksums_sha256"
    case level, state, at, engine, findings, damaged, tables, first, passed
    case isOK = "ok"
    case durationSeconds = "duration_seconds"
  }

  package init(
    checksums: String, level: Level, isOK: Bool, state: State? = nil, at: String, engine: String,
    durationSeconds: Double, findings: [String], damaged: [String]? = nil, tables: [TableFingerprint],
    first: Reading? = nil, passed: Passed? = nil
  ) {
    self.checksums = checksums
    self.level = level
    self.isOK = isOK
    self.state = state
    self.at = at
    self.engine = engine
    self.durationSeconds = durationSeconds
    self.findings = findings
    self.damaged = damaged
    self.tables = tables
    self.first = first
    self.passed = passed
  }

  /// Whether the backup restores and every byte of it is right, though the engine fails when it writes a checkpoint.
  package var isSound: Bool { isOK || state == .checkpointFailed }

  /// Why bytes of the backup may be wrong, as the beginning of a sentence; nil when they are right.
  package var damage: String? { isSound ? nil : failure }

  /// For scripts: `passed`, `failed`, or what more there is to say of a failure.
  package var stateWord: String { state?.rawValue ?? (isOK ? "passed" : "failed") }

  /// For people: how it ended.
  package var resultWord: String {
    isOK ? "passed" : state == .checkpointFailed ? "sound, CHECKPOINT FAILED" : "FAILED"
  }

  /// What failed, as the beginning of a sentence; nil when nothing failed.
  package var failure: String? {
    if isOK { return nil }
    if state == .checkpointFailed { return "its drill read everything, and DuckDB failed to write a checkpoint" }
    return level == .drill ? "its drill failed" : "its verification failed (level \(level.rawValue))"
  }
}

/// The proofs in a directory of backups.
package struct ProofDirectory {
  static let folderName = FilePath(".hrp-proofs")

  private let notes: BackupNotes

  package init(of backups: FilePath, files: any FileSystem) {
    notes = BackupNotes(Self.folderName, of: backups, files: files)
  }

  /// The proof of a backup; a proof of other contents does not count.
  /// - Parameter checksums: the hash of the backup's `checksums.txt`; nil when the backup has no seal, and so no proof.
  package func proof(of name: FileName, checksums: Digest?) -> Noted<Proof> {
    guard let checksums else { return .nothing }
    let proof = notes.read(name).map(orElse: "it is not the proof of a backup") {
      let bytes = Data($0)
      return parsed { try JSONDecoder().decode(Proof.self, from: bytes) }
    }
    if let value = proof.value, value.checksums != checksums.hex { return .nothing }
    return proof
  }

  /// The backups whose notes report anything but success: the files of all others need not be read.
  ///
  /// - Throws: `SystemError` when the folder of notes cannot be listed.
  package func doubtful() throws(SystemError) -> [FileName] {
    try notes.names().filter { name in
      let proof = notes.read(name).value.flatMap { bytes in
        parsed { try JSONDecoder().decode(Proof.self, from: Data(bytes)) }
      }
      return proof?.isOK != true
    }
  }

  /// Writes a proof in place of the one before; a crash leaves the one or the other.
  package func write(_ proof: Proof, of name: FileName) throws {
    try notes.write(StoredJSON.bytes(of: proof), of: name)
  }

  /// Removes the proof of a backup that is gone.
  package func remove(_ name: FileName) throws(SystemError) { try notes.remove(name) }
}

extension Proof {
  /// When a drill of the backup passed last, in nanoseconds since 1970 UTC; nil when none did, or it cannot be told.
  package var drilledAt: Int64? {
    let text = level == .drill && isOK ? at : passed?.at
    return text.flatMap { BackupDirectory.timestamp(ofTimestamp: $0) }
  }

  /// Whether the failure is a reason not to restore a part of the stack, or the whole stack when `part` is nil.
  ///
  /// It is no such reason when the proof lists all damage, and all of it is in the other part.
  package func concerns(_ part: StackPart?) -> Bool {
    guard let part, let damaged else { return true }
    return damaged.contains { text in
      guard let path = ByteText.bytes(of: text.utf8).flatMap({ EntryPath(validating: $0) }) else { return true }
      return BackupLayout.lists.contains(path) || BackupLayout.part(of: path) == part
    }
  }
}
