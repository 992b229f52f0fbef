import Foundation
import HRP
import TestKit
import Testing

/// Questions to a stack in use, beside a program that holds its database and commits all the time.
@Suite("The platform's questions")
struct PlatformTests {
  private static let content = """
    os.makedirs('data', exist_ok=True); c = duckdb.connect('data/hrp.duckdb')
    c.execute('CREATE TABLE universe(symbol VARCHAR, date DATE, in_universe BOOLEAN)')
    c.execute("INSERT INTO universe VALUES ('AAPL', '2020-01-02', true), ('MSFT', '2020-01-02', true), ('GONE', '2020-01-02', false)")
    c.execute('''CREATE TABLE prices(symbol VARCHAR, date DATE, open DECIMAL(12,4), high DECIMAL(12,4), low DECIMAL(12,4),
      close DECIMAL(12,4) NOT NULL, adj_close DECIMAL(12,4), volume BIGINT, source VARCHAR)''')
    c.execute('''INSERT INTO prices SELECT s, DATE '2020-01-01' + (d::INT), 1.5, 2.25, NULL, 2, 1.9375, 100 + d, 'x'
      FROM range(10) t(d), (VALUES ('MSFT'), ('AAPL')) u(s)''')
    c.execute('CREATE SCHEMA other'); c.execute('CREATE TABLE other.notes AS SELECT range i FROM range(3)')
    """
  private let day = { (day: Int) in CalendarDay(year: 2020, month: 1, day: day) ?? .guideStart }

  private func platform(_ folder: String, profile: StackProfile = .found) -> PlatformAPI {
    PlatformAPI(dataDirectory: folder + "/data", profile: profile, executable: Checkout.hrp)
  }

