import Foundation
import TestKit
import Testing

/// The scheduler as its user meets it.
@Suite("Scheduler")
struct SchedulerTests {
  @Test("list-jobs has the guide's job in the guide's form, with its true next run")
  func listJobs() throws {
    try withGuideHome { home in
      let listed = try hrp(["scheduler", "list-jobs", "-q"], in: home)
      let lines = listed.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      #expect(lines.count == 9 && lines[0] == "" && lines[1] == "Scheduled Jobs:")
      #expect(lines[2] == String(repeating: "-", count: 80))
      #expect(lines[3] == "ID: weekly_backup" && lines[4] == "  Name: Weekly Backup")
      #expect(lines[5].wholeMatch(of: /\s\sNext Run: 20\d\d-\d\d-\d\d 02:00:00-0[45]:00/) != nil)
      #expect(lines[6] == "  Trigger: cron[day_of_week='sat', hour='2', minute='0']" && lines[7] == "")
      #expect(try hrp(["scheduler", "list-jobs", "--no-backup"], in: home).output == "No scheduled jobs found\n")
      #expect(
        try hrp(["scheduler", "list-jobs"], in: home, ["HRP_NO_BACKUP": "1"]).output == "No scheduled jobs found\n")
    }
  }

  @Test(
    "the guide's time is checked with the guide's words",
    arguments: [
      ("2", "backup_time must be in HH:MM format, got '2'"), ("ab:cd", "backup_time contains non-numeric values"),
      ("24:00", "Hour must be 0-23, got 24 in '24:00'"), ("02:60", "Minute must be 0-59, got 60 in '02:60'"),
    ])
  func times(text: String, message: String) throws {
    try withTemporaryFolder { home in
      let done = try hrp(["scheduler", "run", "--once", "--backup-time", text], in: home)
      #expect(done.status == 2 && done.errors.contains(message), "\(done)")
    }
  }

  @Test("what was missed is caught up once; a manual backup covers it; what is configured is what runs")
  func caughtUp() throws {
    try withGuideHome { home in
      try configure(
        "jobs:\n  nightly:\n    every: day\n    time: \"03:00\"\n    mlflow: false\n    drill: never\n", in: home)
      let waits = try hrp(["scheduler", "list-jobs"], in: home)
      #expect(waits.errors.contains("nightly: a run was missed and waits") && waits.output.contains("Name: Nightly"))
      let first = try hrp(["scheduler", "run", "--once", "--json"], in: home)
      #expect(first.status == 0 && first.output.contains("\"reason\": \"catch_up\""), "\(first)")
      #expect(try hrp(["backup", "list", "--json"], in: home).output.contains("\"name\": \"backup_"))
      #expect(!FileManager.default.fileExists(atPath: home + "/hrp-data/backups/.hrp-proofs"), "no drill")
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n")
      #expect(try hrp(["scheduler", "run", "--once", "-q"], in: home).output.isEmpty)
      #expect(try schedulerHistory(in: home).map { $0["state"] as? String } == ["completed"])
    }
    try withGuideHome { home in
      let created = try hrp(["backup", "create"], in: home)
      #expect(created.status == 0)
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n")
      #expect(try schedulerHistory(in: home).isEmpty)
    }
  }

  @Test("a job that fails is exit 1, is in the history with its code, and is not repeated")
  func failed() throws {
    try withGuideHome { home in
      try FileManager.default.moveItem(atPath: home + "/hrp-data/hrp.duckdb", toPath: home + "/away")
      let failed = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(failed.status == 1 && failed.output.contains("✗ weekly_backup (missed "), "\(failed)")
      #expect(try schedulerHistory(in: home).map { $0["code"] as? String } == ["source.not-found"])
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n")
      try FileManager.default.moveItem(atPath: home + "/away", toPath: home + "/hrp-data/hrp.duckdb")
      let now = try hrp(["scheduler", "run-now", "weekly_backup"], in: home)
      #expect(now.status == 0 && now.output.hasPrefix("✓ weekly_backup: backup_"), "\(now)")
      #expect(
        try schedulerHistory(in: home).map { $0["state"] as? String } == ["completed", "failed"],
        "it is written down too")
      #expect(try hrp(["scheduler", "run-now", "nothing"], in: home).status == 10)
    }
  }

  @Test("a backup of the database alone covers no full job, and does not protect a stack with MLflow")
  func halves() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create", "--no-mlflow"], in: home).status == 0)
      let status = try hrp(["status"], in: home)
      #expect(status.status == 15 && status.output.contains("there is no verified backup"), "\(status)")
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output.contains("✓ weekly_backup"))
    }
  }

  @Test("without usable records a backup is made all the same, and the file is named")
  func noRecords() throws {
    try withGuideHome { home in
      let catalogue = home + "/hrp-data/hrp-catalogue.db"
      try FileManager.default.createDirectory(atPath: catalogue, withIntermediateDirectories: false)
      let done = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(done.status == 0 && done.output.contains("✓ weekly_backup"), "\(done)")
      #expect(done.errors.contains("records of the scheduler cannot be used") && done.errors.contains(catalogue))
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n", "the backup covers it")
      let lost = try hrp(["scheduler", "history", "--json"], in: home)
      #expect(lost.status == 1 && lost.output.contains("catalogue.unusable"), "no history is not an empty one: \(lost)")
      let jobs = try hrp(["scheduler", "list-jobs"], in: home)
      #expect(jobs.status == 0 && jobs.errors.contains("cannot be used") && !jobs.errors.contains("was missed"))
      try FileManager.default.removeItem(atPath: catalogue)
      try Data("garbage".utf8).write(to: URL(fileURLWithPath: catalogue))
      let damaged = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(damaged.errors.contains("the catalogue was damaged and is set aside"), "\(damaged)")
    }
  }

  @Test(
    "a data directory that cannot be written to is an error, and never \"nothing is due\"", .enabled(if: geteuid() != 0)
  )
  func readOnly() throws {
    try withGuideHome { home in
      try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: home + "/hrp-data")
      defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: home + "/hrp-data") }
      let done = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(done.status == 1 && done.errors.contains("Permission denied"), "\(done)")
    }
  }

  @Test("no_backup is said by the scheduler and by status")
  func switchedOff() throws {
    try withGuideHome { home in
      try configure("no_backup: true\n", in: home)
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output.hasPrefix("No job runs: no_backup is true"))
      #expect(try hrp(["scheduler", "list-jobs"], in: home).errors.contains("No job runs: no_backup is true"))
      #expect(try hrp(["status"], in: home).output.contains("no backups are made: no_backup is true"))
    }
  }

  @Test("a run whose backup is incomplete is exit 3 and ends its slot", .enabled(if: geteuid() != 0))
  func incomplete() throws {
    try withGuideHome { home in
      let file = home + "/hrp-data/mlflow/mlruns/0/meta.yaml"
      try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: file)
      #expect(try hrp(["scheduler", "run", "--once"], in: home).status == 3)
      #expect(try schedulerHistory(in: home).map { $0["state"] as? String } == ["partial"])
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n")
    }
  }

  @Test("a scheduler goes on until SIGTERM and ends with 0; a second one of the same stack ends with 11")
  func foreground() throws {
    try withGuideHome { home in
      let scheduler = Process()
      scheduler.executableURL = URL(fileURLWithPath: Checkout.hrp)
      scheduler.arguments = ["scheduler", "run"]
      scheduler.environment = ["HOME": home]
      let output = Pipe()
      scheduler.standardOutput = output
      scheduler.standardError = FileHandle.nullDevice
      try scheduler.run()
      var text = ""
      while !text.contains("✓ weekly_backup") {
        let data = output.fileHandleForReading.availableData
        if data.isEmpty { break }
        text += String(decoding: data, as: UTF8.self)
      }
      #expect(text.hasPrefix("Scheduler started: 1 job\n  weekly_backup: next run 20"), "\(text)")
      let second = try hrp(["scheduler", "run"], in: home)
      #expect(second.status == 11 && second.errors.contains("hrp scheduler run"), "\(second)")
      #expect(try hrp(["scheduler", "run", "--once"], in: home).status == 11)
      scheduler.terminate()
      text += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      scheduler.waitUntilExit()
      #expect(scheduler.terminationStatus == 0)
      #expect(text.hasSuffix("Received shutdown signal, stopping scheduler...\nScheduler stopped\n"), "\(text)")
    }
  }

  @Test(
    "a run that is killed is interrupted in the history, runs once more, and only once", .enabled(if: Self.hasStrace))
  func killed() throws {
    try withGuideHome { home in
      let kill = {
        // The rename that publishes the backup is the last chance to be killed without one.
        try run(
          "/usr/bin/strace",
          [
            "-f", "-o", "/dev/null", "-e", "trace=renameat2", "-e", "inject=renameat2:signal=SIGKILL:when=1",
            Checkout.hrp, "scheduler", "run", "--once",
          ], in: home, environment: ["HOME": home])
      }
      #expect(try kill().status != 0)
      #expect(try schedulerHistory(in: home).map { $0["state"] as? String } == ["interrupted"])
      let again = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(again.status == 0 && again.output.contains("again after it was killed"), "\(again)")
      #expect(try schedulerHistory(in: home).map { $0["state"] as? String } == ["completed"])
    }
    try withGuideHome { home in
      for _ in 0..<2 {
        _ = try run(
          "/usr/bin/strace",
          [
            "-f", "-o", "/dev/null", "-e", "trace=renameat2", "-e", "inject=renameat2:signal=SIGKILL:when=1",
            Checkout.hrp, "scheduler", "run", "--once",
          ], in: home, environment: ["HOME": home])
      }
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n")
      #expect(try schedulerHistory(in: home).map { $0["state"] as? String } == ["interrupted"])
    }
  }

  private static let hasStrace = FileManager.default.fileExists(atPath: "/usr/bin/strace")
}
