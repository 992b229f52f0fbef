package import Backup
internal import Files
package import Store

/// What `hrp backup verify --json` says.
package struct VerificationOutput: Encodable {
  private let path: String
  private let ok: Bool
  private let level: String
  private let filesChecked: Int
  private let findings: [FindingOutput]
  private let notices: [String]
  private let engine: Nullable<EngineOutput>

  package init(_ report: VerificationReport) {
    path = report.path
    ok = report.isOK
    level = report.level.rawValue
    filesChecked = report.filesChecked
    findings = report.findings.map(FindingOutput.init)
    notices = report.notices
    engine = Nullable(report.engine.map { EngineOutput($0) })
  }
}

/// What `hrp backup drill --json` says.
package struct DrillOutput: Encodable {
  private let path: String
  private let name: String
  private let ok: Bool
  private let level = "drill"
  private let at: String
  private let durationSeconds: Double
  private let state: String
  private let findings: [FindingOutput]
  private let notices: [String]
  private let engine: Nullable<EngineOutput>

  private enum CodingKeys: CodingKey {
    case path, name, ok, level, at, durationSeconds, state, findings, notices, engine
  }

  package init(_ report: DrillReport) {
    path = report.path
    name = report.name
    ok = report.isOK
    at = report.at
    durationSeconds = report.durationSeconds.roundedToMilliseconds
    state = report.state?.rawValue ?? (report.isOK ? "passed" : "failed")
    findings = report.findings.map(FindingOutput.init)
    notices = report.notices
    engine = Nullable(report.engine.map { EngineOutput($0, rowsBefore: report.rowsBefore) })
  }
}

/// One thing that is wrong with a backup.
struct FindingOutput: Encodable, Sendable {
  private let kind: String
  private let file: String
  private let detail: String

  init(_ finding: Finding) {
    kind = finding.kind.rawValue
    file = finding.file
    detail = finding.detail
  }
}

/// What DuckDB read of a backup.
struct EngineOutput: Encodable, Sendable {
  private struct Table: Encodable {
    let name: String
    let path: [String]
    let rows: Int64
    let fingerprint: String
    let rowsBefore: Nullable<Int64>
  }

  private let version: String
  private let library: String
  private let tables: [Table]

  /// - Parameter rowsBefore: rows that an earlier backup had, by table.
  init(_ engine: EngineSummary, rowsBefore: [String: Int64] = [:]) {
    version = engine.version
    library = engine.library
    tables = engine.tables.map {
      Table(
        name: $0.name, path: $0.path.parts, rows: $0.rows, fingerprint: $0.hash,
        rowsBefore: Nullable(rowsBefore[$0.name]))
    }
  }
}
