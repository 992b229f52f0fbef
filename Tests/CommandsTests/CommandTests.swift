import Foundation
import TestKit
import Testing

/// The built program, as a user's script sees it.
@Suite("Commands")
struct CommandTests {
  private func hrp(_ arguments: String..., in folder: String, environment: [String: String] = [:]) throws -> Finished {
    try run(Checkout.hrp, arguments, in: folder, environment: ["HOME": folder].merging(environment) { $1 })
  }

  @Test("the guide's five commands print the guide's lines")
  func guide() throws {
    try withGuideHome { home in
      let created = try hrp("backup", "--backup", in: home)
      #expect(created.status == 0, "\(created.errors)")
      let lines = created.output.split(separator: "\n").map(String.init)
      #expect(lines[0] == "Backup created successfully:")
      #expect(lines[1].wholeMatch(of: #/  Path: .*/hrp-data/backups/backup_\d{8}_\d{6}/#) != nil)
      #expect(lines[2].wholeMatch(of: #/  Size: \d+\.\d MB/#) != nil)
      #expect(lines[3] == "  Checksum: verified")
      #expect(lines.count == 4)
      let path = String(lines[1].dropFirst(8))
      let name = String(path.split(separator: "/").last ?? "")

      let listed = try hrp("backup", "--list", in: home).output.split(separator: "\n").map(String.init)
      #expect(listed[0] == "Available backups:")
      #expect(
        listed[1].wholeMatch(of: #/  1\. backup_\d{8}_\d{6} \(\d+\.\d MB\) - \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/#) != nil)
      #expect(listed[1].contains(name))

      let verified = try hrp("backup", "--verify", path, in: home)
      #expect(verified.output == "✓ Backup verified successfully\n  All 2 files match checksums\n")
      let restored = try hrp("backup", "--restore", path, "--target-dir", home + "/new", in: home)
      #expect(
        restored.output == "Restoring from backup...\n✓ Restored hrp.duckdb\n✓ Restored mlruns/\nRestore complete!\n")

      try run("/bin/sh", ["-c", "rm -f hrp.duckdb; echo x > hrp.duckdb"], in: path)
      let failed = try hrp("backup", "--verify", path, in: home)
      #expect(failed.output.hasPrefix("✗ Backup verification failed\n  Checksum mismatch: hrp.duckdb"))
      #expect(failed.status == 1)
      let log = try String(contentsOfFile: home + "/hrp-data/logs/backup.log", encoding: .utf8)
      #expect(log.split(separator: "\n").allSatisfy { $0.contains(#/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| [A-Z]+ +\| /#) })
      #expect(log.contains("| ERROR    | backup verify failed"))
    }
  }

