internal import ArgumentParser
internal import Backup
internal import Files
internal import Jobs
internal import Store

/// The command `hrp validate`.
struct ValidateCommand: StackCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Validate a stack after a restore, as the guide does: health, tables, price records.",
    discussion: """
      Everything is read from a hot copy of the database in scratch/ of the data directory. So it works while programs \
      have the database open, and keeps no program out. It needs DuckDB's library (see hrp doctor).

      The profile hrp names the tables of the research platform; those that are missing make the status "degraded". \
      The exit code is 1 when the database cannot be read or expected tables are missing, and 2 for a day in the future.

      Examples:
        hrp validate
        hrp validate --profile hrp --symbol AAPL --symbol MSFT --start 2024-01-01
        hrp validate --json | jq .tables
      """)

  @Option(help: ArgumentHelp("Tables that are expected: found (whatever is there) or hrp.", valueName: "name"))
  var profile: StackProfile = .found
  @Option(help: ArgumentHelp("A symbol whose prices are read; may be repeated (default: AAPL).", valueName: "symbol"))
  var symbol: [String] = []
  @OptionGroup var days: PriceDays
  @OptionGroup var place: StackOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let stack = try place.stack
    let console = output.console
    let query = PriceQuery(symbols: symbol.isEmpty ? ["AAPL"] : symbol, start: days.start, end: days.end ?? .today)
    try query.check(SystemTime())
    let (health, prices) = try console.run(.validate, on: stack, isRecorded: false) { events in
      let database = LiveDatabase(stack, files: Kernel(), time: SystemTime())
      let health = try database.health(expecting: profile)
      let prices = health.isReadable ? try readPrices(query, from: database) : nil
      return (health, prices)
    }
    console.result("Status: \(health.status)")
    console.result("Database: \(health.database)")
    console.result("Tables: \(words(health.tables))")
    console.result("Price records: \(prices?.history?.rows.count ?? 0)")
    let findings = findings(health, prices: prices)
    for finding in findings { console.result("  \(finding)") }
    try console.json(HealthOutput(health, prices: prices?.history, findings: findings))
    if !health.isOK { throw ExitCode.failed }
  }

  private struct Prices {
    var history: PriceHistory?
    var failure: BackupError?
  }

  /// A missing symbol or table is a finding; a database that cannot be read is an error.
  private func readPrices(_ query: PriceQuery, from database: LiveDatabase) throws -> Prices {
    do {
      return Prices(history: try query.run(on: database, time: SystemTime()))
    } catch let error as BackupError where error.code.hasPrefix("prices.") {
      return Prices(failure: error)
    }
  }

  private func findings(_ health: HealthReport, prices: Prices?) -> [String] {
    let missing = health.tables.filter { !$0.isThere }.map { "✗ table \($0.name) is missing" }
    let remedy = health.remedy.map { ["→ \($0)"] } ?? []
    let example = symbol.isEmpty ? "; AAPL is the guide's example: name one of yours with --symbol" : ""
    let failure = prices?.failure.map { ["! \($0.message)\($0.code == "prices.invalid" ? example : "")"] } ?? []
    return remedy + missing + failure + (prices?.history?.notices.map { "! \($0)" } ?? [])
  }

  private func words(_ tables: [HealthReport.Table]) -> String {
    let there = tables.filter(\.isThere)
    if there.isEmpty { return "none" }
    return "\(there.count) (" + there.map { "\($0.name) \($0.count)" }.joined(separator: ", ") + ")"
  }
}
