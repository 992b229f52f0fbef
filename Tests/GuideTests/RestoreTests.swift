import Foundation
import HRP
import TestKit
import Testing

/// "Restore Procedures" and "Post-Restore Validation".
@Suite("Guide: restore and validation")
struct GuideRestoreTests {
  private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

  private var expected: [String] {
    OperationsGuide.output(of: "python -m hrp.data.backup --restore /path/to/backup_2026")
  }

  @Test("a restore begins and goes on with the guide's lines", .guide(54, 55, 56))
  func lines() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      try run("/bin/sh", ["-c", "rm -r hrp-data/mlflow; echo x > hrp-data/hrp.duckdb"], in: home)
      let shown = try hrp(["backup", "--restore", "latest"], in: home)
      #expect(shown.status == 0 && Array(lines(shown.output).prefix(2)) == Array(expected.prefix(2)), "\(shown)")
      // The default target is the stack itself.
      #expect(try Engine("2.0.1").query("hrp-data/hrp.duckdb", "SELECT count(*) FROM t", in: home) == "10")
    }
  }

  @Test("MLflow comes back to where MLflow looks, and the end is said in the guide's words", .guide(57, 58))
  func mlflow() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      try run("/bin/sh", ["-c", "rm -r hrp-data/mlflow"], in: home)
      let shown = try hrp(["backup", "--restore", "latest"], in: home)
      #expect(lines(shown.output) == expected, "\(shown)")
      #expect(FileManager.default.fileExists(atPath: home + "/hrp-data/mlflow/mlruns/0/meta.yaml"))
      // Only what is there is named.
      #expect(try hrp(["backup", "--backup", "--no-mlflow"], in: home).status == 0)
      let database = try hrp(["backup", "--restore", "latest", "--target-dir", "new"], in: home).output
      #expect(lines(database) == expected.filter { !$0.contains("mlruns") })
    }
  }

  @Test("another location gets the same layout, and the stack is not touched", .guide(59, 60))
  func elsewhere() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      let state = {
        try run(
          "/bin/sh",
          ["-c", "find hrp-data -path '*/logs' -prune -o -type f -printf '%p %s %T@\\n' | grep -v catalogue | sort"],
          in: home
        ).output
      }
      let before = try state()
      #expect(try hrp(["backup", "--restore", "latest", "--target-dir", "path/to/new/location"], in: home).status == 0)
      let made = try run("/bin/sh", ["-c", "cd path/to/new/location && find . -type f | sort"], in: home).output
      #expect(made == "./hrp.duckdb\n./mlflow/mlruns/0/meta.yaml\n")
      #expect(try state() == before)
    }
  }

  @Test("from a program: true, false for a damaged backup, an error for one that is not there", .guide(61, 62))
  func fromAProgram() throws {
    try withGuideHome { home in
      let path = try createBackup(dataDirectory: home + "/hrp-data").path
      #expect(try restoreBackup(path, targetDirectory: home + "/new"))
      try run("/bin/sh", ["-c", "rm -f hrp.duckdb; echo x > hrp.duckdb"], in: path)
      let before = try FileManager.default.contentsOfDirectory(atPath: home).sorted()
      #expect(try !restoreBackup(path, targetDirectory: home + "/other"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: home).sorted() == before)
      #expect(throws: BackupError.self) { try restoreBackup(home + "/nowhere", targetDirectory: home + "/other") }
    }
  }

  @Test(
    "the ops server answers as the guide expects, two seconds after its start, on this machine only", .guide(64, 65, 66)
  )
  func server() throws {
    try withGuideHome { home in
      let expectations = OperationsGuide.text.matches(of: #/# Expected: (\{.*\})/#).map { String($0.1) }
      let answers = try serve(home, paths: ["/health", "/ready"])
      #expect(expectations.count == 2 && answers.count == 2)
      // The guide leaves out keys with "...": what it shows must be there, with the same values.
      for (answer, expectation) in zip(answers, expectations) {
        let shown = try object(expectation.replacing(", ...", with: ""))
        let answer = try object(answer)
        for (key, value) in shown {
          guard let parts = value as? [String: String] else {
            #expect(answer[key] as? String == value as? String, "\(key)")
            continue
          }
          let answered = answer[key] as? [String: String] ?? [:]
          #expect(parts.allSatisfy { answered[$0] == $1 }, "\(key): \(answered)")
        }
      }
    }
  }

  @Test(
    "a database that is missing, or is none, is not ready, and the answer says which file and why", .guide(51, 52, 67))
  func notReady() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      try FileManager.default.removeItem(atPath: home + "/hrp-data/hrp.duckdb")
      let answers = try serve(home, paths: ["/health", "/ready"])
      #expect(answers[0].contains("\"status\":\"ok\""))
      let checks = try #require(object(answers[1])["checks"] as? [String: String])
      #expect(checks["database"]?.contains(home + "/hrp-data/hrp.duckdb") == true, "\(answers)")
      // Such a stack is restored all the same.
      #expect(try hrp(["backup", "--restore", "latest"], in: home).status == 0)
    }
  }

  @Test("a page shows the backups, and the command that restores each", .guide(71))
  func page() throws {
    try withGuideHome { home in
      let path = try createBackup(dataDirectory: home + "/hrp-data").path
      let page = try serve(home, paths: ["/"])[0]
      let name = try #require(path.split(separator: "/").last)
      #expect(page.contains("<title>") && page.contains("hrp backup restore \(name)"), "\(page)")
    }
  }

  /// Starts the ops server on a free port, gets each path, and ends it.
  private func serve(_ home: String, paths: [String]) throws -> [String] {
    let done = try run(
      Checkout.python,
      [
        "-c",
        """
        import json, socket, subprocess, sys, time, urllib.error, urllib.request
        s = socket.socket(); s.bind(('127.0.0.1', 0)); port = s.getsockname()[1]; s.close()
        p = subprocess.Popen(['\(Checkout.hrp)', 'ops', '--port', str(port)], env={'HOME': '\(home)'}, stdout=subprocess.PIPE, text=True)
        end = time.monotonic() + 20
        def get(path):
            while True:
                try: return urllib.request.urlopen(f'http://localhost:{port}{path}').read().decode()
                except urllib.error.HTTPError as e: return e.read().decode()
                except OSError:
                    assert time.monotonic() < end
        try:
            line = p.stdout.readline()
            assert line.strip().endswith(f'127.0.0.1:{port}'), line
            print(json.dumps([get(path) for path in sys.argv[1:]]))
        finally: p.terminate(); p.wait()
        """,
      ] + paths, in: home)
    return try #require(JSONSerialization.jsonObject(with: Data(done.output.utf8)) as? [String], "\(done)")
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
  }

  private static let prices = """
    c = duckdb.connect('hrp-data/hrp.duckdb')
    c.execute('CREATE TABLE universe(symbol VARCHAR, date DATE, in_universe BOOLEAN)')
    c.execute("INSERT INTO universe VALUES ('AAPL', '2020-01-02', true)")
    c.execute('''CREATE TABLE prices(symbol VARCHAR, date DATE, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE,
      adj_close DOUBLE, volume BIGINT)''')
    c.execute("INSERT INTO prices SELECT 'AAPL', DATE '2020-01-02' + i::INT, 1, 2, 1, 2, 2, 7 FROM range(5) t(i)")
    c.close()
    """

  @Test("the validation prints the four things that the guide's snippet prints", .guide(68, 70))
  func validation() throws {
    try withGuideHome { home in
      try Engine("2.0.1").run(Self.prices, in: home)
      let labels = OperationsGuide.text.matches(of: #/print\(f"(Status|Database|Tables|Price records): /#).map {
        String($0.1)
      }
      #expect(labels.count == 4)
      let shown = try hrp(["validate"], in: home)
      let lines = lines(shown.output)
      #expect(lines.map { String($0.prefix { $0 != ":" }) } == labels, "\(shown)")
      #expect(lines[0].hasSuffix(" ok") && lines[1].hasSuffix(" ok") && lines[3].hasSuffix(" 5"))
      let keys = OperationsGuide.text.matches(of: #/health\['(\w+)'\]/#).map { String($0.1) }
      let json = try object(hrp(["validate", "--json"], in: home).output)
      #expect(keys.count == 3 && keys.allSatisfy { json[$0] != nil })
    }
  }

  @Test("from a program: prices of a stack that another program has open", .guide(69))
  func pricesFromAProgram() throws {
    try withGuideHome { home in
      try Engine("2.0.1").run(Self.prices, in: home)
      let other = try start(
        Checkout.python,
        [
          "-c",
          "import duckdb, signal; c = duckdb.connect('hrp-data/hrp.duckdb'); print('open', flush=True); signal.pause()",
        ], in: home, environment: Engine("2.0.1").environment, until: "open")
      defer {
        kill(other.processIdentifier, SIGKILL)
        other.waitUntilExit()
      }
      let platform = PlatformAPI(dataDirectory: home + "/hrp-data", executable: Checkout.hrp)
      #expect(try platform.getPrices(symbols: ["AAPL"], start: .guideStart, end: .today).rows.count == 5)
    }
  }
}