  @Test("every kind of failure has its exit code, its code in JSON and a remedy")
  func failures() throws {
    try withGuideHome { home in
      let cases: [([String], Int32, String)] = [
        (["backup", "create", "--data-dir", "nowhere"], 10, "source.not-found"),
        (["backup", "list", "--backup-dir", "nowhere"], 10, "backup-directory.not-found"),
        (["backup", "verify", "latest", "--backup-dir", "nowhere"], 10, "backup-directory.not-found"),
        (["backup", "verify", "/nowhere/backup_20260124_020000"], 10, "backup.not-found"),
        (["backup", "restore", "backup_20260124_020000"], 10, "backup-directory.not-found"),
        (["backup", "verify", "x", "--level", "deepest"], 2, "usage"),
        (["backup", "create", "--frobnicate"], 2, "usage"),
        (["backup", "restore", "latest", "--target-dir", ""], 2, "usage"),
        (["backup", "create", "--data-dir", ""], 2, "usage"),
        (["backup", "rotate", "--keep-days", "0"], 2, "rotation.keep-days"),
        (["frobnicate"], 2, "usage"),
        (["duckdb", "inspect", "nowhere"], 10, "source.not-found"),
        (["duckdb", "copy", "hrp-data/mlflow/mlruns/0/meta.yaml", "x"], 1, "duckdb.not-a-database"),
      ]
      for (arguments, status, code) in cases {
        let plain = try run(Checkout.hrp, arguments, in: home, environment: ["HOME": home])
        #expect(plain.status == status, "\(arguments): \(plain.errors)")
        #expect(plain.output.isEmpty, "\(arguments): \(plain.output)")
        #expect(!plain.errors.isEmpty)
        let json = try run(Checkout.hrp, arguments + ["--json"], in: home, environment: ["HOME": home])
        #expect(json.status == status)
        let value = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: [String: String]]
        #expect(value?["error"]?["code"] == code, "\(arguments): \(json.output)")
        #expect(value?["error"]?["message"]?.isEmpty == false && value?["error"]?["remedy"]?.isEmpty == false)
      }
    }
  }

  @Test("--json prints one value with the promised keys, and nothing else")
  func json() throws {
    try withGuideHome { home in
      let created = try object(hrp("backup", "create", "--json", in: home))
      for key in [
        "path", "name", "timestamp", "size_bytes", "size_mb", "files", "checksum_file", "include_mlflow",
        "duration_seconds", "verified", "complete", "snapshot",
      ] { #expect(created[key] != nil, "\(key)") }
      let snapshot = created["snapshot"] as? [String: Any] ?? [:]
      for key in ["method", "iteration", "wal_bytes", "blocks_copied", "blocks_free", "passes"] {
        #expect(snapshot[key] != nil, "\(key)")
      }
      #expect(created["files"] as? [String] == ["hrp.duckdb", "mlruns/mlruns/0/meta.yaml"])
      #expect((created["timestamp"] as? String)?.contains(#/T\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d$/#) == true)
      let list = try JSONSerialization.jsonObject(with: Data(hrp("backup", "list", "--json", in: home).output.utf8))
      let first = try #require((list as? [[String: Any]])?.first)
      for key in [
        "name", "path", "timestamp", "size_bytes", "size_mb", "files_count", "verified", "complete", "pinned", "proof",
      ] { #expect(first[key] != nil, "\(key)") }
      #expect(first["files_count"] as? Int == 2 && first["verified"] as? Bool == true)
      let verified = try object(hrp("backup", "verify", "1", "--json", in: home))
      #expect(verified["ok"] as? Bool == true && verified["level"] as? String == "structure")
      #expect(verified["files_checked"] as? Int == 2 && (verified["findings"] as? [Any])?.isEmpty == true)
      let restored = try object(hrp("backup", "restore", "latest", "--target-dir", "~/there", "--json", in: home))
      #expect(restored["target"] as? String == home + "/there")
      #expect(restored["restored"] as? [String] == ["hrp.duckdb", "mlruns/"])
      let inspected = try object(hrp("duckdb", "inspect", "~/there/hrp.duckdb", "--json", in: home))
      #expect(inspected["writer_pid"] is NSNull && (inspected["blocks_in_use"] as? Int ?? 0) > 0)
    }
  }

  private func object(_ finished: Finished) throws -> [String: Any] {
    #expect(finished.status == 0, "\(finished.errors)")
    return try #require(try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any])
  }

  @Test("no backups is a result, no arguments are the help, and neither is a failure")
  func nothing() throws {
    try withGuideHome { home in
      try run("/bin/mkdir", ["-p", "hrp-data/backups"], in: home)
      let list = try hrp("backup", "--list", in: home)
      #expect(list.status == 0 && list.output == "No backups found\n")
      #expect(try hrp("backup", "list", "--json", in: home).output == "[]\n")
      for arguments in [[], ["backup"], ["--help"], ["backup", "create", "--help"], ["--version"]] {
        let help = try run(Checkout.hrp, arguments, in: home, environment: ["HOME": home])
        #expect(help.status == 0 && !help.output.isEmpty, "\(arguments)")
      }
    }
  }

  @Test("the environment decides the stack where no flag does")
  func environment() throws {
    try withGuideHome { home in
      try run("/bin/sh", ["-c", "mkdir -p db && mv hrp-data/hrp.duckdb db/research.db"], in: home)
      let plan = try hrp(
        "backup", "create", "--dry-run", "--json", in: home,
        environment: [
          "HRP_DB_PATH": "~/db/research.db", "HRP_BACKUP_DIR": "~/safe",
          "MLFLOW_TRACKING_URI": "file:" + home + "/hrp-data/mlflow",
        ])
      let value = try object(plan)
      #expect(value["database"] as? String == home + "/db/research.db")
      #expect(value["backup_dir"] as? String == home + "/safe")
      #expect(value["mlflow"] as? String == home + "/hrp-data/mlflow")
      #expect(!FileManager.default.fileExists(atPath: home + "/safe"))
    }
  }

  @Test("latest-valid walks back over what does not verify, and names it")
  func latestValid() throws {
    try withGuideHome { home in
      let good = try object(hrp("backup", "create", "--json", in: home))["path"] as? String
      let bad = try object(hrp("backup", "create", "--json", in: home))["path"] as? String ?? ""
      try run("/bin/sh", ["-c", "rm -f hrp.duckdb && echo x > hrp.duckdb"], in: bad)
      let verified = try hrp("backup", "verify", "latest-valid", "--json", in: home)
      #expect(try object(verified)["path"] as? String == good)
      #expect(verified.errors.contains("does not verify"))
      try run("/bin/sh", ["-c", "rm -f hrp.duckdb && echo x > hrp.duckdb"], in: good ?? "")
      #expect(try hrp("backup", "restore", "latest-valid", "--target-dir", "x", in: home).status == 1)
    }
  }

  @Test("a dry run writes nothing at all, not even into the log")
  func dryRuns() throws {
    try withGuideHome { home in
      _ = try hrp("backup", "create", in: home)
      let listing = { try run("/bin/sh", ["-c", "find hrp-data -printf '%p %s %T@\\n' | sort"], in: home).output }
      let before = try listing()
      for arguments in [["create"], ["restore", "latest", "--target-dir", "x"], ["rotate", "--keep-days", "1"]] {
        let done = try run(Checkout.hrp, ["backup"] + arguments + ["--dry-run"], in: home, environment: ["HOME": home])
        #expect(done.status == 0, "\(done.errors)")
      }
      #expect(try listing() == before)
    }
  }

  @Test("killed at any of 50 moments of a run: what is listed is whole, and the next run cleans up")
  func killed() throws {
    try withGuideHome { home in
      try run("/bin/sh", ["-c", "cd hrp-data/mlflow && for i in $(seq 300); do echo $i > f$i; done"], in: home)
      let began = Date()
      _ = try object(hrp("backup", "create", "--no-link", "--json", in: home))
      let duration = Date().timeIntervalSince(began)
      for timestamp in 0..<50 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Checkout.hrp)
        process.arguments = ["backup", "create", "--data-dir", home + "/hrp-data", "--no-link", "-q"]
        process.environment = cleanEnvironment
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        usleep(UInt32(duration * 1e6 * Double(timestamp) / 50))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      _ = try object(hrp("backup", "create", "--json", in: home))
      let names = try FileManager.default.contentsOfDirectory(atPath: home + "/hrp-data/backups")
      #expect(names.filter { $0.hasSuffix(".partial") } == [])
      let listed = try JSONSerialization.jsonObject(with: Data(hrp("backup", "list", "--json", in: home).output.utf8))
      let paths = (listed as? [[String: Any]] ?? []).compactMap { $0["path"] as? String }
      #expect(paths.count == names.count - 1 && paths.count >= 2)
      for path in paths { #expect(try hrp("backup", "verify", path, in: home).status == 0) }
    }
  }

  @Test("a signal is heard also while another run's lock is waited for")
  func signalWhileWaiting() throws {
    try withGuideHome { home in
      try run("/bin/mkdir", ["-p", "hrp-data/backups"], in: home)
      let done = try run(
        Checkout.python,
        [
          "-c",
          """
          import fcntl, subprocess, time, sys, signal
          f = open('hrp-data/backups/.hrp-backups.lock', 'w'); fcntl.flock(f, fcntl.LOCK_EX)
          p = subprocess.Popen(['\(Checkout.hrp)', 'backup', 'create', '--data-dir', 'hrp-data', '-q'])
          time.sleep(1.5); p.send_signal(signal.SIGTERM); sys.exit(p.wait(timeout=20))
          """,
        ], in: home)
      #expect(done.status == 143, "\(done.errors)")
      let left = try FileManager.default.contentsOfDirectory(atPath: home + "/hrp-data/backups")
      #expect(left == [".hrp-backups.lock"])
    }
  }

  @Test("in place the guide's lines come, and what was there can be had back")
  func inPlace() throws {
    try withGuideHome { home in
      let path = try #require(object(hrp("backup", "create", "--json", in: home))["path"] as? String)
      let restored = try hrp("backup", "--restore", path, in: home)
      #expect(restored.status == 0)
      #expect(
        restored.output == "Restoring from backup...\n✓ Restored hrp.duckdb\n✓ Restored mlruns/\nRestore complete!\n")
      #expect(restored.errors.contains("hrp backup undo brings it back"))
      #expect(try hrp("backup", "undo", in: home).status == 0)
      #expect(try hrp("backup", "undo", "--drop", in: home).output.hasPrefix("Freed "))
      #expect(try hrp("backup", "undo", in: home).status == 10)
    }
  }

  @Test("SIGINT and SIGTERM stop a run in the middle and leave nothing visible", arguments: [SIGINT, SIGTERM])
  func signals(signal: Int32) throws {
    try withGuideHome { home in
      // A FIFO-free way to be slow: many files, so that the signal comes in the middle.
      try run("/bin/sh", ["-c", "cd hrp-data/mlflow && for i in $(seq 3000); do echo $i > f$i; done"], in: home)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Checkout.hrp)
      process.arguments = ["backup", "create", "--data-dir", home + "/hrp-data", "-q"]
      process.environment = cleanEnvironment
      process.standardError = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      let backups = home + "/hrp-data/backups"
      while process.isRunning,
        try !FileManager.default.fileExists(atPath: backups)
          || FileManager.default.contentsOfDirectory(atPath: backups).isEmpty
      { usleep(1000) }
      let began = Date()
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      // Half a second on a calm machine; the bound only tells a stop from a run to the end.
      #expect(Date().timeIntervalSince(began) < 10)
      #expect(process.terminationStatus == 128 + signal)
      #expect(try FileManager.default.contentsOfDirectory(atPath: backups).filter { $0 != ".hrp-backups.lock" } == [])
    }
  }
}
