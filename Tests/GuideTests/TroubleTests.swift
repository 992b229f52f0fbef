import Foundation
import TestKit
import Testing

/// "Troubleshooting", "Best Practices" and "Quick Reference".
@Suite("Guide: troubleshooting and quick reference")
struct GuideTroubleTests {
  /// The words of the guide's heading, and the command below it.
  private func trouble(_ words: String) throws -> (error: String, remedy: String) {
    let error = try #require(OperationsGuide.errors.first { $0.lowercased().contains(words) })
    let section = try #require(OperationsGuide.text.components(separatedBy: "#### \"\(error)\"").last)
    let block = section.firstMatch(of: #/```bash\n(?:#[^\n]*\n)?([^\n]*)\n/#).map { String($0.1) } ?? ""
    return (
      error,
      section.prefix(upTo: section.range(of: "####")?.lowerBound ?? section.endIndex).contains(block) ? block : ""
    )
  }

  @Test("no backup directory: the guide's words, and the guide's remedy with the true path", .guide(88))
  func noDirectory() throws {
    let (error, remedy) = try trouble("directory not found")
    try withGuideHome { home in
      let done = try hrp(["backup", "--list"], in: home)
      #expect(done.status == 10 && done.errors.contains(error), "\(done)")
      #expect(done.errors.contains(remedy.replacing("~", with: home)), "\(done)")
      try run("/bin/sh", ["-c", remedy], in: home, environment: ["HOME": home])
      #expect(try hrp(["backup", "--list"], in: home).output == "No backups found\n")
    }
  }

  @Test("no permission: the guide's words, and a remedy with the true path", .guide(89))
  func noPermission() throws {
    let (error, remedy) = try trouble("permission")
    try withGuideHome { home in
      // Root may do everything, so somebody else tries.
      let command = """
        mkdir -p hrp-data/backups && chmod 555 hrp-data/backups
        if [ "$(id -u)" = 0 ]; then
          chmod 755 . && chown -R 65534:65534 . && set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$1" backup --backup
        else set -- "$1" backup --backup; fi
        exec "$@"
        """
      // Where the program lies, only its owner may look.
      try run("/bin/sh", ["-c", "cp \"$1\" hrp", "sh", Checkout.hrp], in: home)
      let done = try run("/bin/sh", ["-c", command, "sh", home + "/hrp"], in: home, environment: ["HOME": home])
      // The words of the system below it are the same.
      #expect(done.status == 1 && done.errors.hasPrefix("hrp: " + error), "\(done)")
      let word = try #require(remedy.split(separator: " ").first)
      #expect(done.errors.contains(word) && done.errors.contains(home + "/hrp-data/backups"), "\(done)")
    }
  }

  @Test("a database in use: a restore says so in the guide's words, and names the process", .guide(90, 47))
  func locked() throws {
    let (error, _) = try trouble("locked")
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      let said = try Engine("2.0.1").run(
        """
        import subprocess
        c = duckdb.connect('hrp-data/hrp.duckdb')
        p = subprocess.run(['\(Checkout.hrp)', 'backup', '--restore', 'latest'], env={'HOME': '\(home)'}, capture_output=True, text=True)
        made = subprocess.run(['\(Checkout.hrp)', 'backup', '--backup'], env={'HOME': '\(home)'}, capture_output=True, text=True)
        print(p.returncode, made.returncode, f'in use by PID {os.getpid()} (python' in p.stderr, p.stderr)
        """, in: home)
      #expect(said.hasPrefix("11 0 True ") && said.lowercased().contains(error.lowercased()), "\(said)")
    }
  }

