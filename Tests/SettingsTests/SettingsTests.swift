import Calendars
import Retention
import Settings
import TestKit
import Testing

/// What the configuration file may say, and what comes of it beside the environment.
@Suite("Settings")
struct SettingsTests {
  private func read(_ text: String, _ environment: [String: String] = [:]) -> (Settings, [SettingsProblem]) {
    let (settings, problems) = Settings.read(text) { environment[$0] }
    return (settings, problems)
  }

  @Test(
    "a variable wins over the file, and the file over the default; each value knows where it comes from", .guide(103))
  func order() {
    let file = "undo_days: 3\nlog_level: error\n"
    #expect(read("").0.undoDays == Setting(7, from: .standard))
    #expect(read(file).0.undoDays == Setting(3, from: .file(line: 1)))
    #expect(read(file).0.logLevel == Setting(.error, from: .file(line: 2)))
    #expect(read(file, ["HRP_UNDO_DAYS": "9"]).0.undoDays == Setting(9, from: .environment("HRP_UNDO_DAYS")))
    #expect(read("no_backup: true", ["HRP_NO_BACKUP": "0"]).0.isSwitchedOff.value == false)
    #expect(read("no_backup: yes").0.reasonToMakeNone == "no_backup is true in the configuration file")
  }

  @Test("a path, a word and a comment are read as they stand; an empty value is no value")
  func words() {
    let (settings, problems) = read(
      """
      # a comment
      backup_dir: ~/safe place   # behind a value
      database: "prices: all.duckdb"
      mlflow_tracking_uri:
      """)
    #expect(problems.isEmpty)
    #expect(settings.backupDirectory?.value == "~/safe place" && settings.backupDirectory?.line == 2)
    #expect(settings.database?.value == "prices: all.duckdb")
    #expect(settings.trackingURI == nil)
  }

  @Test(
    "every mistake is told with its line and what is allowed",
    arguments: [
      ("undo_days: many", 1, "undo_days is 'many'; it must be a number of days from 0 to 36500"),
      ("\nundo_days: -1", 2, "undo_days is '-1'; it must be a number of days from 0 to 36500"),
      ("log_level: loud", 1, "log_level is 'loud'; it must be one of debug, info, warning, error, critical"),
      ("no_backup: maybe", 1, "no_backup is 'maybe'; it must be true or false"),
      ("backup_dir: [a, b]", 1, "backup_dir is a list; it must be a directory"),
      ("database:\n  path: x", 2, "database is a group of keys; it must be the path of a DuckDB file"),
      ("undo_days: 1\nundo_days: 2", 1, "undo_days stands twice in one group of keys"),
      ("- a\n- b", 1, "the file must be a group of keys, such as \"key: value\""),
      ("just text", 1, "the file must be a group of keys, such as \"key: value\""),
      (
        "timezone: PST", 1,
        "timezone is 'PST'; it must be a name of the tz database, such as America/New_York or Europe/Berlin"
      ),
      ("retention:\n  keep_daily: 0", 2, "retention.keep_daily is '0'; it must be a number from 1 to 100000"),
      ("retention:\n  keep_within: 3x", 2, "retention.keep_within is '3x'; it must be an age such as 2m or 1y5m7d2h"),
      (
        "retention:\n  keep_preset: 7/4/12\n  keep_last: 2", 2,
        "retention.keep_preset stands for other rules: no other rule may stand beside it"
      ),
      ("retention:\n  trash_days: -1", 2, "retention.trash_days is '-1'; it must be a number of days from 0 to 3650"),
      (
        "jobs:\n  a:\n    every: hour\n    time: 02:00", 4,
        "there is no key jobs.a.time; what is allowed: copy, drill, enabled, every, minute, mlflow, retry_seconds, rotate, timeout_minutes"
      ),
      ("jobs:\n  a:\n    every: never", 3, "jobs.a.every is 'never'; it must be hour, day, week or month"),
      (
        "jobs:\n  A B:\n    every: day", 2,
        "the name of a job has small letters, digits, _ and -, at most 64, and 'A B' has not"
      ),
      ("retention: 30", 1, "retention must be a group of keys, such as \"key: value\""),
      ("? [a]\n: b", 1, "a key must be one word"),
    ])
  func mistakes(text: String, line: Int, message: String) {
    #expect(read(text).1.contains(SettingsProblem(line: line, message: message)), "\(read(text).1)")
  }

