internal import DuckDBEngine
package import Files
package import Store
internal import SystemPackage

/// One day's prices of one symbol.
public struct Price: Sendable, Equatable {
  /// The symbol as the universe knows it.
  public let symbol: String
  /// The trading day.
  public let date: CalendarDay
  /// The first price of the day; nil when it was not recorded.
  public let open: Double?
  /// The highest price of the day; nil when it was not recorded.
  public let high: Double?
  /// The lowest price of the day; nil when it was not recorded.
  public let low: Double?
  /// The last price of the day; nil when it was not recorded.
  public let close: Double?
  /// The last price, adjusted for splits and dividends; nil when it was not recorded.
  public let adjustedClose: Double?
  /// The number of shares traded; nil when it was not recorded.
  public let volume: Int64?
}

/// Prices of some symbols, from one state of the database.
public struct PriceHistory: Sendable {
  /// The names of the columns, as the platform has them.
  public static let columns = ["symbol", "date", "open", "high", "low", "close", "adj_close", "volume"]

  /// In the order of date, then symbol.
  public let rows: [Price]
  /// The timestamp of the state that they were read from, ISO 8601 with offset.
  public let asOf: String
  /// What the caller should know, such as that no prices were found.
  public let notices: [String]
}

/// Asks for prices: checks the question in the platform's order and with its texts, then reads.
package struct PriceQuery {
  let symbols: [String]
  let start: CalendarDay
  let end: CalendarDay

  package init(symbols: [String], start: CalendarDay, end: CalendarDay) {
    self.symbols = symbols
    self.start = start
    self.end = end
  }

  /// Asks.
  /// - Throws: `BackupError`: `prices.invalid` for what is wrong with the question, `prices.no-table`, `engine.…`,
  ///   `source.not-found`, `duckdb.…`.
  package func run(on database: LiveDatabase, time: any TimeSource) throws -> PriceHistory {
    try check(time)
    // Both in one question: they are of one state.
    let (answers, timestamp) = try database.ask([known, prices])
    let isKnown = Set(try Self.rows(answers[0]).compactMap { $0.first ?? nil })
    let unknown = Set(symbols).filter { !isKnown.contains($0) }.sorted()
    guard unknown.isEmpty else {
      throw Self.invalid("Invalid symbols not found in universe: \(unknown.joined(separator: ", "))")
    }
    for symbol in symbols where !Self.isPlain(symbol) {
      throw Self.invalid(
        "Invalid symbol: '\(symbol)'. Only alphanumeric characters, dots, hyphens, underscores, and forward slashes "
          + "are allowed.")
    }
    let rows = try Self.rows(answers[1]).compactMap(Self.price)
    let none = "No price data found for [\(symbols.map { "'\($0)'" }.joined(separator: ", "))] from \(start) to \(end)"
    return PriceHistory(
      rows: rows, asOf: LocalTime(nanoseconds: timestamp).iso8601WithOffset, notices: rows.isEmpty ? [none] : [])
  }

  /// Looks at the question itself, before any database is asked.
  /// - Throws: `BackupError` `prices.invalid`.
  package func check(_ time: any TimeSource) throws(BackupError) {
    let today = CalendarDay.of(time)
    let days = "Give days that are not after today (\(today)), the first one first."
    for (name, day) in [("start", start), ("end", end)] where day > today {
      throw Self.invalid("\(name) date cannot be in the future: \(day) > \(today)", remedy: days)
    }
    if start > end { throw Self.invalid("start date must be <= end date: \(start) > \(end)", remedy: days) }
    if symbols.isEmpty { throw Self.invalid("symbols list cannot be empty") }
  }

  /// A symbol is known when it was ever in the universe.
  private var known: String {
    "SELECT DISTINCT symbol::VARCHAR FROM universe WHERE in_universe = TRUE AND symbol IN (\(list))"
  }

  private var prices: String {
    """
    SELECT symbol::VARCHAR, date::DATE::VARCHAR, open::DOUBLE::VARCHAR, high::DOUBLE::VARCHAR, low::DOUBLE::VARCHAR,
      close::DOUBLE::VARCHAR, adj_close::DOUBLE::VARCHAR, volume::BIGINT::VARCHAR
    FROM prices WHERE symbol IN (\(list)) AND date BETWEEN '\(start)' AND '\(end)' ORDER BY date, symbol
    """
  }

  /// The symbols as literals.
  private var list: String { symbols.map(SQLText.literal).joined(separator: ", ") }

  private static func rows(_ answer: EngineAnswer) throws(BackupError) -> [[String?]] {
    switch answer {
    case .rows(let rows): return rows
    case .failure(let words):
      throw BackupError(
        "prices.no-table", kind: .failed,
        message: "the price records were not read: they need tables universe and prices with the columns of the guide",
        remedy: "See which tables there are: hrp validate --profile hrp", cause: words)
    }
  }

  private static func price(_ row: [String?]) -> Price? {
    guard row.count == PriceHistory.columns.count, let symbol = row[0], let date = row[1].flatMap({ CalendarDay($0) })
    else { return nil }
    let numbers = row[2...6].map { $0.flatMap { Double($0) } }
    return Price(
      symbol: symbol, date: date, open: numbers[0], high: numbers[1], low: numbers[2], close: numbers[3],
      adjustedClose: numbers[4], volume: row[7].flatMap { Int64($0) })
  }

  private static func isPlain(_ symbol: String) -> Bool {
    !symbol.isEmpty
      && symbol.unicodeScalars.allSatisfy {
        ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
          || "._-/".unicodeScalars.contains($0)
      }
  }

  private static func invalid(
    _ message: String, remedy: String = "Name symbols that the table universe holds."
  ) -> BackupError {
    BackupError("prices.invalid", kind: .usage, message: message, remedy: remedy)
  }
}
