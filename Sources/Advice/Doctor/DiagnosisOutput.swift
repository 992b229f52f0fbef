package import DuckDBEngine
internal import Store

/// What `hrp doctor --json` says.
package struct DiagnosisOutput: Encodable {
  private struct Row: Encodable {
    let name: String
    let state: String
    let detail: String
    let remedy: Nullable<String>
  }

  private let ok: Bool
  private let rows: [Row]
  private let report: Nullable<String>

  /// - Parameters:
  /// - report: where the report was written; nil when the user asked for none.
  ///   - completed: makes a remedy of a row one that can be run as it is.
  package init(_ rows: [DiagnosisRow], report: String?, completed: (String) -> String) {
    ok = !rows.contains { $0.state == .failure }
    self.rows = rows.map {
      Row(name: $0.name, state: $0.state.rawValue, detail: $0.detail, remedy: Nullable($0.remedy.map(completed)))
    }
    self.report = Nullable(report)
  }
}

/// What `hrp doctor --text --json` says about a text of DuckDB.
package struct EngineWordsOutput: Encodable {
  private let cause: String
  private let remedy: String

  package init(_ words: EngineWords) {
    cause = words.cause
    remedy = words.remedy
  }
}