  @Test("a checksum mismatch: the guide's words, and another backup by its name", .guide(91))
  func mismatch() throws {
    let (error, _) = try trouble("mismatch")
    try withGuideHome { home in
      for _ in 0..<2 { #expect(try hrp(["backup", "--backup"], in: home).status == 0) }
      let names = try FileManager.default.contentsOfDirectory(atPath: home + "/hrp-data/backups")
        .filter { $0.hasPrefix("backup_") }.sorted()
      try run("/bin/sh", ["-c", "rm -f hrp.duckdb && echo x > hrp.duckdb"], in: home + "/hrp-data/backups/" + names[1])
      let done = try hrp(["backup", "--restore", "latest"], in: home)
      #expect(done.status == 1 && (done.output + done.errors).contains(error), "\(done)")
      #expect(done.errors.contains(names[0]), "\(done)")
    }
  }

  @Test("too little space: refused before anything is written, in the guide's words, with both numbers", .guide(92))
  func noSpace() throws {
    let (error, remedy) = try trouble("disk space")
    try withGuideHome { home in
      try Engine("2.0.1").run(
        "c = duckdb.connect('hrp-data/hrp.duckdb'); c.execute('CREATE TABLE big AS SELECT hash(range) h FROM range(1000000)'); c.close()",
        in: home)
      let command = """
        mkdir small && mount -t tmpfs -o size=2m tmpfs small && "$1" backup --backup --backup-dir small; s=$?; ls -A small
        exit $s
        """
      let done = try run(
        "/usr/bin/unshare", ["--mount", "--map-root-user", "/bin/sh", "-c", command, "sh", Checkout.hrp], in: home,
        environment: ["HOME": home])
      #expect(done.status == 14 && done.errors.contains(error), "\(done)")
      #expect(done.errors.matches(of: #/[\d.]+ MB/#).count >= 2, "\(done)")
      #expect(done.output.isEmpty, "\(done)")
      #expect(remedy.hasPrefix("df -h") && done.errors.contains("rotate"), "\(done)")
    }
  }

  @Test("every operation is in the guide's log, in lines with time, level and message", .guide(93))
  func log() throws {
    let path = try #require(OperationsGuide.names.first { $0.contains("backup.log") }?.split(separator: " ").last)
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      #expect(try hrp(["backup", "--verify", "latest"], in: home).status == 0)
      let text = try String(contentsOfFile: home + path.dropFirst(), encoding: .utf8)
      #expect(
        text.split(separator: "\n").allSatisfy { $0.contains(#/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| [A-Z]+ +\| ./#) })
      #expect(text.contains("backup create") && text.contains("backup verify"))
    }
  }

  @Test("the five commands of the quick reference, as they stand", .guide(100))
  func quickReference() throws {
    let commands = OperationsGuide.text.matches(of: #/\| `python -m hrp\.data\.backup ([^`]+)` \|/#).map {
      String($0.1)
    }
    #expect(commands.count == 5)
    try withGuideHome { home in
      for command in commands {
        let words = command.split(separator: " ").map { $0 == "/path/to/backup" ? "latest" : String($0) }
        let done = try hrp(["backup"] + words, in: home)
        #expect(done.status == 0 && !done.output.isEmpty, "\(command): \(done)")
      }
    }
  }

  @Test("a drill restores to a place of its own, and leaves the stack and the disk as they were", .guide(96))
  func drill() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      let stack = {
        try run(
          "/bin/sh", ["-c", "sha256sum hrp-data/hrp.duckdb; ls -A hrp-data hrp-data/scratch 2>/dev/null"], in: home
        ).output
      }
      let before = try stack()
      let done = try hrp(["backup", "drill"], in: home)
      #expect(done.status == 0 && done.output.contains("10 rows"), "\(done)")
      #expect(try stack().split(separator: "\n").first == before.split(separator: "\n").first)
      #expect(try run("/bin/sh", ["-c", "find hrp-data/scratch -type f 2>/dev/null"], in: home).output.isEmpty)
    }
  }

  @Test("a copy in a second place is a backup by itself, and restores without the first", .guide(99))
  func elsewhere() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      try run("/bin/mkdir", ["other"], in: home)
      #expect(try hrp(["backup", "copy", "latest", "./other", "--new-place"], in: home).status == 0)
      try run("/bin/sh", ["-c", "chmod -R u+w hrp-data && rm -r hrp-data"], in: home)
      #expect(try hrp(["backup", "restore", home + "/other:latest"], in: home).status == 0)
      #expect(try Engine("2.0.1").query("hrp-data/hrp.duckdb", "SELECT count(*) FROM t", in: home) == "10")
    }
  }

  @Test("the pages that the guide links to are there, and our page of it links to them", .guide(101))
  func pages() throws {
    let folder = Checkout.root.appendingPathComponent("docs/operations")
    let own = try String(contentsOf: folder.appendingPathComponent("backup-restore.md"), encoding: .utf8)
    let (links, ours) = (links(OperationsGuide.text), links(own))
    #expect(!links.isEmpty && ours.isSuperset(of: links))
    for link in ours {
      #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent(link).path), "\(link)")
    }
  }

  /// The pages beside a page that it links to.
  private func links(_ page: String) -> Set<String> {
    Set(page.matches(of: #/\]\(([\w-]+\.md)(#[\w-]+)?\)/#).map { String($0.1) })
  }

  @Test("a tilde is the home directory in options, in variables and in the configuration", .guide(102))
  func tilde() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup", "--backup-dir", "~/by-option"], in: home).status == 0)
      #expect(try hrp(["backup", "--backup"], in: home, ["HRP_BACKUP_DIR": "~/by-variable"]).status == 0)
      try configure("backup_dir: ~/by-file\n", in: home)
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      for name in ["by-option", "by-variable", "by-file"] {
        #expect(
          try FileManager.default.contentsOfDirectory(atPath: home + "/" + name).contains { $0.hasPrefix("backup_") })
      }
      #expect(!FileManager.default.fileExists(atPath: home + "/~"))
    }
  }
}