  @Test("health: every table with its rows, missing ones of the profile, and the guide's keys")
  func health() throws {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(Self.content + "; c.close()", in: folder)
      let found = platform(folder).healthCheck()
      #expect(found.status == "ok" && found.database == "ok" && found.api == "ok" && found.engine == "v2.0.1")
      #expect(found.tables.map { "\($0.name) \($0.count)" } == ["prices 20", "universe 3", "other.notes 3"])
      let expected = platform(folder, profile: .hrp).healthCheck()
      #expect(expected.status == "degraded" && expected.tables.count == 31)
      #expect(
        expected.tables.prefix(8).map(\.status) == [
          "missing", "missing", "missing", "missing", "missing", "missing", "ok", "ok",
        ])
    }
  }

  @Test("a database that is not there, or is none, is said in DuckDB's words, and nothing is made in its place")
  func broken() throws {
    try withTemporaryFolder { folder in
      try run("/bin/mkdir", [folder + "/data"])
      let path = URL(fileURLWithPath: folder + "/data/hrp.duckdb")
      let missing = platform(folder).healthCheck()
      #expect(missing.status == "error" && missing.tables.isEmpty)
      #expect(
        missing.database
          == "error: IO Error: Cannot open database \"\(path.path)\" in read-only mode: database does not exist")
      #expect(!FileManager.default.fileExists(atPath: path.path))
      try Data(repeating: 7, count: 20_000).write(to: path)
      #expect(
        platform(folder).healthCheck().database
          == "error: IO Error: The file \"\(path.path)\" exists, but it is not a valid DuckDB database file!")
    }
  }

  @Test("prices: columns, order and bounds of the platform; a symbol asked for twice counts once")
  func prices() throws {
    try withTemporaryFolder { folder in
      try Engine("1.5.6").run(Self.content + "; c.close()", in: folder)
      let history = try platform(folder).getPrices(symbols: ["MSFT", "AAPL", "AAPL"], start: day(2), end: day(4))
      #expect(
        history.rows.map { "\($0.date) \($0.symbol)" } == [
          "2020-01-02 AAPL", "2020-01-02 MSFT", "2020-01-03 AAPL", "2020-01-03 MSFT", "2020-01-04 AAPL",
          "2020-01-04 MSFT",
        ])
      let first = try #require(history.rows.first)
      #expect(first.open == 1.5 && first.high == 2.25 && first.low == nil && first.close == 2)
      #expect(first.adjustedClose == 1.9375 && first.volume == 101)
      let none = try platform(folder).getPrices(symbols: ["AAPL"], start: day(20), end: day(21))
      #expect(none.rows.isEmpty)
      #expect(none.notices == ["No price data found for ['AAPL'] from 2020-01-20 to 2020-01-21"])
    }
  }

  @Test("what is wrong with a question is said in the platform's order and words")
  func questions() throws {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(Self.content + "; c.close()", in: folder)
      let future = CalendarDay(year: 9999, month: 1, day: 1) ?? .today
      let cases: [([String], CalendarDay, CalendarDay, String)] = [
        ([], future, day(1), "start date cannot be in the future: 9999-01-01 > \(CalendarDay.today)"),
        ([], day(2), future, "end date cannot be in the future: 9999-01-01 > \(CalendarDay.today)"),
        ([], day(6), day(1), "start date must be <= end date: 2020-01-06 > 2020-01-01"),
        ([], day(1), day(1), "symbols list cannot be empty"),
        (
          ["ZZ", "AAPL", "GONE", "a'); DROP TABLE prices; --"], day(1), day(1),
          "Invalid symbols not found in universe: GONE, ZZ, a'); DROP TABLE prices; --"
        ),
      ]
      for (symbols, start, end, text) in cases {
        #expect {
          try platform(folder).getPrices(symbols: symbols, start: start, end: end)
        } throws: {
          ($0 as? BackupError)?.message == text && ($0 as? BackupError)?.code == "prices.invalid"
            && ($0 as? BackupError)?.remedy.isEmpty == false
        }
      }
    }
  }

  @Test("S2: the copy answers again while nothing is written, and never after something was")
  func cache() throws {
    try withTemporaryFolder { folder in
      let engine = Engine("2.0.1")
      try engine.run(Self.content + "; c.close()", in: folder)
      let snapshots = {
        try FileManager.default.contentsOfDirectory(atPath: folder + "/data/scratch").sorted()
      }
      _ = platform(folder).healthCheck()
      let first = try snapshots()
      #expect(first.count == 1)
      _ = try platform(folder).getPrices(symbols: ["AAPL"], start: day(1), end: day(2))
      #expect(try snapshots() == first)
      // A commit that only the log shows.
      try engine.run(
        "c = duckdb.connect('data/hrp.duckdb'); c.execute('INSERT INTO other.notes VALUES (7)'); os._exit(0)",
        in: folder)
      #expect(platform(folder).healthCheck().tables.last?.count == 4)
      let second = try snapshots()
      #expect(second.count == 1 && second != first)
      try engine.run("c = duckdb.connect('data/hrp.duckdb'); c.execute('CHECKPOINT'); c.close()", in: folder)
      #expect(platform(folder).healthCheck().tables.last?.count == 4)
      #expect(try snapshots().count == 1 && snapshots() != second)
    }
  }

  /// Holds the database and commits until a file named `stop` is there; then a second writer is started and ended
  /// again and again: it must never be refused.
  private static let writer = """
    import time, threading
    c = duckdb.connect('data/hrp.duckdb'); n = 0
    open('ready', 'w').close()
    while not os.path.exists('stop'):
        c.execute("INSERT INTO prices VALUES ('AAPL', DATE '2021-01-01' + (? % 900)::INT, 1, 1, 1, 1, 1, 1, 'w')", [n]); n += 1
        if n % 50 == 0: c.execute('CHECKPOINT')
    c.close(); refused = 0
    open('closed', 'w').close()
    while not os.path.exists('end'):
        try: duckdb.connect('data/hrp.duckdb').close()
        except Exception as e: refused += 1
        time.sleep(0.002)
    print(n, refused)
    """

  @Test("beside a writer that holds the database, everything answers; a writer that starts is never refused")
  func writer() throws {
    try withTemporaryFolder { folder in
      let engine = Engine("2.0.1")
      try engine.run(Self.content + "; c.close()", in: folder)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Checkout.python)
      process.arguments = ["-B", "-c", "import duckdb, os\n" + Self.writer]
      process.currentDirectoryURL = URL(fileURLWithPath: folder)
      process.environment = cleanEnvironment.merging(engine.environment) { $1 }
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      defer { kill(process.processIdentifier, SIGKILL) }
      wait(for: folder + "/ready")
      try ask(folder)
      try Data().write(to: URL(fileURLWithPath: folder + "/stop"))
      wait(for: folder + "/closed")
      try ask(folder)
      try Data().write(to: URL(fileURLWithPath: folder + "/end"))
      process.waitUntilExit()
      let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        .split(separator: " ").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      let counts = words.compactMap { Int($0) }
      #expect(counts.count == 2 && counts[0] > 0 && counts[1] == 0, "commits, refusals: \(words)")
    }
  }

  private func wait(for path: String) {
    for _ in 0..<3000 where !FileManager.default.fileExists(atPath: path) { usleep(10_000) }
  }

  private func ask(_ folder: String) throws {
    let health = platform(folder).healthCheck()
    #expect(health.status == "ok", "\(health.database)")
    let history = try platform(folder).getPrices(symbols: ["AAPL"], start: day(1), end: .today)
    #expect(history.rows.count >= 10)
    for arguments in [["validate"], ["doctor"], ["backup", "create"], ["backup", "drill"]] {
      let done = try run(
        Checkout.hrp, arguments + ["--data-dir", folder + "/data", "--json"], in: folder,
        environment: ["HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path])
      // The first doctor sees that there is no backup yet, and says so.
      #expect(done.status == 0 || (arguments == ["doctor"] && done.output.contains("there is none")), "\(done)")
    }
  }
}
