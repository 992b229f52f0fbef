package import Files
internal import SystemPackage

/// One thing that is wrong with a backup.
public struct Finding: Sendable, Equatable {
  /// The kinds of damage; the names are promises to scripts.
  public enum Kind: String, Sendable {
    /// Contents are not those that were written.
    case mismatch
    /// A file that the lists name is not there.
    case missing
    /// A file that the lists do not name is there.
    case unexpected
    /// A list of the backup itself cannot be read or contradicts itself.
    case malformed
    /// A DuckDB block in use is damaged.
    case block
    /// The WAL is damaged, or it belongs to another database.
    case wal = "log"
    /// SQLite finds one of MLflow's databases damaged.
    case sqlite
    /// DuckDB itself cannot read everything, or reads something else than before.
    case engine
    /// Everything reads as it should, and the engine fails when it writes a checkpoint.
    case checkpoint
    /// A symlink is missing, or it leads elsewhere.
    case link
  }

  /// The most findings that are kept of a part.
  static let maximumKept = 10_000

  /// What kind of damage it is.
  public let kind: Kind
  /// The path in the backup, in readable form.
  public let file: String
  /// More, as a clause; empty when the kind says it all.
  public let detail: String
  /// The part of the stack that it concerns; nil when it is about a list of the backup itself, and so about both parts.
  package let part: StackPart?

  /// Whether it may be the fault of this machine or this user, and not of the backup: rights, limits, a connection.
  package let mayBeOfMachine: Bool

  package init(_ kind: Kind, path: EntryPath, detail: String = "", mayBeOfMachine: Bool = false) {
    self.kind = kind
    file = path.text
    self.detail = detail
    self.mayBeOfMachine = mayBeOfMachine
    part = BackupLayout.lists.contains(path) ? nil : BackupLayout.part(of: path)
  }

  /// A file that the system does not read.
  /// - Parameter more: what more there is to say, as a clause; may be empty.
  package static func unreadable(_ path: EntryPath, error: SystemError, more: String = "") -> Finding {
    let words = ["cannot be read: \(error.errno)", more].filter { !$0.isEmpty }
    return Finding(
      .mismatch, path: path, detail: words.joined(separator: "; "), mayBeOfMachine: error.errno != .ioError)
  }

  /// Whether it is a reason not to restore a part of the stack, or the whole stack when `part` is nil.
  func concerns(_ part: StackPart?) -> Bool { part == nil || self.part == nil || self.part == part }

  /// The stored files that findings are about, each once; nil when there are none, or when not all findings were kept.
  package static func damagedFiles(_ findings: [Finding]) -> [String]? {
    let isCut = StackPart.allCases.contains { part in
      findings.count { $0.part == part } >= maximumKept
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
    case .wal: "Damaged WAL: \(file)\(more)"
    case .sqlite: "Damaged SQLite database: \(file)\(more)"
    case .engine: "Refused by the engine: \(file)\(more)"
    case .checkpoint: "Fails at its next checkpoint: \(file)\(more)"
    case .link: "Broken symlink: \(file)\(more)"
    }
  }
}
