import Foundation
import TestKit
import Testing

/// What programs that call `hrp` rely on: prices as values, progress as lines, a scheduler that ends with its parent.
@Suite("Called by a program")
struct NotebookCommandTests {
  private static let prices = """
    os.makedirs('hrp-data'); c = duckdb.connect('hrp-data/hrp.duckdb')
    c.execute('CREATE TABLE universe(symbol VARCHAR, date DATE, in_universe BOOLEAN)')
    c.execute("INSERT INTO universe VALUES ('AAPL', '2020-01-02', true), ('A,\\"B', '2020-01-02', true)")
    c.execute('''CREATE TABLE prices(symbol VARCHAR, date DATE, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE,
      adj_close DOUBLE, volume BIGINT)''')
    c.execute("INSERT INTO prices VALUES ('AAPL', '2020-01-02', 1.5, 2.25, NULL, 2, 1.9375, 7)")
    c.execute("INSERT INTO prices VALUES ('AAPL', '2020-01-03', 1.5, 2.25, NULL, 2, 1.9375, NULL)")
    c.close()
    """

  private static func object(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("prices come as CSV with the platform's columns, and as JSON with null for what was not recorded")
  func prices() throws {
    try withTemporaryFolder { home in
      try Engine("2.0.1").run(Self.prices, in: home)
      let table = try hrp(["prices", "AAPL", "--end", "2020-01-02"], in: home)
      #expect(
        table.output == """
          symbol,date,open,high,low,close,adj_close,volume
          AAPL,2020-01-02,1.5,2.25,,2.0,1.9375,7

          """, "\(table)")
      let json = try Self.object(hrp(["prices", "AAPL", "--json"], in: home).output)
      let rows = try #require(json["rows"] as? [[String: Any]])
      #expect(rows.count == 2 && rows[1]["volume"] is NSNull && rows[0]["volume"] as? Int == 7)
      #expect((json["columns"] as? [String])?.count == 8 && json["as_of"] is String)
    }
  }

  @Test("a question without symbols, or for a day to come, is an error of the words with the platform's text")
  func questions() throws {
    try withGuideHome { home in
      let none = try hrp(["prices"], in: home)
      #expect(none.status == 2 && none.errors.contains("symbols list cannot be empty"), "\(none)")
      let future = try hrp(["prices", "AAPL", "--end", "2999-01-01"], in: home)
      #expect(future.status == 2 && future.errors.contains("end date cannot be in the future"), "\(future)")
    }
  }

  @Test("progress for a program is one JSON object a line, and never more than there is before it ends")
  func progress() throws {
    try withGuideHome { home in
      let done = try hrp(["backup", "create", "--json", "--progress", "json"], in: home)
      let progress = try done.errors.split(separator: "\n").compactMap {
        try Self.object(String($0))["progress"] as? [String: Any]
      }
      #expect(progress.count > 1 && progress[0]["phase"] as? String == "copying the database", "\(done.errors)")
      for line in progress { #expect(line["done_bytes"] as? Int ?? .max <= line["total_bytes"] as? Int ?? 0) }
      #expect(try hrp(["backup", "create", "--progress", "json", "-q"], in: home).errors.isEmpty)
    }
  }

  @Test("a warning for a program is a JSON object too")
  func warnings() throws {
    try withGuideHome { home in
      let done = try hrp(["backup", "create", "--progress", "json"], in: home, ["HRP_UNDO_DAYS": "many"])
      let texts = try done.errors.split(separator: "\n").compactMap {
        try Self.object(String($0))["warning"] as? String
      }
      #expect(texts.contains { $0.contains("HRP_UNDO_DAYS") }, "\(done.errors)")
    }
  }

  @Test("the guide's job without MLflow makes a backup that has none")
  func withoutMLflow() throws {
    try withGuideHome { home in
      let done = try hrp(["scheduler", "run", "--once", "--no-mlflow"], in: home)
      #expect(done.status == 0 && done.output.contains("✓ weekly_backup"), "\(done)")
      let files = try run("/bin/sh", ["-c", "ls hrp-data/backups/backup_*"], in: home).output
      #expect(files.contains("hrp.duckdb\n") && !files.contains("mlruns"), "\(files)")
    }
  }

  @Test("a scheduler that follows its input ends with 0 when that ends")
  func followsInput() throws {
    try withGuideHome { home in
      let done = try run(
        "/bin/sh", ["-c", "\"$1\" scheduler run --while-stdin-is-open </dev/null", "sh", Checkout.hrp], in: home,
        environment: ["HOME": home])
      #expect(done.status == 0 && done.output.hasSuffix("Scheduler stopped\n"), "\(done)")
    }
  }
}
