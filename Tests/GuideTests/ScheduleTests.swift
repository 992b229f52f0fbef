import Foundation
import TestKit
import Testing

/// "Automated Backups" and "Backup Rotation".
@Suite("Guide: schedule and rotation")
struct GuideScheduleTests {
  private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

  @Test("the guide's job is listed, and due at the guide's day and time in New York", .guide(10, 21))
  func listed() throws {
    try withGuideHome { home in
      let said = try #require(OperationsGuide.text.firstMatch(of: #/\*\*(\w+) at (\d+):(\d\d) AM ET\*\*/#))
      let list = try hrp(["scheduler", "list-jobs", "--json"], in: home).output
      let jobs = try #require(JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]])
      #expect(jobs.map { $0["id"] as? String } == ["weekly_backup"])
      let due = try #require(jobs[0]["next_run"] as? String)
      let date = try #require(ISO8601DateFormatter().date(from: due))
      #expect(date > Date() && date.timeIntervalSinceNow <= 7 * 86_400 + 3700)
      let clock = DateFormatter()
      (clock.locale, clock.timeZone) = (Locale(identifier: "en_US"), TimeZone(identifier: "America/New_York"))
      clock.dateFormat = "EEEE H:mm"
      #expect(clock.string(from: date) == "\(said.1) \(said.2):\(said.3)")
    }
  }

