import Foundation
import TestKit
import Testing

/// A program that still has the database open whose file was deleted or moved.
@Suite("Programs that hold the database that was here before")
struct FormerHoldersTests {
  private static let program = """
    import duckdb, signal
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    c = duckdb.connect('hrp.duckdb')
    c.execute('SET checkpoint_threshold = "1GB"')
    c.execute("INSERT INTO prices VALUES ('NEW', 3.5)")
    print('open', flush=True)
    signal.sigwait([signal.SIGTERM])
    c.close()
    """

  /// A backup of a stack while a program has its database open; SIGTERM has it close the database.
  private func withHolder(_ body: (RecoverSample, _ program: Process) throws -> Void) throws {
    try withRecoverSample { sample in
      let program = try start(
        Checkout.python, ["-c", Self.program], in: sample.data, environment: Engine("2.0.1").environment, until: "open")
      defer {
        kill(program.processIdentifier, SIGKILL)
        program.waitUntilExit()
      }
      _ = try sample.backup()
      try body(sample, program)
    }
  }

  @Test(
    "R5: a restore waits for it: when it closes, DuckDB removes the WAL that lies there by its name",
    arguments: ["rm hrp.duckdb", "mv hrp.duckdb aside.duckdb", "rm hrp.duckdb hrp.duckdb.wal"])
  func formerHolder(harm: String) throws {
    try withHolder { sample, program in
      try sample.shell(harm)
      for words in [["backup", "restore", "latest"], ["recover", "--apply"], ["backup", "restore", "1", "--force"]] {
        let done = try run(Checkout.hrp, words + ["--data-dir", sample.data], in: sample.folder)
        #expect(
          done.status == 11 && done.errors.contains("PID \(program.processIdentifier) (python"), "\(words): \(done)")
      }
      #expect(try sample.hrp("doctor").output.contains("open that was here before"))
      kill(program.processIdentifier, SIGTERM)
      program.waitUntilExit()
      #expect(try sample.hrp("backup", "restore", "latest").status == 0)
      #expect(try sample.query("SELECT count(*) FROM prices WHERE close = 3.5") == "1")
    }
  }

  @Test("a restore to another place does not wait for it")
  func elsewhere() throws {
    try withHolder { sample, _ in
      try sample.shell("rm hrp.duckdb")
      #expect(try sample.hrp("backup", "restore", "latest", "--target-dir", sample.folder + "/new").status == 0)
    }
  }
}
