package import Backup
internal import Store

/// What `hrp validate --json` says.
package struct HealthOutput: Encodable {
  private struct Table: Encodable {
    let status: String
    let count: Int64
  }

  private let status: String
  private let api: String
  private let database: String
  private let tables: [String: Table]
  private let priceRecords: Nullable<Int>
  private let asOf: Nullable<String>
  private let engine: Nullable<String>
  private let findings: [String]

  /// - Parameter prices: the price records that were asked for; nil when none were, or when they could not be read.
  package init(_ health: HealthReport, prices: PriceHistory?, findings: [String]) {
    status = health.status
    api = health.api
    database = health.database
    tables = Dictionary(
      health.tables.map { ($0.name, Table(status: $0.status, count: $0.count)) },
      uniquingKeysWith: { first, _ in first })
    priceRecords = Nullable(prices?.rows.count)
    asOf = Nullable(health.asOf)
    engine = Nullable(health.engine)
    self.findings = findings
  }
}
