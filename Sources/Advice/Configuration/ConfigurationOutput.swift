internal import Files
internal import Settings
internal import Store
internal import SystemPackage

/// What `hrp config show --json` says.
package struct ConfigurationOutput: Encodable {
  private struct Row: Encodable {
    let key: String
    let value: String
    let source: String
  }

  private let file: String
  private let exists: Bool
  private let settings: [Row]

  package init(_ report: ConfigurationReport) {
    file = report.file.text
    exists = report.exists
    settings = report.rows.map { Row(key: $0.key, value: $0.value, source: $0.source) }
  }
}

/// What `hrp config validate --json` says.
package struct ConfigurationCheckOutput: Encodable {
  private struct Mistake: Encodable {
    let line: Nullable<Int>
    let message: String
  }

  private let file: String
  private let exists: Bool
  private let ok: Bool
  private let problems: [Mistake]
  private let warnings: [String]

  package init(_ check: ConfigurationCheck) {
    file = check.file.text
    exists = check.exists
    let all = check.problems + check.placeProblems
    ok = all.isEmpty
    problems = all.map { Mistake(line: Nullable($0.line), message: $0.message) }
    warnings = check.warnings
  }
}
