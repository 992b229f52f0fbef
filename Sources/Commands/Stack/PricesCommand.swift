internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Store

/// The command `hrp prices`.
struct PricesCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "prices",
    abstract: "Read the price records of some symbols, while other programs write.",
    discussion: """
      Everything is read from a hot copy of the database in scratch/ of the data directory. So it works while programs \
      have the database open, and keeps no program out. It needs DuckDB's library (see hrp doctor).

      The tables are those of the operations guide: universe and prices. Both days are included. Without --json the \
      rows are written as CSV, with the names of the columns first. Times of the state that was read are in --json only.

      Examples:
        hrp prices AAPL
        hrp prices AAPL MSFT --start 2024-01-01 --end 2024-06-30 > prices.csv
        hrp prices AAPL --json | jq '.rows[-1]'
      """)

  @Argument(help: ArgumentHelp("A symbol whose prices are read.", valueName: "symbol"))
  var symbols: [String] = []
  @OptionGroup var days: PriceDays
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try place.stack
    let console = output.console
    let query = PriceQuery(symbols: symbols, start: days.start, end: days.end ?? .today)
    let history = try console.run(.validate, on: stack, isRecorded: false) { _ in
      try query.run(on: LiveDatabase(stack, files: Kernel(), time: SystemTime()), time: SystemTime())
    }
    console.result(PriceHistory.columns.joined(separator: ","))
    for row in history.rows { console.result(Self.line(row)) }
    for notice in history.notices { console.notice("hrp: \(notice)") }
    try console.json(PricesOutput(history))
  }

  /// A row as CSV (RFC 4180); what was not recorded is empty.
  private static func line(_ row: Price) -> String {
    let prices = [row.open, row.high, row.low, row.close, row.adjustedClose].map { $0.map { "\($0)" } ?? "" }
    return ([field(row.symbol), "\(row.date)"] + prices + [row.volume.map { "\($0)" } ?? ""]).joined(separator: ",")
  }

  private static func field(_ text: String) -> String {
    guard text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
