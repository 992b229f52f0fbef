import Foundation
import TestKit
import Testing

/// Full, read-only, vanishing and contested places; runs that are killed; rotation.
@Suite("Adversity: targets")
struct AdversityTargetTests {
  // MARK: - Full disks

  @Test(
    "unchanged MLflow files need no space a second time", .enabled(if: Mount.canMount, "needs to mount a tmpfs"))
  func linkedSpace() throws {
    try withHome { home in
      try home.shell(
        "head -c 12000000 /dev/urandom > hrp-data/mlflow/model && touch -d '2026-01-01' hrp-data/mlflow/model")
      // Two seconds after a change a file system's clock may still show the same time.
      Thread.sleep(forTimeInterval: 2.1)
      try Mount.withMemory("size=30m", on: home.folder) { small in
        for _ in 0..<3 {
          let path = try home.create("--backup-dir", small)
          #expect(try home.verifies(path))
        }
      }
    }
  }

  @Test("a backup that cannot fit is refused before it begins", .enabled(if: Mount.canMount, "needs to mount a tmpfs"))
  func fullBefore() throws {
    try withHome { home in
      try Mount.withMemory("size=30m", on: home.folder) { small in
        let earlier = try home.create("--backup-dir", small)
        try home.shell("dd if=/dev/zero of=small/filler bs=1M count=25 status=none")
        try home.fails(14, "disk.full", "backup", "create", "--backup-dir", small, sparing: [earlier])
        #expect(try home.list(home.hrp("backup", "list", "--backup-dir", small, "--json")) == [earlier])
        #expect(try Self.halfMade(in: small) == [])
      }
    }
  }

