import Foundation
import TestKit
import Testing

/// The worst day: what will be lost, what is where, and the guide's scenarios.
@Suite("Recovering")
struct RecoverTests {
  private func hrp(_ words: [String], in folder: String) throws -> Finished {
    try run(
      Checkout.hrp, words + ["--data-dir", folder + "/data"], in: folder,
      environment: ["HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path])
  }

  private func object(_ finished: Finished) throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any]
    return try #require(object, "\(finished)")
  }

  /// A stack with one backup that has HYP-1 and one after it that has not.
  private func withBackups<Result>(_ body: (String, _ paths: [String]) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(
        """
        os.makedirs('data/mlflow/mlruns/0'); c = duckdb.connect('data/hrp.duckdb')
        c.execute('CREATE TABLE hypotheses(hypothesis_id VARCHAR, title VARCHAR)'); c.execute("INSERT INTO hypotheses VALUES ('HYP-1', 'a'), ('HYP-2', 'b')")
        c.close()
        """, in: folder)
      try run(
        "/usr/bin/sqlite3",
        [
          folder + "/data/mlflow/mlflow.db",
          """
          CREATE TABLE experiments(experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT);
          CREATE TABLE runs(run_uuid TEXT, name TEXT, experiment_id INTEGER, artifact_uri TEXT);
          INSERT INTO experiments VALUES (1, 'momentum', '\(folder)/data/mlflow/mlruns/1');
          INSERT INTO runs VALUES ('r1', 'first', 1, '\(folder)/data/mlflow/mlruns/1/r1');
          """,
        ])
      let first = try object(hrp(["backup", "create", "--json"], in: folder))["path"] as? String
      try Engine("2.0.1").run(
        "c = duckdb.connect('data/hrp.duckdb'); c.execute(\"DELETE FROM hypotheses WHERE hypothesis_id = 'HYP-1'\"); c.close()",
        in: folder)
      try run(
        "/usr/bin/sqlite3", [folder + "/data/mlflow/mlflow.db", "INSERT INTO runs VALUES ('r2', 'second', 1, '')"])
      let second = try object(hrp(["backup", "create", "--json"], in: folder))["path"] as? String
      return try body(folder, [try #require(first), try #require(second)])
    }
  }

  @Test(
    "before a restore it is said what is there and what the backup has; the report keeps it, with the health before",
    .guide(46, 49, 50))
  func losses() throws {
    try withBackups { folder, paths in
      let dry = try object(hrp(["backup", "restore", paths[0], "--dry-run", "--json"], in: folder))
      let rows = dry["lost"] as? [[String: Any]] ?? []
      #expect(
        rows.map { "\($0["name"] ?? "") \($0["now"] ?? "") \($0["backup"] ?? "")" } == [
          "table hypotheses 1 2", "experiment momentum 2 1",
        ])
      let foreseen = try hrp(["backup", "restore", paths[0], "--dry-run"], in: folder).output
      #expect(foreseen.hasSuffix("  From: \(paths[0])\n  To: \(folder)/data\n"), "\(foreseen)")
      let done = try hrp(["backup", "restore", paths[0]], in: folder)
      #expect(done.status == 0 && done.errors.contains("table hypotheses: 1 now, 2 in the backup"), "\(done)")
      let name = try #require(
        try FileManager.default.contentsOfDirectory(atPath: folder + "/data/logs").first { $0.hasPrefix("restore_") })
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: folder + "/data/logs/" + name)))
          as? [String: Any])
      #expect((report["health_before"] as? [String: Any])?["status"] as? String == "ok")
      for key in ["answers_before", "answers_after"] {
        let answers = try #require(report[key] as? [String: [String: Any]])
        #expect(answers["health"]?["status"] as? String == "ok")
        #expect(answers["ready"]?["status"] as? String == "ready")
        #expect((answers["ready"]?["checks"] as? [String: String])?["database"] == "ok")
      }
      #expect((report["lost"] as? [Any])?.count == 2)
      #expect(try hrp(["backup", "list"], in: folder).errors.contains("is kept until"))
      #expect(try hrp(["backup", "undo"], in: folder).status == 0)
      #expect(try Engine("2.0.1").query("data/hrp.duckdb", "SELECT count(*) FROM hypotheses", in: folder) == "1")
    }
  }

  @Test("a current database that cannot be read is said, and the restore goes on")
  func unreadable() throws {
    try withBackups { folder, paths in
      try Data(repeating: 7, count: 40_000).write(to: URL(fileURLWithPath: folder + "/data/hrp.duckdb"))
      let done = try hrp(["backup", "restore", paths[0]], in: folder)
      #expect(done.status == 0 && done.errors.contains("what is in the current database cannot be told"), "\(done)")
    }
  }

  @Test("find says which backups hold an id, a run or a file, newest first", .guide(84))
  func find() throws {
    try withBackups { folder, paths in
      for (text, expected) in [
        ("HYP-1", [paths[0]]), ("HYP-2", [paths[1], paths[0]]), ("r2", [paths[1]]),
        ("momentum", [paths[1], paths[0]]), ("mlflow.db", [paths[1], paths[0]]),
      ] {
        let done = try hrp(["backup", "find", text, "--json"], in: folder)
        let list = try JSONSerialization.jsonObject(with: Data(done.output.utf8)) as? [[String: Any]] ?? []
        #expect(list.compactMap { $0["path"] as? String } == expected, "\(text): \(done)")
      }
      #expect(try hrp(["backup", "find", "HYP-3"], in: folder).status == 10)
      #expect(try hrp(["backup", "find", "x' OR '1'='1"], in: folder).status == 10)
    }
  }

  @Test("scenario 2: the newest backup that still has what was deleted; nothing is done without --apply", .guide(85))
  func deletion() throws {
    try withBackups { folder, paths in
      let plan = try object(hrp(["recover", "--missing", "HYP-1", "--json"], in: folder))
      #expect(plan["scenario"] as? String == "accidental-deletion" && plan["backup"] as? String == paths[0])
      #expect(plan["applied"] as? Bool == false)
      let done = try hrp(["recover", "--missing", "HYP-1", "--apply"], in: folder)
      #expect(done.status == 0 && done.output.contains("✓ Database: ok"), "\(done)")
      #expect(try Engine("2.0.1").query("data/hrp.duckdb", "SELECT count(*) FROM hypotheses", in: folder) == "2")
    }
  }

  @Test(
    "scenarios 1 and 4: a damaged database gets the newest backup that verifies; the damaged ones are named",
    .guide(82, 87))
  func corrupted() throws {
    try withBackups { folder, paths in
      #expect(try object(hrp(["recover", "--json"], in: folder))["scenario"] as? String == "healthy")
      try run("/bin/sh", ["-c", "rm -f hrp.duckdb && echo x > hrp.duckdb"], in: paths[1])
      let damage = Data(repeating: 7, count: 40_000)
      try damage.write(to: URL(fileURLWithPath: folder + "/data/hrp.duckdb"))
      let plan = try hrp(["recover"], in: folder)
      #expect(plan.status == 0 && plan.output.contains("Scenario: the database is damaged or gone\n"), "\(plan)")
      #expect(plan.output.contains("Backup: \(paths[0])\n") && plan.errors.contains("does not verify"))
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/data/hrp.duckdb")) == damage)
      let done = try hrp(["recover", "--apply"], in: folder)
      #expect(done.status == 0, "\(done)")
      #expect(try Engine("2.0.1").query("data/hrp.duckdb", "SELECT count(*) FROM hypotheses", in: folder) == "2")
      try run("/bin/sh", ["-c", "rm -f hrp.duckdb && echo x > hrp.duckdb"], in: paths[0])
      try damage.write(to: URL(fileURLWithPath: folder + "/data/hrp.duckdb"))
      let none = try hrp(["recover"], in: folder)
      #expect(none.status == 1 && none.output.contains("smartctl") && none.output.contains("--report"))
    }
  }

  @Test(
    "scenario 3: backups that came by a plain copy become a stack at another place, and MLflow names that place",
    .guide(86))
  func migration() throws {
    try withBackups { folder, _ in
      try run("/bin/sh", ["-c", "cp -r data/backups copies && chmod -R u+w copies && mv data gone"], in: folder)
      let done = try run(
        Checkout.hrp, ["recover", "--apply", "--data-dir", folder + "/new", "--backup-dir", folder + "/copies"],
        environment: ["HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path])
      #expect(done.status == 0 && done.output.contains("there is no stack here"), "\(done)")
      let location = try run(
        "/usr/bin/sqlite3",
        [folder + "/new/mlflow/mlflow.db", "SELECT artifact_location FROM experiments; SELECT artifact_uri FROM runs"])
      #expect(location.output == "\(folder)/new/mlflow/mlruns/1\n\(folder)/new/mlflow/mlruns/1/r1\n\n")
    }
  }

  @Test("latest-valid prefers the newest that a drill has proven, and says that there is a newer one")
  func latestValid() throws {
    try withBackups { folder, paths in
      #expect(
        try object(hrp(["backup", "verify", "latest-valid", "--json"], in: folder))["path"] as? String == paths[1])
      #expect(try hrp(["backup", "drill", paths[0]], in: folder).status == 0)
      let done = try hrp(["backup", "verify", "latest-valid", "--json"], in: folder)
      #expect(try object(done)["path"] as? String == paths[0] && done.errors.contains("newer and was not chosen"))
    }
  }

  @Test("what could not be looked at is not called damaged: with an older library nothing is replaced")
  func undetermined() throws {
    try withBackups { folder, _ in
      let before = try Data(contentsOf: URL(fileURLWithPath: folder + "/data/hrp.duckdb"))
      let done = try run(
        Checkout.hrp, ["recover", "--apply", "--json", "--data-dir", folder + "/data"], in: folder,
        environment: ["HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/1.4.5/libduckdb.so").path])
      #expect(done.status == 1 && done.output.contains("engine.too-old"), "\(done)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/data/hrp.duckdb")) == before)
    }
  }

  @Test(
    "MLflow that is gone or no database is a scenario of its own: its part comes back, the database stays",
    arguments: ["rm -r mlflow", "rm -r mlflow/*", "head -c 40000 /dev/urandom > mlflow/mlflow.db"])
  func damagedMLflow(harm: String) throws {
    try withBackups { folder, _ in
      try run("/bin/sh", ["-c", harm], in: folder + "/data")
      let done = try hrp(["recover", "--apply", "--json"], in: folder)
      #expect(try object(done)["scenario"] as? String == "damaged-mlflow", "\(done)")
      let runs = try run("/usr/bin/sqlite3", [folder + "/data/mlflow/mlflow.db", "SELECT count(*) FROM runs"])
      #expect(runs.output == "2\n")
      #expect(try Engine("2.0.1").query("data/hrp.duckdb", "SELECT count(*) FROM hypotheses", in: folder) == "1")
    }
  }

  @Test("what is well stays: a damaged database alone is restored, and MLflow keeps what came since")
  func onlyWhatIsDamaged() throws {
    try withBackups { folder, _ in
      try run(
        "/usr/bin/sqlite3", [folder + "/data/mlflow/mlflow.db", "INSERT INTO runs VALUES ('r3', 'third', 1, '')"])
      try Data(repeating: 7, count: 40_000).write(to: URL(fileURLWithPath: folder + "/data/hrp.duckdb"))
      let done = try hrp(["recover", "--apply"], in: folder)
      #expect(done.status == 0 && done.output.contains("stays as it is"), "\(done)")
      let runs = try run("/usr/bin/sqlite3", [folder + "/data/mlflow/mlflow.db", "SELECT count(*) FROM runs"])
      #expect(runs.output == "3\n")
      #expect(try Engine("2.0.1").query("data/hrp.duckdb", "SELECT count(*) FROM hypotheses", in: folder) == "1")
    }
  }

  @Test("a backup that cannot be looked into is named, and 'no backup holds it' is not said")
  func unreadBackups() throws {
    try withBackups { folder, paths in
      try run(
        "/bin/sh",
        ["-c", "chmod -R u+w . && printf X | dd of=hrp.duckdb bs=1 seek=13000 conv=notrunc status=none"], in: paths[0])
      let damaged = try hrp(["backup", "find", "HYP-1"], in: folder)
      #expect(damaged.status == 3 && damaged.errors.contains("not looked into: backup_"), "\(damaged)")
      try run("/bin/rm", [paths[0] + "/checksums.txt"])
      #expect(try hrp(["backup", "find", "HYP-1"], in: folder).errors.contains("checksums.txt is missing"))
      #expect(try hrp(["backup", "list"], in: folder).errors.contains("not a whole backup"))
      #expect(try hrp(["doctor"], in: folder).output.contains("broken-backup"))
      let plan = try hrp(["recover", "--missing", "HYP-1"], in: folder)
      #expect(plan.status == 1 && plan.output.contains("that could be looked into"), "\(plan)")
      try Engine("2.0.1").run(
        "c = duckdb.connect('data/hrp.duckdb'); c.execute('DELETE FROM hypotheses'); c.close()", in: folder)
      let hint = try hrp(["recover", "--missing", "HYP-2"], in: folder).output
      #expect(hint.contains("To do it: hrp recover --apply --missing HYP-2 --data-dir \(folder)/data"), "\(hint)")
    }
  }
}
