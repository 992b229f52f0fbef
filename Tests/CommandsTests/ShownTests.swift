import Commands
import Foundation
import TestKit
import Testing

/// What reaches a user: commands that mean the right stack, columns on a terminal, texts of strangers made harmless.
@Suite("What is shown")
struct ShownTests {
  // MARK: - Commands in texts

  private static let commands = PrintedCommands.commands(below: Program.self)

  @Test("options go into every command that takes them and has none, and into nothing else")
  func completed() {
    let place = PrintedCommands(options: [("--data-dir", "'/a b'")], target: nil, commands: Self.commands)
    let cases = [
      "See hrp backup list.": "See hrp backup list --data-dir '/a b'.",
      "hrp backup verify NAME, or hrp backup create":
        "hrp backup verify --data-dir '/a b' NAME, or hrp backup create --data-dir '/a b'",
      "hrp doctor says more": "hrp doctor --data-dir '/a b' says more",
      "hrp backup list --data-dir /other; hrp validate":
        "hrp backup list --data-dir /other; hrp validate --data-dir '/a b'",
      "hrp duckdb inspect FILE": "hrp duckdb inspect FILE", "any hrp command": "any hrp command",
      "hrp backup listing": "hrp backup listing", "myhrp backup list": "myhrp backup list",
      "hrp backup undo --drop": "hrp backup undo --data-dir '/a b' --drop",
    ]
    for (text, expected) in cases { #expect(place.completed(text) == expected) }
    let target = PrintedCommands(options: [], target: "/new", commands: Self.commands)
    #expect(
      target.completed("hrp backup undo or hrp backup list") == "hrp backup undo --target-dir /new or hrp backup list")
    #expect(
      PrintedCommands(options: [], target: nil, commands: Self.commands).completed("hrp backup list")
        == "hrp backup list")
  }

  @Test("a command that is printed means the stack of the command that printed it, from any folder")
  func stacks() throws {
    try withGuideHome { home in
      try FileManager.default.moveItem(atPath: home + "/hrp-data", toPath: home + "/my lab's")
      let place = ["--data-dir", "my lab's"]
      let options = " --data-dir '\(home)/my lab'\\''s'"
      #expect(try hrp(["backup", "create"] + place, in: home).status == 0)
      let unknown = try hrp(["backup", "verify", "backup_19990101_000000"] + place, in: home)
      #expect(unknown.errors.contains("hrp backup list\(options) --backup-dir"), "\(unknown.errors)")
      let json = try hrp(["backup", "verify", "backup_19990101_000000", "--json"] + place, in: home).output
      #expect(json.contains("hrp backup list\(options.replacingOccurrences(of: "\\", with: "\\\\"))"), "\(json)")
      let doctor = try hrp(["doctor"] + place, in: home).output
      #expect(doctor.contains("hrp backup drill\(options)"), "\(doctor)")
      let restored = try hrp(["backup", "restore", "1"] + place, in: home)
      #expect(restored.errors.contains("hrp backup undo\(options) brings it back"), "\(restored.errors)")
      // The command works as it was printed, typed elsewhere.
      let typed = try run(
        "/bin/sh", ["-c", "cd / && '\(Checkout.hrp)' backup undo\(options)"], environment: ["HOME": home])
      #expect(typed.status == 0, "\(typed)")
      // With the environment the bare command finds the same stack.
      let bare = try hrp(
        ["backup", "verify", "backup_19990101_000000"], in: home, ["HRP_DATA_DIR": home + "/my lab's"])
      #expect(bare.errors.contains("hrp backup list --backup-dir"), "\(bare.errors)")
      let other = try hrp(["backup", "restore", "1", "--target-dir", "new"] + place, in: home)
      #expect(other.status == 0)
      let again = try hrp(["backup", "restore", "1", "--target-dir", "new"] + place, in: home)
      #expect(again.errors.contains("hrp backup undo --target-dir \(home)/new --data-dir"), "\(again.errors)")
    }
  }

  @Test("the operations guide's lines stay as they are")
  func literal() throws {
    try withTemporaryFolder { home in
      let missing = try hrp(["backup", "list"], in: home)
      #expect(missing.errors.contains("Backup directory not found: \(home)/hrp-data/backups"))
      #expect(missing.errors.contains("mkdir -p \(home)/hrp-data/backups"))
    }
  }

  // MARK: - Lists

  @Test("on a terminal the list has columns with age, size, proof and pin; in a pipe and with --list the guide's lines")
  func list() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      #expect(try hrp(["backup", "drill"], in: home).status == 0)
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      #expect(try hrp(["backup", "pin", "2", "--reason", "before the new universe"], in: home).status == 0)
      let displayPath = try runOnTerminal(
        Checkout.hrp, ["backup", "list"], columns: 120, in: home, environment: ["HOME": home])
      #expect(displayPath.screen[0] == "Backups in \(home)/hrp-data/backups, newest first:")
      #expect(
        displayPath.screen[1].wholeMatch(of: #/\#  Name +Age +Size +Proof +Notes/#) != nil, "\(displayPath.screen)")
      #expect(
        displayPath.screen[2].wholeMatch(of: #/1  backup_\d{8}_\d{6}\w* +\d+ s +[\d.]+ [KM]B +none/#) != nil,
        "\(displayPath.screen)")
      let pinned =
        #/2  backup_\d{8}_\d{6} +\d+ s +[\d.]+ [KM]B +drill passed \d{4}-\d\d-\d\d +pinned: before the new universe/#
      #expect(displayPath.screen[3].wholeMatch(of: pinned) != nil, "\(displayPath.screen)")

      let narrow = try runOnTerminal(
        Checkout.hrp, ["backup", "list"], columns: 50, in: home, environment: ["HOME": home])
      #expect(
        (narrow.screen.last ?? "").hasSuffix("…") && narrow.screen.suffix(3).allSatisfy { $0.count <= 50 },
        "\(narrow.screen)")

      let piped = try hrp(["backup", "list"], in: home).output
      #expect(piped.hasPrefix("Available backups:\n  1. backup_"))
      let guide = try runOnTerminal(
        Checkout.hrp, ["backup", "--list"], columns: 200, in: home, environment: ["HOME": home])
      #expect(guide.screen.joined(separator: "\n") + "\n" == piped)
    }
  }

  @Test("show says what is known of one backup: contents, proof, pin, and why it is kept")
  func show() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      #expect(try hrp(["backup", "drill"], in: home).status == 0)
      #expect(try hrp(["backup", "pin", "1", "--reason", "the paper"], in: home).status == 0)
      let text = try hrp(["backup", "show", "latest"], in: home).output
      for words in [
        "(number 1 of the list)", "hrp.duckdb: ", "mlruns/: ", "drill passed on ", "1 table, 10 rows", ": the paper",
        "it is pinned: the paper", "younger than 30 days", "one of the newest two", "complete; read back",
      ] { #expect(text.contains(words), "\(words): \(text)") }
      let output = try hrp(["backup", "show", "1", "--json"], in: home).output
      let json = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
      #expect((json["proof"] as? [String: Any])?["ok"] as? Bool == true)
      #expect((json["pin"] as? [String: Any])?["reason"] as? String == "the paper")
      #expect((json["kept_because"] as? [String])?.count == 3)
      #expect(
        (json["contents"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["hrp.duckdb", "mlruns/"])
      #expect(json["size_bytes"] is Int && json["number"] as? Int == 1)

      // A proof and a pin that cannot be read are said to be so, and are no reason to trust.
      let broken = "for f in .hrp-proofs .hrp-pins; do for n in $f/*; do rm $n; mkdir $n; done; done"
      try run("/bin/sh", ["-c", broken], in: home + "/hrp-data/backups")
      let after = try hrp(["backup", "show", "1"], in: home).output
      #expect(after.contains("Proof:     cannot be read") && after.contains("its pin cannot be read"), "\(after)")
      let unreadable = try hrp(["backup", "show", "1", "--json"], in: home).output
      #expect(unreadable.contains("\"proof\": null") && unreadable.contains("\"proof_error\": "), "\(unreadable)")
      #expect(try hrp(["backup", "show", "backup_19990101_000000"], in: home).status == 10)
    }
  }

  // MARK: - Strangers' texts

  @Test("no control character of a stranger reaches the terminal, the log or JSON")
  func controls() throws {
    try withGuideHome { home in
      let evil = "x\u{1B}[31m\u{9B}2J\u{202E}y\rz"
      try run("/bin/mkdir", ["-p", home + "/hrp-data/mlflow/" + evil])
      try "a".write(toFile: home + "/hrp-data/mlflow/" + evil + "/f", atomically: true, encoding: .utf8)
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      #expect(try hrp(["backup", "pin", "1", "--reason", "why\(evil)"], in: home).status == 0)
      let path =
        home + "/hrp-data/backups/"
        + (try #require(
          try FileManager.default.contentsOfDirectory(atPath: home + "/hrp-data/backups").first {
            $0.hasPrefix("backup_")
          }))
      // A stranger's metadata: unsealed, as the Python tool's.
      let metadata = [
        "source_dir": "/\(evil)", "hrp_version": "1\(evil)", "host": evil, "timestamp": "2026-01-24T02:00:00",
      ]
      try run("/bin/rm", ["-f", path + "/metadata.json", path + "/manifest.jsonl"])
      try JSONSerialization.data(withJSONObject: metadata).write(to: URL(fileURLWithPath: path + "/metadata.json"))
      let commands: [[String]] = [
        ["backup", "list"], ["backup", "show", "1"], ["backup", "find", "f"], ["backup", "verify", "1"],
        ["backup", "verify", evil], ["backup", "create", "--" + evil], [evil],
        ["backup", "list", "--backup-dir", evil],
        ["doctor"], ["backup", "show", "1", "--json"], ["backup", "verify", evil, "--json"],
        ["duckdb", "inspect", evil], ["validate", "--symbol", evil],
      ]
      for arguments in commands {
        let done = try hrp(arguments, in: home)
        let displayPath = try runOnTerminal(
          Checkout.hrp, arguments, columns: 300, in: home, environment: ["HOME": home])
        for text in [done.output, done.errors] + displayPath.screen {
          for scalar in text.unicodeScalars where scalar != "\n" {
            let isHarmless = scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) && scalar.value != 0x202E
            #expect(isHarmless, "\(arguments) writes U+\(String(scalar.value, radix: 16))")
          }
        }
      }
      let log = try String(contentsOfFile: home + "/hrp-data/logs/backup.log", encoding: .utf8)
      #expect(!log.contains("\u{1B}") && !log.contains("\u{202E}") && !log.contains("\r"))
    }
  }

  // MARK: - Environment

  @Test("HRP_NO_BACKUP switches backups off, loudly; 0, false, no and off do not")
  func noBackup() throws {
    try withGuideHome { home in
      for value in ["1", "true", "yes"] {
        for arguments in [["backup", "create"], ["backup", "--backup"], ["backup", "create", "--dry-run"]] {
          let refused = try hrp(arguments + ["--json"], in: home, ["HRP_NO_BACKUP": value])
          #expect(refused.status == 1 && refused.output.contains("backup.switched-off"), "\(refused)")
        }
      }
      #expect(!FileManager.default.fileExists(atPath: home + "/hrp-data/backups"))
      for value in ["", "0", "false", "NO", "off"] {
        #expect(try hrp(["backup", "create"], in: home, ["HRP_NO_BACKUP": value]).status == 0)
      }
    }
  }

  @Test("LOG_LEVEL decides what is written to the log; a level that does not exist is said to be none")
  func logLevel() throws {
    try withGuideHome { home in
      let log = { (try? String(contentsOfFile: home + "/hrp-data/logs/backup.log", encoding: .utf8)) ?? "" }
      #expect(try hrp(["backup", "create"], in: home, ["LOG_LEVEL": "error"]).status == 0)
      #expect(log().isEmpty)
      #expect(try hrp(["backup", "create"], in: home, ["LOG_LEVEL": "WARNING"]).status == 0)
      #expect(log().isEmpty)
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      #expect(log().contains("| INFO     | backup create began") && !log().contains("| DEBUG"))
      #expect(try hrp(["backup", "create"], in: home, ["LOG_LEVEL": "Debug"]).status == 0)
      #expect(log().contains("| DEBUG    | copying the database"))
      let unknown = try hrp(["backup", "create"], in: home, ["LOG_LEVEL": "loud"])
      #expect(unknown.status == 0 && unknown.errors.contains("LOG_LEVEL is 'loud'"), "\(unknown.errors)")
    }
  }

  @Test("HRP_UNDO_DAYS is obeyed from 0 to 36500, and any other value removes nothing and is said")
  func undoDays() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      for (value, isKept) in [
        ("0", false), ("1", true), ("36500", true), ("100000", true), ("30d", true), ("-1", true),
      ] {
        let restored = try hrp(["backup", "restore", "latest"], in: home, ["HRP_UNDO_DAYS": value])
        #expect(restored.status == 0)
        let isWrong = ["100000", "30d", "-1"].contains(value)
        #expect(restored.errors.contains("HRP_UNDO_DAYS is '\(value)'") == isWrong, "\(value): \(restored.errors)")
        let kept = try hrp(["backup", "undo", "--kept"], in: home).output
        #expect(kept.contains("Nothing is kept") == !isKept, "\(value): \(kept)")
      }
    }
  }
}
