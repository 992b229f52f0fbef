import Advice
import Backup
import Commands
import Foundation
import Jobs
import Stacks
import Store
import TestKit
import Testing

/// The progress line, as a state machine and on a real terminal.
@Suite("Progress line")
struct ProgressTests {
  private static let second: Int64 = 1_000_000_000

  @Test("there is no rate and no time left before the first second is over, and then there are both")
  func rates() {
    var line = ProgressLine()
    line.take(.expected(bytes: 1000 << 20), at: 0)
    line.take(.phase("copying"), at: 0)
    line.take(.progress(bytes: 10 << 20), at: Self.second / 10)
    #expect(line.text(at: Self.second / 10) == "copying: 10.0 MB of 1000.0 MB")
    for tenth in 2...20 { line.take(.progress(bytes: 10 << 20), at: Int64(tenth) * Self.second / 10) }
    #expect(line.text(at: 2 * Self.second) == "copying: 200.0 MB of 1000.0 MB, 100.0 MB/s, 8 s left")
  }

  @Test("a phase begins without the rate of the one before, and one that counts no bytes shows its seconds")
  func phases() {
    var line = ProgressLine()
    line.take(.phase("copying"), at: 0)
    for second in 1...3 { line.take(.progress(bytes: 50 << 20), at: Int64(second) * Self.second) }
    #expect(line.text(at: 3 * Self.second) == "copying: 150.0 MB, 50.0 MB/s")
    line.take(.phase("reading everything with DuckDB"), at: 3 * Self.second)
    #expect(line.text(at: 3 * Self.second) == "reading everything with DuckDB")
    line.take(.step("table main.prices"), at: 4 * Self.second)
    #expect(line.text(at: 10 * Self.second) == "reading everything with DuckDB: table main.prices, 7 s")
  }

  @Test("what is done is never shown as more than there is")
  func more() {
    var line = ProgressLine()
    line.take(.expected(bytes: 100), at: 0)
    line.take(.phase("copying"), at: 0)
    line.take(.progress(bytes: 200), at: 2 * Self.second)
    #expect(line.text(at: 2 * Self.second) == "copying: 200 bytes, 100 bytes/s")
  }

  @Test("the line is cut before the last column, whatever letters are in it", arguments: [1, 2, 5, 20, 40])
  func cuts(width: Int) {
    var line = ProgressLine()
    line.take(.phase("reading 価格データ with \u{1B}[31mcolour, and more than fits"), at: 0)
    let drawn = line.redrawn(at: 0, width: width, showsUTF8: true)
    let text = drawn.drop { $0 == "\r" }
    #expect(!text.contains("\u{1B}"))
    #expect(TextColumns.width(of: String(text)) <= max(1, width - 1), "\(drawn)")
  }

  /// A stack whose database a program holds, and a backup of it.
  private func withHeldStack(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { home in
      try Engine("2.0.1").run(
        """
        os.makedirs('hrp-data/mlflow/mlruns/0')
        c = duckdb.connect('hrp-data/hrp.duckdb'); c.execute('CREATE TABLE t AS SELECT range i FROM range(10)'); c.close()
        """, in: home)
      let made = try run(Checkout.hrp, ["backup", "create"], in: home, environment: ["HOME": home])
      #expect(made.status == 0, "\(made.errors)")
      let script = """
        import fcntl, struct, sys, time
        f = open('hrp-data/hrp.duckdb', 'r+b')
        fcntl.fcntl(f, fcntl.F_SETLK, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 0, 0)); open('held', 'w'); time.sleep(60)
        """
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Checkout.python)
      process.arguments = ["-c", script]
      process.currentDirectoryURL = URL(fileURLWithPath: home)
      try process.run()
      defer {
        process.terminate()
        process.waitUntilExit()
      }
      while !FileManager.default.fileExists(atPath: home + "/held") { usleep(10_000) }
      try body(home)
    }
  }

  @Test("on a terminal the line names whom --wait waits for, moves, never wraps and is gone in the end")
  func waits() throws {
    try withHeldStack { home in
      let displayPath = try runOnTerminal(
        Checkout.hrp, ["backup", "restore", "latest", "--wait", "3s"], columns: 60, in: home,
        environment: ["HOME": home])
      #expect(displayPath.status == 11)
      let progress = displayPath.lines.filter { $0.hasPrefix("waiting for PID ") && $0.contains("(python") }
      #expect(Set(progress).count > 2, "\(displayPath.lines)")
      #expect(progress.allSatisfy { $0.count < 60 })
      // The notice and the error are longer than the line; they wrap, as they should.
      #expect(displayPath.screen.joined().contains("(python"), "\(displayPath.screen)")
      #expect(!displayPath.screen.contains { $0.hasPrefix("waiting for ") }, "\(displayPath.screen)")
    }
  }

  @Test("a terminal that is made narrower leaves no rest of the line behind")
  func resized() throws {
    try withHeldStack { home in
      let displayPath = try runOnTerminal(
        Checkout.hrp, ["backup", "restore", "latest", "--wait", "3s"], columns: 100, resized: 20, in: home,
        environment: ["HOME": home])
      #expect(displayPath.status == 11)
      #expect(displayPath.lines.contains { $0.hasPrefix("waiting for PID ") && $0.count > 20 }, "\(displayPath.lines)")
      #expect(displayPath.lines.contains { $0.hasPrefix("waiting for ") && $0.count < 20 }, "\(displayPath.lines)")
      #expect(!displayPath.screen.contains { $0.hasPrefix("waiting for ") }, "\(displayPath.screen)")
    }
  }

  @Test("no result sticks to the progress line, whichever command ran", arguments: [20, 80])
  func results(columns: Int) throws {
    try withTemporaryFolder { home in
      try Engine("2.0.1").run(
        """
        os.makedirs('hrp-data/mlflow/mlruns/0')
        c = duckdb.connect('hrp-data/hrp.duckdb'); c.execute('CREATE TABLE t AS SELECT range i FROM range(1000000)'); c.close()
        """, in: home)
      let commands: [([String], String)] = [
        (["backup", "create"], "Backup created successf"), (["backup", "verify", "1"], "✓ Backup verified su"),
        (["backup", "find", "nothing-of-this"], "No backup holds noth"), (["doctor"], "looked at"),
        (["backup", "drill", "1"], "✓ Drill passed"),
      ]
      for (arguments, words) in commands {
        let displayPath = try runOnTerminal(
          Checkout.hrp, arguments, columns: columns, in: home, environment: ["HOME": home])
        #expect(displayPath.screen.joined().contains(words), "\(arguments): \(displayPath.screen)")
        // The line moves while DuckDB reads, and says what.
        if arguments.contains("drill"), columns > 40 {
          #expect(
            displayPath.lines.contains { $0.hasPrefix("reading and writing with DuckDB") }, "\(displayPath.lines)")
        }
        let phases = ["copying", "reading", "making it", "verifying", "looking"]
        for line in displayPath.screen {
          for phase in phases { #expect(!line.hasPrefix(phase), "\(arguments): \(line)") }
        }
      }
    }
  }
}
