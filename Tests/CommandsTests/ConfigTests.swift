import Foundation
import TestKit
import Testing

/// The configuration file, as its user meets it.
@Suite("Configuration")
struct ConfigTests {
  @Test("init writes a file of comments that changes nothing and is never replaced; only its owner reads it")
  func initialize() throws {
    try withGuideHome { home in
      let before = try hrp(["config", "show", "--json"], in: home).output
      #expect(try hrp(["config", "init"], in: home).status == 0)
      let path = home + "/hrp-data/config/hrp.yaml"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("#") })
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      let after = try hrp(["config", "show", "--json"], in: home).output
      #expect(after == before.replacing("\"exists\": false", with: "\"exists\": true"))
      let again = try hrp(["config", "init", "--json"], in: home)
      #expect(again.status == 1 && again.output.contains("configuration.exists"))
      #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
      // Every key that the file explains is one that hrp knows.
      try configure(text.replacing("\n#", with: "\n").replacing("\n ", with: "\n# "), in: home)
      let checked = try hrp(["config", "validate"], in: home)
      #expect(checked.status == 0, "\(checked)")
      #expect(try hrp(["config", "show"], in: home).output.contains("line "))
    }
  }

  @Test("every command obeys the file: backups go where it says, relative to the data directory")
  func obeyed() throws {
    try withGuideHome { home in
      try configure("backup_dir: ../safe\nundo_days: 0\nlog_level: error\n", in: home)
      let created = try hrp(["backup", "create"], in: home)
      #expect(created.status == 0 && created.output.contains("Path: \(home)/safe/backup_"), "\(created)")
      #expect(try hrp(["backup", "list"], in: home).output.contains("backup_"))
      #expect(!FileManager.default.fileExists(atPath: home + "/hrp-data/backups"))
      let log = try? String(contentsOfFile: home + "/hrp-data/logs/backup.log", encoding: .utf8)
      #expect(log?.contains("INFO") != true)
      let restored = try hrp(["backup", "restore", "latest"], in: home)
      #expect(restored.errors.contains("what was there is not kept (undo_days is 0)"), "\(restored)")
      let named = try hrp(["backup", "create", "--backup-dir", home + "/other"], in: home)
      #expect(named.output.contains("Path: \(home)/other/backup_"), "a flag wins")
      let variable = try hrp(["backup", "create"], in: home, ["HRP_BACKUP_DIR": home + "/third"])
      #expect(variable.output.contains("Path: \(home)/third/backup_"), "a variable wins")
    }
  }

  @Test("no_backup in the file switches backups off, and says where that stands")
  func switchedOff() throws {
    try withGuideHome { home in
      try configure("no_backup: true\n", in: home)
      let refused = try hrp(["backup", "create"], in: home)
      #expect(refused.status == 1 && refused.errors.contains("no_backup is true in the configuration file"))
      #expect(try hrp(["backup", "create"], in: home, ["HRP_NO_BACKUP": "0"]).status == 0)
    }
  }

  @Test("a file with a mistake stops every command with the line; validate lists all; doctor goes on with a row")
  func mistakes() throws {
    try withGuideHome { home in
      try configure("backup_dir: safe\nundo_days: many\nsurprise: 1\n", in: home)
      for command in [
        ["backup", "create"], ["backup", "list"], ["backup", "rotate"], ["validate"], ["config", "show"],
      ] {
        let done = try hrp(command + ["--json"], in: home)
        #expect(done.status == 1 && done.output.contains("configuration.invalid"), "\(command) \(done)")
        #expect(done.output.contains("hrp.yaml, line 2: undo_days is 'many'") && done.output.contains("(and 1 more)"))
      }
      #expect(!FileManager.default.fileExists(atPath: home + "/hrp-data/backups"), "nothing was guessed")
      let checked = try hrp(["config", "validate"], in: home)
      #expect(checked.status == 1)
      #expect(checked.output.contains("✗ line 2: undo_days is 'many'") && checked.output.contains("✗ line 3: "))
      let doctor = try hrp(["doctor"], in: home)
      #expect(doctor.status == 1 && doctor.output.contains("✗ configuration"), "\(doctor)")
      #expect(doctor.output.contains("database"))
    }
  }

  @Test("a file that cannot be read stops every command: what it says cannot be told", .enabled(if: geteuid() != 0))
  func unreadable() throws {
    try withGuideHome { home in
      try configure("backup_dir: safe\n", in: home)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0], ofItemAtPath: home + "/hrp-data/config/hrp.yaml")
      let done = try hrp(["backup", "create", "--json"], in: home)
      #expect(done.status == 1 && done.output.contains("configuration.unreadable"), "\(done)")
    }
  }

  @Test(
    "a symlink to nothing is no missing file; a mark at the beginning, and a symlinked data directory, are no matter")
  func odd() throws {
    try withGuideHome { home in
      try configure("\u{FEFF}undo_days: 3\nlog_level: debug\n", in: home)
      #expect(try hrp(["config", "validate"], in: home).status == 0)
      let file = home + "/hrp-data/config/hrp.yaml"
      try FileManager.default.removeItem(atPath: file)
      try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/nowhere/hrp.yaml")
      let done = try hrp(["backup", "create", "--json"], in: home)
      #expect(done.status == 1 && done.output.contains("symlink to nothing"), "\(done)")
      try FileManager.default.removeItem(atPath: file)
      try configure("database: other.duckdb\n", in: home)
      try FileManager.default.createSymbolicLink(atPath: home + "/lab", withDestinationPath: home + "/hrp-data")
      let shown = try hrp(
        ["config", "show", "--data-dir", home + "/lab"], in: home, ["HRP_DB_PATH": home + "/hrp-data/hrp.duckdb"])
      #expect(shown.output.contains("\(home)/hrp-data/hrp.duckdb") && shown.output.contains("HRP_DB_PATH"), "\(shown)")
    }
  }

  @Test("an address in the file is shown without its password")
  func secrets() throws {
    try withGuideHome { home in
      try configure("mlflow_tracking_uri: http://me:hush@host/?token=quiet&x=1\n", in: home)
      let shown = try hrp(["config", "show"], in: home)
      #expect(
        !shown.output.contains("hush") && !shown.output.contains("quiet")
          && shown.output.contains("http://***@host/?token=***&x=1"), "\(shown)")
    }
  }
}
