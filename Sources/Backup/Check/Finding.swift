public import DuckDBEngine
internal import Files
internal import SystemPackage

/// How deep a check looks.
///
/// Each level holds the one before.
public enum VerificationLevel: String, Sendable, Comparable, CaseIterable {
  /// The bytes are those that were written, nothing is missing and nothing is there too much.
  case checksums
  /// Every DuckDB block in use carries its checksum, the log is whole, SQLite finds its databases right.
  case structure
  /// A copy opens in the engine, and everything in it can be read.
  case engine

  /// Whether the left level looks less deep.
  public static func < (left: VerificationLevel, right: VerificationLevel) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// One thing that is wrong with a backup.
public struct Finding: Sendable, Equatable {
  /// The kinds of damage; the names are promises to scripts.
  public enum Kind: String, Sendable {
    /// Contents are not those that were written.
    case mismatch
    case missing
    case unexpected
    /// A list of the backup itself cannot be read or contradicts itself.
    case malformed
    /// A DuckDB block in use is damaged.
    case block
    /// The write-ahead log is damaged or another database's.
    case log
    case sqlite
    case engine
    /// Everything reads as it should, and the engine fails when it writes a checkpoint.
    case checkpoint
    /// A link is missing or leads elsewhere.
    case link
  }

  /// What kind of damage it is.
  public let kind: Kind
  /// The path in the backup, in readable form.
  public let file: String
  /// More, as a clause; empty when the kind says it all.
  public let detail: String
  /// The part of the stack that it concerns; nil: a list of the backup itself, and so all of it.
  package let part: StackPart?

  /// Whether it may be the fault of this machine or this user, and not of the backup: rights, limits, a connection.
  let mayBeOfMachine: Bool

  init(_ kind: Kind, _ path: EntryPath, _ detail: String = "", mayBeOfMachine: Bool = false) {
    self.kind = kind
    file = path.text
    self.detail = detail
    self.mayBeOfMachine = mayBeOfMachine
    part = BackupLayout.lists.contains(path) ? nil : BackupLayout.part(of: path)
  }

  /// A file that the system does not read.
  /// - Parameter more: what more there is to say, as a clause; may be empty.
  static func unreadable(_ path: EntryPath, _ error: SystemError, _ more: String = "") -> Finding {
    let words = ["cannot be read: \(error.errno)", more].filter { !$0.isEmpty }
    return Finding(.mismatch, path, words.joined(separator: "; "), mayBeOfMachine: error.errno != .ioError)
  }

  /// Whether it stands against restoring a part of the stack; nil: all of it.
  func concerns(_ part: StackPart?) -> Bool { part == nil || self.part == nil || self.part == part }

  /// The stored files that findings are about, each once; nil: there may be more than were kept, or none.
  static func damagedFiles(_ findings: [Finding]) -> [String]? {
    let isCut = StackPart.allCases.contains { part in
      findings.count { $0.part == part } >= ContentsWalk.maximumFindings
    }
    return isCut || findings.isEmpty ? nil : Set(findings.map(\.file)).sorted()
  }

  /// The line that people read, in the guide's words.
  public var line: String {
    let more = detail.isEmpty ? "" : " (\(detail))"
    return switch kind {
    case .mismatch: "Checksum mismatch: \(file)\(more)"
    case .missing where file == BackupLayout.checksums.text: "Checksums file missing\(more)"
    case .missing: "Missing file: \(file)\(more)"
    case .unexpected: "Unexpected file: \(file)\(more)"
    case .malformed: "Malformed list: \(file)\(more)"
    case .block: "Damaged database: \(file)\(more)"
    case .log: "Damaged WAL: \(file)\(more)"
    case .sqlite: "Damaged SQLite database: \(file)\(more)"
    case .engine: "Refused by the engine: \(file)\(more)"
    case .checkpoint: "Fails at its next checkpoint: \(file)\(more)"
    case .link: "Broken symlink: \(file)\(more)"
    }
  }
}

/// What a check found.
public struct VerificationReport: Sendable {
  /// The backup's directory, absolute, in readable form.
  public let path: String
  /// The level that was reached; less than asked for where the files allow no more (`notices` says why).
  public let level: VerificationLevel
  /// Files whose contents were compared with `checksums.txt`.
  public let filesChecked: Int
  /// Everything that is wrong, in the order of the paths.
  public let findings: [Finding]
  /// What the user should know beside it: why a level was not reached, that the backup is incomplete.
  public let notices: [String]

  /// What the engine read; nil: it was not asked, or not reached.
  public let engine: EngineSummary?

  init(
    path: String, level: VerificationLevel, filesChecked: Int, findings: [Finding], notices: [String],
    engine: EngineSummary? = nil
  ) {
    self.path = path
    self.level = level
    self.filesChecked = filesChecked
    self.findings = findings
    self.notices = notices
    self.engine = engine
  }

  /// The command that mends a backup in which nothing is wrong but that more is there than was written; nil: another
  /// finding, or none.
  public var mendingCommand: String? {
    guard !findings.isEmpty, findings.allSatisfy({ $0.kind == .unexpected }) else { return nil }
    let root = FilePath(bytes: ByteText.bytes(of: path.utf8) ?? Array(path.utf8))
    // What lies in a folder goes with it.
    var tops: [Finding] = []
    for finding in findings where tops.count < 5 {
      if !tops.contains(where: { finding.file.hasPrefix($0.file + "/") }) { tops.append(finding) }
    }
    let names = tops.map { finding in
      ShellWord.quoted(root.appending(FilePath(bytes: ByteText.bytes(of: finding.file.utf8) ?? []).components))
    }
    return "rm -r -- " + names.joined(separator: " ")
  }

  /// Nothing is wrong, as far as this level sees.
  public var isOK: Bool { findings.isEmpty }

  /// What stands against restoring a part of the stack; nil: all of it.
  func findings(of part: StackPart?) -> [Finding] { findings.filter { $0.concerns(part) } }
}

/// What DuckDB itself read of a backup.
public struct EngineSummary: Sendable, Equatable {
  /// The library's version: "v2.0.1".
  public let version: String
  /// Where the library was found.
  public let library: String
  /// Every table, in the order of schema and name.
  public let tables: [TableFingerprint]

  /// Rows of all tables.
  public var rows: Int64 { tables.reduce(0) { $0 &+ $1.rows } }
}