  @Test("a scheduler runs in the foreground until SIGTERM, says so, and ends with 0", .guide(15, 20))
  func foreground() throws {
    try withGuideHome { home in
      let done = try run(
        Checkout.python,
        [
          "-c",
          """
          import signal, subprocess
          p = subprocess.Popen(['\(Checkout.hrp)', 'scheduler', 'run', '--no-backup'], env={'HOME': '\(home)'}, stdout=subprocess.PIPE, text=True)
          print(p.stdout.readline().split(':')[0])
          p.send_signal(signal.SIGTERM)
          print(p.stdout.read(), end=''); print(p.wait())
          """,
        ], in: home)
      #expect(
        done.output == """
          Scheduler started
          Received shutdown signal, stopping scheduler...
          Scheduler stopped
          0

          """, "\(done)")
    }
  }

  @Test("the guide's options of the runner are taken; a time that does not exist is told in words", .guide(16, 17, 18))
  func options() throws {
    try withGuideHome { home in
      let command = try #require(OperationsGuide.text.firstMatch(of: #/python run_scheduler\.py (--.*)/#)?.1)
      let words = command.split(separator: " ").map(String.init)
      #expect(words.count == 4)
      #expect(try hrp(["scheduler", "list-jobs"] + words, in: home).output.contains("hour='2', minute='0'"))
      let cases: [(String, String)] = [
        ("2", "backup_time must be in HH:MM format, got '2'"), ("ab:cd", "contains non-numeric values"),
        ("24:00", "Hour must be 0-23, got 24 in '24:00'"), ("02:60", "Minute must be 0-59, got 60 in '02:60'"),
      ]
      for (time, text) in cases {
        let done = try hrp(["scheduler", "run", "--once", "--backup-time", time], in: home)
        #expect(done.status == 2 && done.errors.contains(text), "\(time): \(done)")
      }
      #expect(try hrp(["scheduler", "run", "--once", "--backup-keep-days", "0"], in: home).status == 2)
      #expect(try hrp(["scheduler", "run", "--once", "--no-backup"], in: home).output == "Nothing is due\n")
      let foreign = try hrp(["scheduler", "run", "--price-time", "18:00"], in: home)
      #expect(foreign.status == 2 && foreign.errors.contains("--price-time"), "\(foreign)")
    }
  }

  /// A stack with backups that are so many days old.
  private func withBackups(ages: [Int], body: (String) throws -> Void) throws {
    try withGuideHome { home in
      for age in ages {
        let created = try hrp(["backup", "create", "--json"], in: home).output
        let value = try #require(JSONSerialization.jsonObject(with: Data(created.utf8)) as? [String: Any])
        _ = try ageBackup(#require(value["path"] as? String), days: age)
      }
      try body(home)
    }
  }

  @Test("a rotation prints the guide's lines, with what was deleted and what is left", .guide(73, 74, 75))
  func rotation() throws {
    let expected = OperationsGuide.output(of: "python -m hrp.data.backup --rotate")
    try withBackups(ages: [1, 10, 20, 35, 45]) { home in
      let shown = try hrp(["backup", "--rotate", "--keep-days", "30"], in: home)
      #expect(shown.status == 0 && lines(shown.output).first == expected.first)
      #expect(OperationsGuide.agrees(lines(shown.output), with: expected), "\(shown)")
      #expect(lines(shown.output)[1] == expected[1].replacing(#/\d+/#, with: "2"))
      #expect(try lines(hrp(["backup", "--rotate"], in: home).output).first == expected.first)
    }
  }

  @Test("what remains is counted in the guide's words", .guide(76))
  func remaining() throws {
    let expected = OperationsGuide.output(of: "python -m hrp.data.backup --rotate")
    try withBackups(ages: [1, 2, 3, 40]) { home in
      let shown = try lines(hrp(["backup", "--rotate", "--keep-days", "30"], in: home).output)
      #expect(shown.last == expected.last?.replacing(#/\d+/#, with: "3"))
      let again = try lines(hrp(["backup", "--rotate", "--keep-days", "30"], in: home).output)
      #expect(
        again == expected.map { $0.replacing(#/Deleted \d+/#, with: "Deleted 0").replacing(#/: \d+/#, with: ": 3") })
    }
  }

  @Test("what is older than the days goes and nothing else, whatever the number of days", .guide(78, 79))
  func days() throws {
    for (days, deleted) in [(30, 2), (20, 3), (21, 2), (50, 0)] {
      try withBackups(ages: [1, 10, 20, 35, 45]) { home in
        let shown = try hrp(["backup", "--rotate", "--keep-days", "\(days)"], in: home).output
        #expect(lines(shown)[1].hasPrefix("Deleted \(deleted) "), "\(days): \(shown)")
      }
    }
  }

  @Test("one whose name and metadata tell another age stays", .guide(78))
  func doubtfulAge() throws {
    try withBackups(ages: [1, 10, 35, 45]) { home in
      try run("/bin/sh", ["-c", "set -- backup_*; mv \"$1\" backup_20200101_020000"], in: home + "/hrp-data/backups")
      let shown = try hrp(["backup", "--rotate", "--keep-days", "30"], in: home)
      #expect(lines(shown.output)[1].hasPrefix("Deleted 1 "), "\(shown)")
      #expect(shown.errors.contains("backup_20200101_020000 stays: its name and its metadata differ"), "\(shown)")
    }
  }

  @Test(
    "the newest two good backups and a pinned one stay, however old they are; what goes is in the trash", .guide(80))
  func safety() throws {
    try withBackups(ages: [50, 60, 70, 80]) { home in
      #expect(try hrp(["backup", "--rotate", "--keep-days", "0"], in: home).status == 2)
      #expect(try hrp(["backup", "pin", "4"], in: home).status == 0)
      let names = try FileManager.default.contentsOfDirectory(atPath: home + "/hrp-data/backups")
        .filter { $0.hasPrefix("backup_") }.sorted()
      for deleted in [1, 0] {
        let shown = try hrp(["backup", "--rotate", "--keep-days", "30"], in: home)
        #expect(lines(shown.output)[1].hasPrefix("Deleted \(deleted) "), "\(shown)")
      }
      let trash = try hrp(["backup", "trash", "list", "--json"], in: home).output
      let deleted = try #require(JSONSerialization.jsonObject(with: Data(trash.utf8)) as? [[String: Any]])
      #expect(deleted.map { $0["name"] as? String } == [names[1]])
      let said = (deleted[0]["until"] as? String ?? "").replacing(#/\.\d+/#, with: "")
      let until = try #require(ISO8601DateFormatter().date(from: said), "\(trash)")
      #expect(abs(until.timeIntervalSinceNow - 3 * 86_400) < 3700)
    }
  }

  @Test("a scheduled run makes a backup, verifies it, drills it, and deletes what is too old", .guide(22, 72, 95))
  func scheduledRun() throws {
    try withBackups(ages: [8, 9, 40]) { home in
      let done = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(done.status == 0 && done.output.contains("✓ weekly_backup"), "\(done)")
      let list = try hrp(["backup", "list", "--json"], in: home).output
      let backups = try #require(JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]])
      #expect(backups.count == 3 && backups[0]["verified"] as? Bool == true)
      #expect((backups[0]["proof"] as? [String: Any])?["ok"] as? Bool == true, "\(list)")
      let log = try String(contentsOfFile: home + "/hrp-data/logs/backup.log", encoding: .utf8)
      let steps = log.matches(of: #/\| (backup \w+) done: /#).map { String($0.1) }
      #expect(steps.suffix(4) == ["backup create", "backup verify", "backup drill", "backup rotate"], "\(log)")
    }
  }

  @Test("a run that was missed is caught up by one run, and not by two", .guide(23))
  func missed() throws {
    try withGuideHome { home in
      let first = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(first.output.contains("missed") && first.output.contains("caught up"), "\(first)")
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n")
    }
  }

  @Test("the guide's periods are one word, and one line of the configuration", .guide(98))
  func periods() throws {
    let said = try #require(
      OperationsGuide.text.firstMatch(of: #/Daily \((\d+) days\), weekly \((\d+) weeks\), monthly \((\d+) months\)/#))
    try withBackups(ages: [1, 40, 41, 42]) { home in
      let words = "daily \(said.1), weekly \(said.2), monthly \(said.3)"
      let flag = try hrp(["backup", "rotate", "--keep-preset", "\(said.1)/\(said.2)/\(said.3)"], in: home).output
      #expect(flag.hasPrefix("Rotating backups (keeping \(words))...\n"), "\(flag)")
      try configure("retention: {keep_preset: \(said.1)/\(said.2)/\(said.3)}\n", in: home)
      #expect(try lines(hrp(["backup", "rotate", "--dry-run"], in: home).output).first == lines(flag).first)
      let plan = try hrp(
        ["backup", "rotate", "--keep-preset", "\(said.1)/\(said.2)/\(said.3)", "--dry-run", "--json"], in: home)
      let value = try #require(JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [String: Any], "\(plan)")
      let reasons = try #require(value["reasons"] as? [[String: Any]])
      for period in ["daily", "weekly", "monthly"] {
        #expect(reasons.contains { "\($0["why"] ?? "")".contains(period) }, "\(period): \(plan.output)")
      }
    }
  }
}
