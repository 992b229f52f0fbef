import Backup
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import Synchronization
import SystemPackage
import TestKit
import Testing

/// What comes out of a backup that somebody else made, and where a restore may go.
@Suite("Backups of strangers")
struct StrangersTests {
  /// Seals a backup anew, with whatever lies in it now.
  private func seal(_ backup: String) throws {
    let script = """
      import sys, pathlib; sys.path.insert(0, '\(Checkout.root.path)/Tests/Promises')
      import formats; formats.make_lists_anew(pathlib.Path('\(backup)'))
      """
    let done = try run(Checkout.python, ["-B", "-c", script], in: "/")
    #expect(done.status == 0, "\(done.errors)")
  }

  /// A stack in the flat layout, with things of the user's beside it, and a backup of it elsewhere.
  private func withFlat<Result>(_ body: (_ sample: SampleStack, _ backup: String) throws -> Result) throws -> Result {
    try withStack { sample in
      try run(
        "/bin/sh",
        ["-c", "mv mlflow/mlruns mlflow/mlflow.db . && rmdir mlflow && echo mine > .bashrc && echo mine > notes"],
        in: sample.data)
      let made = try sample.create().path
      try run("/bin/sh", ["-c", "mkdir victim safe && echo mine > victim/x && mv '\(made)' safe/"], in: sample.folder)
      return try body(sample, sample.folder + "/safe/" + (made as NSString).lastPathComponent)
    }
  }

  private func restore(
    _ backup: String, _ sample: SampleStack, to target: String? = nil, files: any FileSystem = Kernel(),
    events: EventStream = EventStream()
  ) throws -> RestoreResult {
    let target = try target.map { try RestoreTarget(FilePath($0), files: files) }
    return try RestoreRun(
      FilePath(backup), to: target ?? RestoreTarget(sample.stack, files: files), protecting: sample.stack.protected,
      files: files, time: SystemTime(), events: events
    ).run()
  }