  @Test(
    "a restore that cannot fit beside what an undo keeps is refused, and says what would help; one part may still fit",
    .enabled(if: Mount.canMount, "needs to mount a tmpfs"))
  func fullByUndo() throws {
    try withHome { home in
      let backup = try home.create()
      try Mount.withMemory("size=30m", on: home.folder) { small in
        let target = small + "/data"
        let words = ["backup", "restore", backup, "--target-dir", target]
        for _ in 0..<2 { #expect(try home.hrp(words).status == 0) }
        try home.shell(
          "! dd if=/dev/zero of=small/filler bs=64k status=none 2>/dev/null; truncate -s -4500K small/filler")
        let refused = try home.hrp(words)
        #expect(refused.status == 14 && refused.errors.contains("--drop frees it"), "\(refused)")
        #expect(try home.hrp(words + ["--only", "mlflow"]).status == 0)
        #expect(try home.hrp(["backup", "undo", "--drop", "--target-dir", target]).status == 0)
        try home.shell("rm small/filler")
        #expect(try home.hrp(words).status == 0)
      }
    }
  }

  @Test(
    "a disk that fills up in the middle of a backup ends it, and leaves nothing of it",
    .enabled(if: Mount.canMount, "needs to mount a tmpfs"))
  func fullDuring() throws {
    try withHome { home in
      try Mount.withMemory("size=30m", on: home.folder) { small in
        let earlier = try home.create("--backup-dir", small)
        try home.shell("head -c 3000000 /dev/urandom > hrp-data/mlflow/model.pkl")
        let before = try home.state()
        let finished = try Self.paused(home, ["--backup-dir", small], in: small, at: "hrp.duckdb") { _ in
          // The file system is full when dd fails, which it must.
          try home.shell("! dd if=/dev/zero of=small/filler bs=64k status=none 2>/dev/null")
        }
        #expect(finished.status == 14 && finished.code == "disk.full")
        #expect(try home.state() == before && home.verifies(earlier))
        #expect(try home.list(home.hrp("backup", "list", "--backup-dir", small, "--json")) == [earlier])
        #expect(try Self.halfMade(in: small) == [])
        try home.shell("rm small/filler")
        #expect(try home.verifies(home.create("--backup-dir", small)))
      }
    }
  }

  @Test(
    "a file system without room for more files ends a backup and a restore, and leaves nothing of them",
    .enabled(if: Mount.canMount, "needs to mount a tmpfs"))
  func noInodes() throws {
    try withHome { home in
      try home.shell("for i in $(seq 60); do echo $i > hrp-data/mlflow/f$i; done")
      let earlier = try home.create()
      try Mount.withMemory("size=30m,nr_inodes=40", on: home.folder) { small in
        try home.fails(14, "disk.full", "backup", "create", "--backup-dir", small, sparing: [earlier])
        #expect(try home.names(in: small).filter { !$0.hasPrefix(".hrp-") } == [])
        for target in [small + "/new", small] {
          try home.fails(
            14, "disk.full", "backup", "restore", earlier, "--target-dir", target, sparing: [earlier])
          #expect(try home.names(in: small).filter { $0 != ".hrp-backups.lock" } == [])
        }
      }
    }
  }

  @Test(
    "a restore that cannot fit is refused, and what lies at the target stays",
    .enabled(if: Mount.canMount, "needs to mount a tmpfs"))
  func fullTarget() throws {
    try withHome { home in
      let path = try home.create()
      try Mount.withMemory("size=1m", on: home.folder) { small in
        try home.shell("echo mine > small/notes")
        for target in [small + "/new", small] {
          try home.fails(14, "disk.full", "backup", "restore", path, "--target-dir", target, sparing: [path])
          #expect(try home.names(in: small) == ["notes"])
        }
      }
    }
  }

  // MARK: - Read-only, missing and vanishing places

  @Test(
    "a read-only file system is named, and its backups go on verifying and restoring",
    .enabled(if: Mount.canMount, "needs to mount a tmpfs"))
  func readOnly() throws {
    try withHome { home in
      try Mount.withMemory("size=30m", on: home.folder) { small in
        let earlier = try home.create("--backup-dir", small)
        try home.shell("mount -o remount,ro small")
        try home.fails(1, "disk.read-only", "backup", "create", "--backup-dir", small, sparing: [earlier])
        try home.fails(1, "disk.read-only", "backup", "restore", earlier, "--target-dir", small + "/new")
        #expect(try home.hrp("backup", "restore", earlier, "--target-dir", "new").status == 0)
        #expect(try home.list(home.hrp("backup", "list", "--backup-dir", small, "--json")) == [earlier])
      }
    }
  }

  @Test(
    "a backup directory that may not be written to is an error",
    .enabled(if: Home.unprivileged != nil, "as root it takes setpriv to be refused anything"))
  func notPermitted() throws {
    try withHome { home in
      let earlier = try home.create()
      try home.shell("chmod 555 hrp-data/backups")
      defer { _ = try? home.shell("chmod 755 hrp-data/backups") }
      let message = try home.fails(
        1, "permission.denied", "backup", "create", by: Home.unprivileged ?? [], sparing: [earlier])
      #expect(message.contains(home.backups))
    }
  }

  @Test("a backup directory that is missing is made by a backup below one that is there, and an error for all else")
  func missing() throws {
    try withHome { home in
      for words in [["list"], ["verify", "latest"], ["restore", "latest", "--target-dir", "new"], ["rotate"]] {
        let done = try home.hrp(["backup"] + words + ["--backup-dir", "a/b", "--json"])
        #expect(try done.status == 10 && home.error(done)?.code == "backup-directory.not-found", "\(words)")
      }
      for dry in [[], ["--dry-run"]] {
        let done = try home.hrp(["backup", "create", "--backup-dir", "a/b", "--json"] + dry)
        #expect(try done.status == 10 && home.error(done)?.code == "backup-directory.no-parent")
      }
      #expect(try home.names(in: home.folder) == ["hrp-data"])
      #expect(try home.names(in: home.data).filter { $0 == "backups" } == [])
      try home.shell("mkdir a")
      #expect(try home.verifies(home.create("--backup-dir", "a/b")))
    }
  }

  @Test("a backup directory that vanishes during the run ends it with an error that says so")
  func vanishes() throws {
    try withHome { home in
      let before = try home.state()
      let finished = try Self.paused(home, ["--no-link"], in: home.backups, at: "metadata.json") { _ in
        // Away in one step, then removed with -f: the run itself cleans up there at the same time.
        try home.shell("mv hrp-data/backups gone && rm -rf gone")
      }
      #expect(finished.status == 10 && finished.code == "path.vanished")
      #expect(try home.state() == before)
      #expect(try home.verifies(home.create()))
    }
  }

  // MARK: - Killed runs, and two at once

  @Test(
    "a backup that is killed is never listed, and the next run removes what it left",
    arguments: ["hrp.duckdb", "metadata.json"])
  func killedBackup(timestamp: String) throws {
    try withHome { home in
      let earlier = try home.create()
      let flags = timestamp == "metadata.json" ? ["--no-link"] : []
      let killed = try Self.paused(home, flags, in: home.backups, at: timestamp) { process in
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      #expect(killed.status == 128 + SIGKILL)
      #expect(try Self.halfMade(in: home.backups).count == 1)
      #expect(try home.list() == [earlier])
      #expect(try home.hrp("backup", "verify", "latest").status == 0)
      let next = try home.create()
      #expect(try home.list() == [next, earlier] && Self.halfMade(in: home.backups) == [])
      #expect(try home.verifies(next) && home.verifies(earlier))
    }
  }

  @Test(
    "a restore that is killed shows nothing or all, and the next one to that place works", .guide(53), arguments: 0..<6)
  func killedRestore(timestamp: Int) throws {
    try withHome { home in
      try home.shell("for i in $(seq 600); do echo $i > hrp-data/mlflow/f$i; done")
      let path = try home.create()
      let process = try home.start(["backup", "restore", path, "--target-dir", "new"])
      while process.isRunning, try home.names(in: home.folder) == ["hrp-data"] { usleep(200) }
      usleep(UInt32(timestamp) * 10_000)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let target = home.folder + "/new"
      if !FileManager.default.fileExists(atPath: target) {
        #expect(try home.hrp("backup", "restore", path, "--target-dir", "new").status == 0)
      }
      #expect(try home.shell("diff -r hrp-data/mlflow new/mlflow && cmp \(path)/hrp.duckdb new/hrp.duckdb") == "")
      #expect(try home.names(in: home.folder).sorted() == ["hrp-data", "new"] && home.verifies(path))
    }
  }

  @Test("two backups at once both succeed, and both verify")
  func twoAtOnce() throws {
    try withHome { home in
      let earlier = try home.create()
      let processes = try (0..<2).map { _ in try home.start(["backup", "create", "-q"]) }
      for process in processes {
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
      }
      let paths = try home.list()
      #expect(Set(paths).count == 3 && paths.contains(earlier))
      for path in paths { #expect(try home.verifies(path)) }
      #expect(try Self.halfMade(in: home.backups) == [])
    }
  }

  // MARK: - A target that holds something

  @Test(
    "what lies at the target, of whatever kind, is replaced, and comes back whole with undo", .guide(63),
    arguments: ["hrp.duckdb", "hrp.duckdb.wal", "hrp.duckdb.wal.checkpoint", "mlflow"])
  func occupied(name: String) throws {
    try withHome { home in
      let path = try home.create()
      try home.shell("mkdir there && echo stale > there/\(name)")
      let listing =
        "find there -not -name '.*' -not -path '*/.*' -not -path '*/logs*' -printf '%p %s %T@\\n'; cat there/\(name)"
      try home.shell("touch -d 2026-01-01 there")
      let before = try home.shell(listing).split(separator: "\n").dropFirst()
      #expect(try home.hrp("backup", "restore", path, "--target-dir", "there").status == 0)
      #expect(try home.shell("diff -r hrp-data/mlflow there/mlflow && cmp \(path)/hrp.duckdb there/hrp.duckdb") == "")
      #expect(try home.shell("ls -I logs there") == "hrp.duckdb\nmlflow")
      #expect(try home.hrp("backup", "undo", "--target-dir", "there").status == 0)
      #expect(try home.shell(listing).split(separator: "\n").dropFirst() == before && home.verifies(path))
    }
  }

  @Test("a target whose database a live process has open is refused, and that process loses nothing")
  func openTarget() throws {
    try withHome { home in
      let path = try home.create()
      try home.whileEngine("c.execute('INSERT INTO t SELECT range FROM range(500)')") { _ in
        try home.fails(11, "restore.database-in-use", "backup", "restore", path, "--force", sparing: [path])
      }
      #expect(try Engine("2.0.1").query("hrp-data/hrp.duckdb", "SELECT count(*) FROM t", in: home.folder) == "1500")
    }
  }

  // MARK: - Rotation

  @Test("when all backups are old the newest two verified ones stay, and still verify")
  func allOld() throws {
    try withHome { home in
      let paths = try [400, 300, 200, 100].map { try home.age(home.create(), days: $0) }
      let rotated = try home.object(home.hrp("backup", "rotate", "--keep-days", "7", "--json"))
      #expect(rotated["deleted_count"] as? Int == 2 && rotated["remaining"] as? Int == 2)
      #expect(try Set(home.list()) == Set(paths.suffix(2)))
      for path in paths.suffix(2) { #expect(try home.verifies(path)) }
    }
  }

  @Test("a backup that lost its database is none of the two that stay")
  func hollow() throws {
    try withHome { home in
      let paths = try [400, 300, 200, 100].map { try home.age(home.create(), days: $0) }
      for path in paths.suffix(2) { try home.shell("chmod u+w . && rm -f hrp.duckdb", in: path) }
      #expect(try home.hrp("backup", "rotate", "--keep-days", "7").status == 0)
      for path in paths.prefix(2) { #expect(try home.verifies(path), "a good backup was deleted: \(path)") }
    }
  }

  @Test("names that hrp does not give, a future date and a link stay, and what the link leads to is not touched")
  func names() throws {
    try withHome { home in
      for _ in 0..<2 { _ = try home.create() }
      let plain = try home.age(home.create(), days: 90)
      let kept = try home.age(home.create(), days: 80)
      let far = try home.age(home.create(), days: 70)
      try home.shell(
        """
        mv \(kept) \(kept)-keep && mv \(far) elsewhere && ln -s ../../elsewhere hrp-data/backups/backup_20190101_000000
        mkdir hrp-data/backups/backup_notes && touch hrp-data/backups/backup_notes/checksums.txt
        """)
      _ = try home.legacy("backup_20990101_000000")
      let before = try Set(home.names(in: home.backups))
      let rotated = try home.hrp("backup", "rotate")
      #expect(rotated.status == 0 && !FileManager.default.fileExists(atPath: plain), "\(rotated.errors)")
      #expect(try before.subtracting(home.names(in: home.backups)).map { home.backups + "/" + $0 } == [plain])
      #expect(rotated.errors.contains("backup_notes stays") && rotated.errors.contains("-keep stays"))
      #expect(try home.verifies(home.folder + "/elsewhere"))
    }
  }

  @Test("a number of days below 1, or none, deletes nothing", arguments: ["-1", "0", "x", "", "99999999999999999999"])
  func keepDays(text: String) throws {
    try withHome { home in
      let paths = try [400, 300, 200].map { try home.age(home.create(), days: $0) }
      for words in [["--keep-days", text], ["--keep-days=" + text]] {
        let refused = try home.hrp(["backup", "rotate", "--json"] + words)
        #expect(refused.status == 2, "\(words)")
        #expect(["usage", "rotation.keep-days"].contains(try home.error(refused)?.code))
      }
      #expect(try Set(home.list()) == Set(paths))
    }
  }

  // MARK: - Kit

  private static func halfMade(in place: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: place).filter { $0.hasSuffix(".partial") }
  }

  /// Starts a backup, holds it at the lock of its backup directory once it has written a file, and runs the body there.
  ///
  /// A backup asks for that lock before it looks for files to link, when the database is copied, and before it appears.
  private static func paused(
    _ home: Home, _ flags: [String], in backups: String, at file: String,
    _ body: (Process) throws -> Void
  ) throws -> (status: Int32, code: String?) {
    try home.shell("mkdir -p '\(backups)'")
    let lock = open(backups + "/.hrp-backups.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
    let output = home.folder + "/output"
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    let handle = try #require(FileHandle(forWritingAtPath: output))
    let process = try home.start(["backup", "create", "--json"] + flags, output: handle)
    do {
      defer { close(lock) }
      while process.isRunning,
        try !halfMade(in: backups).contains(where: { name in
          FileManager.default.fileExists(atPath: backups + "/" + name + "/" + file)
        })
      { usleep(1000) }
      try #require(process.isRunning)
      try body(process)
    }
    process.waitUntilExit()
    let isKilled = process.terminationReason == .uncaughtSignal
    let words = try? JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: output)))
    let error = (words as? [String: Any])?["error"] as? [String: String]
    return (isKilled ? 128 + process.terminationStatus : process.terminationStatus, error?["code"])
  }
}
