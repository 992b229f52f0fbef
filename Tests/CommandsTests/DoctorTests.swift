import Foundation
import TestKit
import Testing

/// `hrp doctor` and `hrp validate`, as people and scripts see them.
@Suite("The doctor")
struct DoctorTests {
  private struct Row: Decodable {
    let name: String
    let state: String
    let detail: String
    let remedy: String?
  }

  private struct Answer: Decodable {
    let ok: Bool
    let rows: [Row]
  }

  private func hrp(_ arguments: [String], in folder: String, _ environment: [String: String] = [:]) throws -> Finished {
    let library = Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path
    return try run(
      Checkout.hrp, arguments + ["--data-dir", folder + "/data"], in: folder,
      environment: ["HRP_DUCKDB_LIBRARY": library].merging(environment) { $1 })
  }

  private func rows(in folder: String, _ environment: [String: String] = [:]) throws -> [String: Row] {
    let done = try hrp(["doctor", "--json"], in: folder, environment)
    let answer = try JSONDecoder().decode(Answer.self, from: Data(done.output.utf8))
    #expect(answer.ok == !answer.rows.contains { $0.state == "failure" } && (done.status == 0) == answer.ok)
    return Dictionary(answer.rows.map { ($0.name, $0) }) { left, _ in left }
  }

