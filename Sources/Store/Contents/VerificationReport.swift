public import Files
internal import SystemPackage

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

  /// What the engine read; nil when it was not asked, or when the check did not get so far.
  public let engine: EngineSummary?

  package init(
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

  /// The command that removes unexpected files from a backup; nil when anything else is wrong, or when nothing is.
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

  /// The findings that are a reason not to restore a part of the stack, or the whole stack when `part` is nil.
  package func findings(of part: StackPart?) -> [Finding] { findings.filter { $0.concerns(part) } }
}

/// What DuckDB itself read of a backup.
public struct EngineSummary: Sendable, Equatable {
  /// The library's version: "v2.0.1".
  public let version: String
  /// Where the library was found.
  public let library: String
  /// Every table, in the order of schema and name.
  public let tables: [TableFingerprint]

  package init(version: String, library: String, tables: [TableFingerprint]) {
    self.version = version
    self.library = library
    self.tables = tables
  }

  /// Rows of all tables.
  public var rows: Int64 { tables.reduce(0) { $0 &+ $1.rows } }
}
