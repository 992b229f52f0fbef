import Foundation
import TestKit
import Testing

/// What a shell is told at a press of the tab key.
///
/// `scripts/completions_test.py` presses it in real shells.
@Suite("Completion")
struct CompletionTests {
  /// What is offered at the end of a line of words.
  private func offered(
    _ words: [String], of command: [String], argument: String = "positional@0", in home: String, shell: String = "bash"
  ) throws -> [String] {
    let asked = ["---completion"] + command + ["--", argument, "\(words.count - 1)", "0"] + words
    let done = try hrp(asked, in: home, ["SAP_SHELL": shell])
    #expect(done.status == 0 && done.errors.isEmpty, "\(done)")
    return done.output.split(separator: "\n").map(String.init)
  }

  private func verify(_ words: String..., in home: String) throws -> [String] {
    try offered(["hrp", "backup", "verify"] + words, of: ["backup", "verify"], in: home)
  }

  private func makeBackups(_ names: [String], in folder: String) throws {
    for name in names {
      try run("/bin/mkdir", ["-p", "\(folder)/\(name)"])
      try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)/checksums.txt"))
    }
  }

  @Test("finished backups are offered, the newest first, and no name that a shell could take for a command")
  func backups() throws {
    try withGuideHome { home in
      let folder = home + "/hrp-data/backups"
      #expect(try verify("", in: home) == [], "there is no backup directory")
      let names = ["backup_20260124_020000", "backup_20260131_020000_2", "backup_20260131_020000", "backup_old"]
      try makeBackups(names + ["backup_$(id)", "backup_a b", "backup_;id", ".backup_20270101_000000"], in: folder)
      try run("/bin/mkdir", ["-p", folder + "/backup_20260207_020000"])
      let before = try run("/usr/bin/find", [".", "-ls"], in: home).output
      #expect(
        try verify("", in: home) == [
          "latest", "latest-valid", "backup_20260131_020000_2", "backup_20260131_020000", "backup_20260124_020000",
          "backup_old",
        ])
      #expect(try run("/usr/bin/find", [".", "-ls"], in: home).output == before, "something was written")
    }
  }

  @Test("a stack that was named on the line is the one that counts; what only the shell can tell offers nothing")
  func options() throws {
    try withGuideHome { home in
      try makeBackups(["backup_20260124_020000"], in: home + "/it's other/backups")
      let expected = ["latest", "latest-valid", "backup_20260124_020000"]
      for typed in ["\"\(home)/it's other\"", "\(home)/it\\'s\\ other", "~/it\"'\"s' other'"] {
        #expect(try verify("--data-dir", typed, "", in: home) == expected, "\(typed)")
        #expect(try verify("--data-dir=\(typed)", "", in: home) == expected, "\(typed)")
        #expect(try verify("--backup-dir", typed + "/backups", "", in: home) == expected, "\(typed)")
      }
      for typed in ["$HOME", "\"$(pwd)\"", "`pwd`", "/nowhere"] {
        #expect(try verify("--data-dir", typed, "", in: home) == [], "\(typed)")
      }
    }
  }

  @Test("places and jobs are those of the configuration, and one with a mistake offers nothing")
  func configuration() throws {
    try withGuideHome { home in
      try makeBackups(["backup_20260124_020000"], in: home + "/offsite")
      let marker = try hrp(["backup", "create"], in: home)
      #expect(marker.status == 0, "\(marker)")
      try configure("places:\n  offsite:\n    path: ~/offsite\njobs:\n  nightly:\n    every: day\n", in: home)
      #expect(try verify("o", in: home).suffix(2) == ["offsite:", "offsite:latest"])
      #expect(try verify("offsite:", in: home) == [], "it has no marker, so the disk may not be mounted")
      let copied = try hrp(["backup", "copy", "latest", "offsite", "--new-place"], in: home)
      #expect(copied.status == 0, "\(copied)")
      let there = try verify("offsite:", in: home)
      #expect(there.count == 4 && there.last == "offsite:backup_20260124_020000", "\(there)")
      let inZsh = try offered(
        ["hrp", "backup", "verify", "offsite:"], of: ["backup", "verify"], in: home, shell: "zsh")
      #expect(inZsh.first == "offsite\\:latest", "a colon begins a description there")
      let job = try offered(["hrp", "scheduler", "pause", ""], of: ["scheduler", "pause"], in: home)
      #expect(job == ["nightly"])
      let place = try offered(
        ["hrp", "backup", "list", "--at", ""], of: ["backup", "list"], argument: "--at", in: home)
      #expect(place == ["offsite"])
      try configure("placs: 1\n", in: home)
      #expect(try verify("", in: home) == [])
    }
  }
}