  private func code(of body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return BackupError(error, doing: "").code }
  }

  private func undo(_ data: String, _ files: any FileSystem = Kernel()) throws -> UndoRun {
    UndoRun(
      try RestoreTarget(FilePath(data), files: files), keptDays: 7, files: files, time: SystemTime(),
      events: EventStream())
  }

  @Test("B2: a backup that carries an undo state plants none, and the folder that its plan names stays")
  func plantedUndo() throws {
    try withFlat { sample, backup in
      let plan = """
        {"format":1,"backup":"","target":"/x","at":"","incoming":"a","outgoing":"b","sites":[
        {"path":"/x","hidden":".hrp.duckdb.hrp-restore","undo":".hrp.duckdb.hrp-undo.1","items":[]},
        {"path":"\(sample.folder)","hidden":"victim","undo":"victim","items":[]}]}
        """
      try run(
        "/bin/sh",
        [
          "-c",
          """
          mkdir mlruns/.hrp.duckdb.hrp-undo.1 && cat > mlruns/.hrp.duckdb.hrp-undo.1/plan.json <<'X'
          \(plan)
          X
          touch -d 2020-01-01 mlruns/.hrp.duckdb.hrp-undo.1/plan.json
          """,
        ], in: backup)
      try seal(backup)
      for target in [sample.data, sample.folder + "/new"] {
        _ = try restore(backup, sample, to: target)
        #expect(try !undo(target).states().contains { $0.backup.isEmpty })
        try undo(target).expire()
        #expect(FileManager.default.fileExists(atPath: sample.folder + "/victim/x"))
      }
    }
  }

  /// A stack whose store lies elsewhere below its data directory, restored once: that has two hidden folders.
  private func withTwoSites<Result>(_ body: (_ sample: SampleStack, _ data: String) throws -> Result) throws -> Result {
    try withStack { sample in
      try run(
        "/bin/sh", ["-c", "mkdir elsewhere && mv mlflow elsewhere/store && ln -s elsewhere/store mlflow"],
        in: sample.data)
      let backup = try sample.create().path
      try run("/bin/sh", ["-c", "echo newer > elsewhere/store/newer"], in: sample.data)
      _ = try restore(backup, sample)
      #expect(!FileManager.default.fileExists(atPath: sample.data + "/elsewhere/store/newer"))
      return try body(sample, sample.data)
    }
  }

  @Test("B2: a plan names only folders of its own swap; another's stays, whatever it is called")
  func foreignFolder() throws {
    try withTwoSites { sample, data in
      let plan = data + "/.hrp.duckdb.hrp-undo.1/plan.json"
      let half = data + "/elsewhere/.store.hrp-undo.1"
      try run(
        "/bin/sh", ["-c", "mkdir -p .v.hrp-undo.1/a .v.hrp-undo.1/b && echo mine > .v.hrp-undo.1/x"], in: sample.folder)
      for (from, to) in [("elsewhere\"", "\""), (".store.hrp-undo.1", ".v.hrp-undo.1")] {
        let text = try String(contentsOfFile: plan, encoding: .utf8)
        let path =
          text.contains("\\/elsewhere") ? from.replacingOccurrences(of: "elsewhere", with: "\\/elsewhere") : from
        #expect(text.contains(path), "\(text)")
        let changed = text.replacingOccurrences(
          of: path == from ? from : "data" + path, with: path == from ? to : to)
        try changed.write(toFile: plan, atomically: false, encoding: .utf8)
      }
      #expect(code { _ = try undo(data).run() } != nil)
      _ = try undo(data).drop()
      #expect(FileManager.default.fileExists(atPath: sample.folder + "/.v.hrp-undo.1/x"))
      #expect(FileManager.default.fileExists(atPath: half), "nobody knows whose it is")
    }
  }

  @Test("B2: what the version before kept is brought back, also after the data directory was moved")
  func earlierFormat() throws {
    try withTwoSites { sample, data in
      // Without the nonce, as it was.
      try run(
        "/bin/sh",
        [
          "-c",
          """
          sed -i -E 's/"nonce" ?: ?"[0-9a-f]*",?//' .hrp.duckdb.hrp-undo.1/plan.json &&
          python3 -c "p='elsewhere/.store.hrp-undo.1/owner'; d=open(p,'rb').read().split(b'\\\\0')[0]; open(p,'wb').write(d)" &&
          mv ../data ../moved
          """,
        ], in: data)
      let moved = sample.folder + "/moved"
      let plan = try String(contentsOfFile: moved + "/.hrp.duckdb.hrp-undo.1/plan.json", encoding: .utf8)
      let owner = try Data(contentsOf: URL(fileURLWithPath: moved + "/elsewhere/.store.hrp-undo.1/owner"))
      #expect(!plan.contains("nonce") && !owner.contains(0))
      for isThere in [true, false, true] {
        _ = try undo(moved).run()
        #expect(FileManager.default.fileExists(atPath: moved + "/elsewhere/store/newer") == isThere)
      }
      #expect(try undo(moved).drop() != nil)
      let left = try FileManager.default.contentsOfDirectory(atPath: moved + "/elsewhere")
      #expect(left == ["store"])
    }
  }

  @Test("B2: a backup leaves out what hrp keeps at the top of a store; what a user calls alike deeper stays")
  func reservedNames() throws {
    try withStack { sample in
      try run(
        "/bin/sh",
        [
          "-c",
          "mkdir .hrp.duckdb.hrp-undo.1 .hrp-pins mlruns/.hrp-pins && touch .hrp-stack.lock .x.partial .hrprc .hrp-pins/a "
            + "mlruns/.hrp-pins/b",
        ], in: sample.data + "/mlflow")
      let backup = try sample.create().path
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: backup + "/mlruns").sorted()
          == [".hrprc", "mlflow.db", "mlruns"])
      #expect(FileManager.default.fileExists(atPath: backup + "/mlruns/mlruns/.hrp-pins/b"))
    }
  }

  @Test("B3: of a flat backup only the tracking database, mlruns and mlartifacts come out; the rest is named")
  func flatNames() throws {
    try withFlat { sample, backup in
      try run(
        "/bin/sh",
        [
          "-c",
          """
          cd mlruns && mkdir -p backups/x mlartifacts logs && echo evil > .bashrc && echo evil > notes && touch backups/x/y mlartifacts/a
          echo evil > logs/backup.log && echo evil > hrp.duckdb.wal.checkpoint
          """,
        ], in: backup)
      try seal(backup)
      let told = Mutex<[String]>([])
      let events = EventStream().adding { event in
        if case .warning(let text) = event { told.withLock { $0.append(text) } }
      }
      _ = try restore(backup, sample, events: events)
      for name in [".bashrc", "notes"] {
        #expect(try String(contentsOfFile: sample.data + "/" + name, encoding: .utf8) == "mine\n")
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: sample.data).filter { !$0.hasPrefix(".hrp") }
      #expect(
        names.sorted() == [
          ".bashrc", "backups", "hrp.duckdb", "hrp.duckdb.wal", "mlartifacts", "mlflow.db", "mlruns", "notes",
        ])
      #expect(try FileManager.default.contentsOfDirectory(atPath: sample.backups).allSatisfy { $0.hasPrefix(".") })
      #expect(told.withLock { $0 }.contains { $0.contains("mlruns/.bashrc") && $0.contains("mlruns/backups") })
    }
  }

  @Test("B3: the tracking database gets the target's name, whatever it was called in the backup")
  func trackingName() throws {
    try withFlat { sample, backup in
      try run("/bin/sh", ["-c", "mv mlruns/mlflow.db mlruns/tracking.db"], in: backup)
      try seal(backup)
      _ = try restore(backup, sample, to: sample.folder + "/new")
      let count = try run("/usr/bin/sqlite3", ["mlflow.db", "SELECT count(*) FROM runs"], in: sample.folder + "/new")
      #expect(count.output == "1\n")
    }
  }

  @Test("a database or a store that is a symlink is not restored", arguments: ["hrp.duckdb", "mlruns"])
  func linkedParts(name: String) throws {
    try withStack { sample in
      let backup = try sample.create().path
      try run(
        "/bin/sh", ["-c", "mkdir '\(sample.folder)/v' && rm -rf \(name) && ln -s '\(sample.folder)/v' \(name)"],
        in: backup)
      #expect(code { _ = try restore(backup, sample, to: sample.folder + "/new") } == "verification.failed")
    }
  }

  // MARK: - Places

  @Test("B4: a restore into another backup, below one, or onto the directory of the backups is refused")
  func placesInBackups() throws {
    try withStack { sample in
      let (first, second) = (try sample.create().path, try sample.create().path)
      try run("/bin/ln", ["-s", second, sample.folder + "/link"])
      let before = try SampleStack.listing(of: second)
      for target in [
        second, second + "/new/deeper", sample.backups, sample.folder + "/link", sample.folder + "/link/x",
      ] {
        #expect(code { _ = try restore(first, sample, to: target) } == "restore.target-in-backup", "\(target)")
      }
      #expect(try SampleStack.listing(of: second) == before)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: sample.backups).count { $0.hasPrefix("backup_") } == 2)
    }
  }

  @Test(
    "B4: no command writes into a backup that is named as a data directory",
    arguments: [
      ["doctor"], ["validate"], ["backup", "create"], ["backup", "list"], ["backup", "undo"],
      ["backup", "drill", "latest"],
    ])
  func backupAsDataDirectory(words: [String]) throws {
    try withStack { sample in
      let backup = try sample.create().path
      let before = try SampleStack.listing(of: backup)
      for more in [[], ["--backup-dir", sample.backups]] {
        _ = try run(
          Checkout.hrp, words + ["--data-dir", backup] + more, in: sample.folder, environment: ["TMPDIR": sample.folder]
        )
      }
      #expect(try SampleStack.listing(of: backup) == before)
    }
  }

  @Test("B4: a data directory into which somebody copied a backup goes on working")
  func copiedBackup() throws {
    try withStack { sample in
      let made = try sample.create().path
      try run("/bin/sh", ["-c", "cp -a '\(made)'/. . && cp -a '\(made)' ."], in: sample.data)
      let backup = try sample.create().path
      #expect(try sample.verify(backup).isOK)
      _ = try restore(sample.data + "/" + (made as NSString).lastPathComponent, sample)
    }
  }

  // MARK: - Names that cannot be renamed

  @Test(
    "B5: what the kernel would not rename stops a restore and an undo before anything is touched",
    arguments: [
      Errno.notPermitted, .permissionDenied, .resourceBusy,
    ])
  func unmovable(errno: Errno) throws {
    try withStack { sample in
      let backup = try sample.create().path
      try Data("newer".utf8).write(to: URL(fileURLWithPath: sample.data + "/mlflow/newer"))
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        if call == "renameat", path == "full" { throw SystemError(call, errno: errno, path: path) }
      }
      let old = try SwapTests.contents(of: sample.data)
      #expect(code { _ = try restore(backup, sample, files: files) } == "restore.cannot-rename")
      #expect(try SwapTests.contents(of: sample.data) == old)
      let hidden = {
        try FileManager.default.contentsOfDirectory(atPath: sample.data).filter { $0.contains("hrp-restore") }
      }
      #expect(try hidden() == [])
      _ = try restore(backup, sample)
      let new = try SwapTests.contents(of: sample.data)
      #expect(code { _ = try undo(sample.data, files).run() } == "restore.cannot-rename")
      #expect(try SwapTests.contents(of: sample.data) == new && hidden() == [])
      _ = try undo(sample.data).run()
      #expect(try SwapTests.contents(of: sample.data) == old)
    }
  }

  @Test(
    "B5: so it is with a store of another owner in a directory with the sticky bit", .enabled(if: isRoot, "needs root"))
  func sticky() throws {
    try withStack { sample in
      try run("/bin/chmod", ["644", sample.data + "/mlflow/mlruns/0/meta.yaml"])
      let backup = try sample.create().path
      try run(
        "/bin/sh", ["-c", "chmod 755 . && chown 65534:65534 data/hrp.duckdb* && chmod 1777 data"], in: sample.folder)
      let old = try SwapTests.contents(of: sample.data)
      let done = try run(
        "/usr/bin/setpriv",
        ["--reuid=65534", "--regid=65534", "--clear-groups", Checkout.hrp, "backup", "restore", backup, "--json"]
          + ["--data-dir", sample.data], in: "/", environment: ["TMPDIR": sample.folder])
      #expect(done.status == 1 && done.output.contains("restore.cannot-rename"), "\(done.output)\(done.errors)")
      #expect(try SwapTests.contents(of: sample.data) == old)
    }
  }
}