  private func withData<Result>(_ script: String = "", _ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(
        """
        os.makedirs('data/mlflow'); c = duckdb.connect('data/hrp.duckdb')
        c.execute('CREATE TABLE t AS SELECT range i FROM range(1000)'); \(script)
        """, in: folder)
      return try body(folder)
    }
  }

  @Test("a stack that is well has a mark on every line; what is missing has the command that makes it")
  func well() throws {
    try withData("c.close()") { folder in
      let before = try rows(in: folder)
      #expect(
        before["last-backup"]?.state == "failure"
          && before["last-backup"]?.remedy?.hasPrefix("hrp backup create --data-dir ") == true)
      #expect(before["backup-directory"]?.state == "warning")
      #expect(try hrp(["backup", "create"], in: folder).status == 0)
      let unproven = try rows(in: folder)
      #expect(
        unproven["last-backup"]?.state == "good"
          && unproven["last-proof"]?.remedy?.hasPrefix("hrp backup drill --data-dir ") == true)
      #expect(try hrp(["backup", "drill"], in: folder).status == 0)
      let after = try rows(in: folder)
      #expect(
        Set(after.values.filter { $0.state != "good" }.map(\.name)) == ["backup-directory", "notices", "scheduler"])
      #expect(after["database"]?.detail.contains("1 table, 1000 rows") == true)
      let text = try hrp(["doctor"], in: folder)
      #expect(text.status == 0 && text.output.contains("✓ data-directory") && text.output.contains("0 wrong, 3 worth"))
    }
  }

  @Test("a damaged block, a file that is no database, a log that cannot be replayed: cause and remedy")
  func damage() throws {
    try withData("c.close()") { folder in
      let path = URL(fileURLWithPath: folder + "/data/hrp.duckdb")
      let good = try Data(contentsOf: path)
      var bad = good
      for index in stride(from: 12_288 + 2000, to: bad.count, by: 262_144) { bad[index] ^= 1 }
      try bad.write(to: path)
      let damaged = try #require(try rows(in: folder)["database"])
      #expect(damaged.state == "failure" && damaged.remedy?.contains("hrp recover") == true, "\(damaged)")
      try Data(repeating: 7, count: 50_000).write(to: path)
      let garbage = try #require(try rows(in: folder)["database"])
      #expect(garbage.state == "failure" && garbage.detail.contains("not a DuckDB database"), "\(garbage)")
    }
  }

  @Test("who holds the database is named; a log that only grows is an open transaction")
  func log() throws {
    try withTemporaryFolder { folder in
      let script = """
        os.makedirs('data/mlflow'); c = duckdb.connect('data/hrp.duckdb'); other = c.cursor()
        c.execute('CREATE TABLE t(i BIGINT, s VARCHAR)'); c.execute('CREATE TABLE o(i INT)'); c.execute('CHECKPOINT')
        other.execute('BEGIN'); other.execute('INSERT INTO o VALUES (1)')
        for n in range(35): c.execute("INSERT INTO t SELECT range, repeat('x', 40) || hash(range)::VARCHAR FROM range(50000)")
        open('ready', 'w').close()
        import time
        while not os.path.exists('end'): time.sleep(0.02)
        """
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Checkout.python)
      process.arguments = ["-B", "-c", "import duckdb, os\n" + script]
      process.currentDirectoryURL = URL(fileURLWithPath: folder)
      process.environment = cleanEnvironment.merging(Engine("1.4.5").environment) { $1 }
      try process.run()
      defer { kill(process.processIdentifier, SIGKILL) }
      for _ in 0..<3000 where !FileManager.default.fileExists(atPath: folder + "/ready") { usleep(20_000) }
      let rows = try rows(in: folder)
      #expect(rows["lock"]?.detail.contains("PID \(process.processIdentifier) (python") == true, "\(rows)")
      #expect(rows["log"]?.state == "warning", "\(rows)")
      #expect(rows["log"]?.remedy?.contains("open transaction in PID \(process.processIdentifier)") == true)
    }
  }

  @Test("without DuckDB's library backups are said to work, and drills not")
  func library() throws {
    try withData("c.close()") { folder in
      let rows = try rows(in: folder, ["HRP_DUCKDB_LIBRARY": "/nowhere/libduckdb.so"])
      #expect(rows["engine"]?.state == "warning" && rows["database"]?.state == "good")
    }
  }

  @Test("the report leaves out secrets and people, and never replaces a file", .guide(94))
  func report() throws {
    try withData("c.close()") { folder in
      let environment = [
        "HOME": folder, "USER": "grace.hopper", "MLFLOW_TRACKING_URI": "http://grace.hopper:s3cr3t@lab/api",
      ]
      _ = try hrp(["doctor", "--report", folder + "/report.txt"], in: folder, environment)
      let text = try String(contentsOfFile: folder + "/report.txt", encoding: .utf8)
      #expect(text.contains("~/data/hrp.duckdb") && text.contains("== backups") && text.contains("http://***@lab/api"))
      for secret in ["s3cr3t", "grace", folder] { #expect(!text.contains(secret)) }
      #expect(try run("/usr/bin/stat", ["-c", "%a", folder + "/report.txt"]).output == "600\n")
      #expect(try hrp(["doctor", "--report", folder + "/report.txt"], in: folder, environment).status == 1)
      #expect(try String(contentsOfFile: folder + "/report.txt", encoding: .utf8) == text)
    }
  }

  @Test(
    "DuckDB's own texts have a cause and a remedy", .guide(81),
    arguments: [
      ("IO Error: Could not set lock on file \"x\": Conflicting lock is held in python (PID 5)", "another process"),
      ("IO Error: The file \"x\" exists, but it is not a valid DuckDB database file!", "not a DuckDB database"),
      ("Corrupt database file: computed checksum 1 does not match stored checksum 2 in block at location 3", "a block"),
      ("INTERNAL Error: Failure while replaying WAL file \"x.wal\": oops", "cannot be replayed"),
      ("WAL checkpoint iteration does not match the database file", "another state"),
    ])
  func explain(text: String, cause: String) throws {
    let done = try run(Checkout.hrp, ["doctor", "--explain", text])
    #expect(done.status == 0 && done.output.contains(cause), "\(done)")
    #expect(try run(Checkout.hrp, ["doctor", "--explain", "the cat sat on the mat"]).status == 10)
  }

  @Test("validate prints the guide's four lines; a symbol that is not in the universe is a finding and no crash")
  func validate() throws {
    let script = """
      c.execute('CREATE TABLE universe(symbol VARCHAR, in_universe BOOLEAN)'); c.execute("INSERT INTO universe VALUES ('MSFT', true)")
      c.execute('CREATE TABLE prices(symbol VARCHAR, date DATE, open INT, high INT, low INT, close INT, adj_close INT, volume INT)')
      c.execute("INSERT INTO prices VALUES ('MSFT', '2024-01-02', 1, 1, 1, 1, 1, 1), ('MSFT', '2019-01-02', 1, 1, 1, 1, 1, 1)"); c.close()
      """.split(separator: "\n").joined(separator: "; ")
    try withData(script) { folder in
      let plain = try hrp(["validate"], in: folder)
      #expect(
        plain.output == """
          Status: ok
          Database: ok
          Tables: 3 (prices 2, t 1000, universe 1)
          Price records: 0
            ! Invalid symbols not found in universe: AAPL; AAPL is the guide's example: name one of yours with --symbol

          """)
      #expect(plain.status == 0)
      let microsoft = try hrp(["validate", "--symbol", "MSFT", "--start", "2020-01-01"], in: folder)
      #expect(microsoft.output.hasSuffix("Price records: 1\n") && microsoft.status == 0)
      let profile = try hrp(["validate", "--profile", "hrp"], in: folder)
      #expect(profile.status == 1 && profile.output.contains("✗ table symbols is missing"))
      #expect(try hrp(["validate", "--start", "2020-02-30"], in: folder).status == 2)
    }
  }
}
