package import Backup
internal import Store

/// What `hrp prices --json` says.
package struct PricesOutput: Encodable {
  private struct Row: Encodable {
    let symbol: String
    let date: String
    let open, high, low, close, adjClose: Nullable<Double>
    let volume: Nullable<Int64>

    init(_ price: Price) {
      symbol = price.symbol
      date = price.date.description
      open = Nullable(price.open)
      high = Nullable(price.high)
      low = Nullable(price.low)
      close = Nullable(price.close)
      adjClose = Nullable(price.adjustedClose)
      volume = Nullable(price.volume)
    }
  }

  private let columns: [String]
  private let rows: [Row]
  private let asOf: String
  private let notices: [String]

  /// The rows of a question, in their order.
  package init(_ history: PriceHistory) {
    columns = PriceHistory.columns
    rows = history.rows.map(Row.init)
    asOf = history.asOf
    notices = history.notices
  }
}
