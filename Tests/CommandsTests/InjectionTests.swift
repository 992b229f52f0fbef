import Foundation
import TestKit
import Testing

/// Whether calls of a process can be made to fail from outside.
private enum Strace {
  static let isThere: Bool = {
    let done = try? run("/usr/bin/strace", ["-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "/bin/true"])
    return done?.status == 0
  }()
}

/// What bypasses the seam of the file system, SQLite and its own writes, fails by `strace --inject`.
@Suite("Failures of SQLite's own calls", .enabled(if: Strace.isThere))
struct InjectionTests {
  /// A stack whose tracking database is in WAL mode, and a backup of it.
  private func withBackup<Result>(_ body: (String, String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(
        """
        os.makedirs('data/mlflow/mlruns/0'); c = duckdb.connect('data/hrp.duckdb'); c.execute('CREATE TABLE t AS SELECT 1 i'); c.close()
        """, in: folder)
      try run(
        "/usr/bin/sqlite3",
        [
          folder + "/data/mlflow/mlflow.db",
          """
          PRAGMA journal_mode = WAL; CREATE TABLE runs(run_uuid TEXT, artifact_uri TEXT);
          WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
          INSERT INTO runs SELECT 'r' || i, '\(folder)/data/mlflow/mlruns/0/r' || i FROM n;
          """,
        ])
      let made = try run(Checkout.hrp, ["backup", "create", "--data-dir", "data", "--json"], in: folder)
      #expect(made.status == 0)
      let backups = folder + "/data/backups"
      let name = try #require(
        try FileManager.default.contentsOfDirectory(atPath: backups).first { $0.hasPrefix("backup_") })
      return try body(folder, backups + "/" + name)
    }
  }

  private func traced(_ fault: String, _ number: Int, _ arguments: [String], in folder: String) throws -> Finished {
    try run(
      "/usr/bin/strace",
      [
        "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:\(fault):when=\(number)",
        Checkout.hrp,
      ]
        + arguments, in: folder)
  }

  @Test(
    "a restore whose n-th write fails, by whoever it is made, shows nothing or all, and all names the new place",
    arguments: ["error=ENOSPC", "error=EIO", "signal=KILL"])
  func restoring(fault: String) throws {
    try withBackup { folder, backup in
      var number = 0
      while true {
        number += 1
        let target = "\(folder)/new\(number)"
        let done = try traced(fault, number, ["backup", "restore", backup, "--target-dir", target, "-q"], in: folder)
        if done.status == 0 {
          let old = try run(
            "/usr/bin/sqlite3",
            [target + "/mlflow/mlflow.db", "SELECT count(*) FROM runs WHERE artifact_uri NOT LIKE '\(target)/%'"])
          #expect(old.output == "0\n")
          break
        }
        #expect(!FileManager.default.fileExists(atPath: target), "\(fault) at write \(number): \(done)")
      }
      print("restore, \(fault) of pwrite64: \(number - 1) points")
      #expect(number > 5)
    }
  }

  @Test(
    "a backup whose n-th write fails leaves nothing that looks like one, or a whole one",
    arguments: ["error=ENOSPC", "signal=KILL"])
  func backingUp(fault: String) throws {
    try withBackup { folder, backup in
      var failures = 0
      for number in 1...40 {
        let done = try traced(fault, number, ["backup", "create", "--data-dir", "data", "-q"], in: folder)
        if done.status != 0 { failures += 1 }
        // Notes and history are no part of a backup: without them it is made all the same.
        let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/data/backups")
        for name in names where name.hasPrefix("backup_") && !backup.hasSuffix(name) {
          let path = folder + "/data/backups/" + name
          #expect(
            try run(Checkout.hrp, ["backup", "verify", path], in: folder).status == 0, "\(fault), write \(number)")
          try FileManager.default.removeItem(atPath: path)
        }
      }
      print("backup, \(fault) of pwrite64: it failed at \(failures) of 40 points")
      #expect(failures > 5)
      #expect(try run(Checkout.hrp, ["backup", "verify", backup], in: folder).status == 0)
    }
  }
}