  @Test("the rules of what stays are read with their zone; without a rule thirty days hold")
  func retention() {
    #expect(read("").0.rotation.policy.words == "days 30")
    let (settings, problems) = read(
      "timezone: Europe/Berlin\nretention: {keep_daily: 7, keep_within: 2m, trash_days: 0}")
    #expect(problems.isEmpty && settings.rotation.policy.words == "daily 7, within 2m")
    #expect(settings.rotation.zone.name == "Europe/Berlin" && settings.rotation.trashDays == 0)
    #expect(read("retention: {keep_preset: 7/4/12}").0.rotation.policy.words == "daily 7, weekly 4, monthly 12")
  }

  @Test("jobs are read with their defaults; one without a body is a job too; the guide's holds when none is named")
  func jobs() {
    let guide = read("").0.schedule.jobs
    #expect(guide.map(\.id) == ["weekly_backup"] && guide.first?.title == "Weekly Backup")
    let (settings, problems) = read(
      "jobs:\n  a:\n  b: {every: month, day: 31, drill: never, mlflow: no}\n  c: {enabled: false}")
    #expect(problems.isEmpty && settings.schedule.jobs.map(\.id) == ["a", "b"])
    #expect(
      settings.schedule.jobs.map(\.schedule.rule.triggerText).first == "cron[day_of_week='sat', hour='2', minute='0']")
    #expect(settings.schedule.jobs.last?.includesMLflow == false && settings.schedule.jobs.last?.drill == .never)
  }

  @Test("all mistakes of a file are told at once, in the order of the lines, unknown keys too")
  func allMistakes() {
    let (_, problems) = read("undo_days: x\nsurprise: 1\nlog_level: x\nbackup-dir: y\n")
    #expect(problems.map(\.line) == [1, 2, 3, 4])
    #expect(problems[1].message.hasPrefix("there is no key surprise; what is allowed: backup_dir, database, "))
  }

  @Test("a variable that cannot be read is a warning, and the value that loses nothing takes its place")
  func variables() {
    let (settings, problems) = read("undo_days: 3", ["HRP_UNDO_DAYS": "x", "LOG_LEVEL": "loud"])
    #expect(problems.isEmpty && settings.warnings.count == 2)
    #expect(settings.undoDays.value == 36_500 && settings.logLevel.value == .info)
  }

  @Test("bytes of any kind are settings or mistakes, never a crash; deep nesting ends early")
  func anything() {
    var generator = SystemRandomNumberGenerator()
    let words = Array(
      "undo_days,:, ,\n,- ,[,],{,},&a,*a,\",',|,x,\t,? ,#,é,\u{0}".split(separator: ",").map(String.init))
    for _ in 0..<3000 {
      let text = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in words.randomElement(using: &generator) ?? ""
      }
      _ = read(text.joined())
    }
    let laughs = (1...9).map { "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 9).joined(separator: ","))]" }
    #expect(read("a0: &a0 x\n" + laughs.joined(separator: "\n")).1.first?.message == "there is too much in this file")
    #expect(!read(String(repeating: "[", count: 100)).1.isEmpty)
    #expect(!read("a: " + String(repeating: "[", count: 20) + String(repeating: "]", count: 20)).1.isEmpty)
    #expect(!read(String(repeating: "{a: ", count: 20) + String(repeating: "}", count: 20)).1.isEmpty)
  }
}
