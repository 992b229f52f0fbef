import Foundation
import TestKit
import Testing

/// The words of a command line: what is not obeyed is refused.
@Suite("Words of the command line")
struct WordsTests {
  @Test("a flag that the action does not take is refused with exit 2, and nothing is done")
  func refused() throws {
    let cases: [[String]] = [
      ["--backup", "--target-dir", "x"], ["--backup", "--keep-days", "7"], ["--list", "--no-mlflow"],
      ["--verify", "latest", "--target-dir", "x"], ["--restore", "latest", "--keep-days", "7"],
      ["--rotate", "--no-mlflow"], ["--backup", "--frobnicate"], ["--backup", "--list"], ["--target-dir", "x"],
      ["create", "--list"], ["create", "--backup"], ["list", "--rotate"], ["list", "--no-mlflow"],
      ["verify", "latest", "--target-dir", "x"], ["rotate", "--restore", "latest"], ["--list", "create"],
      ["--restore", "latest", "--target-dir", ""], [],
    ]
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      let listing = { try run("/bin/sh", ["-c", "find . | sort"], in: home).output }
      let before = try listing()
      for arguments in cases {
        let json = try hrp(["backup"] + arguments + ["--json"], in: home)
        #expect(json.status == 2 && json.output.contains("\"code\": \"usage\""), "\(arguments): \(json)")
        if arguments.isEmpty { continue }
        let plain = try hrp(["backup"] + arguments, in: home)
        #expect(plain.status == 2 && plain.output.isEmpty && !plain.errors.isEmpty, "\(arguments): \(plain)")
      }
      #expect(try listing() == before)
    }
  }

  @Test("what the guide's flags take is obeyed, and the options of every command may stand before its name")
  func obeyed() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup", "--no-mlflow", "--data-dir", "hrp-data"], in: home).status == 0)
      let listed = try hrp(["backup", "--data-dir", "hrp-data", "--list"], in: home)
      #expect(listed.output.hasPrefix("Available backups:\n  1. backup_"))
      #expect(try hrp(["backup", "--data-dir", "hrp-data", "list"], in: home).output == listed.output)
      #expect(try hrp(["backup", "-q", "--restore", "1", "--target-dir", "new"], in: home).status == 0)
      #expect(FileManager.default.fileExists(atPath: home + "/new/hrp.duckdb"))
      #expect(!FileManager.default.fileExists(atPath: home + "/new/mlflow"))
      #expect(try hrp(["backup", "--rotate", "--keep-days", "0"], in: home).status == 2)
      for arguments in [["backup"], ["backup", "--data-dir", "hrp-data"], ["backup", "-q"]] {
        let help = try hrp(arguments, in: home)
        #expect(help.status == 0 && help.output.contains("USAGE: hrp backup"), "\(arguments): \(help)")
      }
    }
  }

  @Test("a word that is no command here is looked for one level up, one level down and among its likes")
  func suggestions() throws {
    try withTemporaryFolder { home in
      let cases: [([String], String)] = [
        (["list"], "hrp backup list"), (["restore", "latest"], "hrp backup restore"), (["creat"], "hrp backup create"),
        (["bakcup", "list"], "hrp backup"), (["backup", "doctor"], "hrp doctor"),
        (["backup", "lst"], "hrp backup list"),
        (["inspect", "x"], "hrp duckdb inspect"), (["duckdb", "copi", "a", "b"], "hrp duckdb copy"),
        (["backup", "recover"], "hrp recover"),
      ]
      for (arguments, suggestion) in cases {
        let plain = try hrp(arguments, in: home)
        #expect(plain.status == 2 && plain.errors.contains("Did you mean: \(suggestion)?"), "\(arguments): \(plain)")
        #expect(try hrp(arguments + ["--json"], in: home).output.contains("Did you mean: \(suggestion)?"))
      }
      let unknown = try hrp(["frobnicate"], in: home)
      #expect(unknown.status == 2 && !unknown.errors.contains("Did you mean"))
      #expect(try hrp(["backup", "verify", "list"], in: home).status == 10)
    }
  }

  @Test("a date that is still to come is an error of the words, not a finding")
  func future() throws {
    try withGuideHome { home in
      let cases: [([String], String)] = [
        (["--start", "2999-01-01", "--end", "2999-01-02"], "start date cannot be in the future: 2999-01-01 > "),
        (["--end", "2999-01-01"], "end date cannot be in the future: 2999-01-01 > "),
        (["--start", "2024-02-01", "--end", "2024-01-01"], "start date must be <= end date: 2024-02-01 > 2024-01-01"),
      ]
      for (arguments, words) in cases {
        let plain = try hrp(["validate"] + arguments, in: home)
        #expect(plain.status == 2 && plain.errors.contains(words) && plain.output.isEmpty, "\(plain)")
        #expect(try hrp(["validate"] + arguments + ["--json"], in: home).output.contains("prices.invalid"))
      }
    }
  }

  @Test("a dry run exits as the real run would")
  func dryRuns() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      // The database in use.
      let held = try run(
        Checkout.python,
        [
          "-c",
          """
          import fcntl, struct, subprocess, sys
          f = open('hrp-data/hrp.duckdb', 'r+b')
          fcntl.fcntl(f, fcntl.F_SETLK, struct.pack('hhqqi', fcntl.F_WRLCK, 0, 0, 0, 0))
          run = lambda *a: subprocess.run(['\(Checkout.hrp)', 'backup', 'restore', 'latest', *a], capture_output=True).returncode
          print(run('--dry-run'), run())
          """,
        ], in: home, environment: ["HOME": home])
      #expect(held.output == "11 11\n", "\(held)")
      // Another hrp at work.
      let busy = try run(
        Checkout.python,
        [
          "-c",
          """
          import fcntl, subprocess
          run = lambda *a: subprocess.run(['\(Checkout.hrp)', 'backup', *a], capture_output=True).returncode
          for place in 'hrp-data/.hrp-stack.lock', 'hrp-data/backups/.hrp-backups.lock':
            with open(place, 'a') as f:
              fcntl.flock(f, fcntl.LOCK_EX)
              if 'stack' in place:
                print(run('create', '--dry-run'), run('create'))
                print(run('restore', 'latest', '--dry-run'), run('restore', 'latest'))
              else:
                print(run('rotate', '--dry-run'))
          print(run('create', '--dry-run'), run('restore', 'latest', '--dry-run'), run('rotate', '--dry-run'))
          """,
        ], in: home, environment: ["HOME": home])
      #expect(busy.output == "11 11\n11 11\n11\n0 0 0\n", "\(busy)")
      // Files that cannot be read, and places that cannot be written to or are not there.
      try run(
        "/bin/sh", ["-c", "chmod 000 hrp-data/mlflow/mlruns/0/meta.yaml; mkdir shut; chmod 555 shut"], in: home)
      let prefix = Home.unprivileged ?? []
      let create = prefix + [Checkout.hrp, "backup", "create"]
      let cases: [(place: [String], status: Int32)] = [
        ([], 3), (["--backup-dir", "shut"], 1), (["--data-dir", "nowhere"], 10),
      ]
      for (place, status) in cases where Home.unprivileged != nil {
        for words in [create + ["--dry-run"] + place, create + place] {
          let done = try run(words[0], Array(words.dropFirst()), in: home, environment: ["HOME": home])
          #expect(done.status == status, "\(words): \(done)")
        }
      }
      let restore =
        prefix + [Checkout.hrp, "backup", "restore", "latest", "--only", "duckdb", "--target-dir", "shut/new"]
      for words in [restore + ["--dry-run"], restore] where Home.unprivileged != nil {
        #expect(try run(words[0], Array(words.dropFirst()), in: home, environment: ["HOME": home]).status == 1)
      }
    }
  }
}
