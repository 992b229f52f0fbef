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

/// R3 to R5 and W1 to W6: a restore in place, and what happens when it does not come to its end.
@Suite("Restoring in place")
struct SwapTests {
  /// Everything at a target that is not ours: paths and contents.
  static func contents(of path: String) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for name in FileManager.default.enumerator(atPath: path)?.compactMap({ $0 as? String }) ?? [] {
      if name.split(separator: "/").contains(where: {
        $0.hasPrefix(".hrp") || $0.hasPrefix(".mlflow.hrp") || $0.hasPrefix(".store.hrp")
          || $0.contains("hrp-catalogue")
      }) {
        continue
      }
      if ["backups", "logs", "scratch"].contains(name.split(separator: "/")[0]) { continue }
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder), !isFolder.boolValue
      else { continue }
      found[name] = try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
    }
    return found
  }

  /// A stack and a backup of it, after which the stack went on: another database state, another model, a stale log.
  private func withReplaced<Result>(
    _ body: (SampleStack, _ backup: String) throws -> Result
  ) throws -> Result {
    try withStack { sample in
      let backup = try sample.create().path
      try Engine("2.0.1").run(
        """
        c = duckdb.connect('hrp.duckdb'); c.execute('CREATE TABLE later AS SELECT range i FROM range(50)'); c.execute('CHECKPOINT')
        c.execute('INSERT INTO later VALUES (99)'); os._exit(0)
        """, in: sample.data)
      try run(
        "/bin/sh",
        ["-c", "printf newer > mlflow/mlruns/0/r1/artifacts/model.pkl && mkdir mlflow/more && touch mlflow/more/x"],
        in: sample.data)
      return try body(sample, backup)
    }
  }

  private func target(_ sample: SampleStack, _ files: any FileSystem = Kernel()) throws -> RestoreTarget {
    try RestoreTarget(FilePath(sample.data), files: files)
  }

  private func undo(_ sample: SampleStack) throws -> [String] {
    try UndoRun(target(sample), keptDays: 7, files: Kernel(), time: SystemTime(), events: EventStream()).run().names
  }

  @Test(
    "R4: what is there is replaced, undo brings it back, undo of undo the restored: byte for byte, as often as asked")
  func undoing() throws {
    try withReplaced { sample, backup in
      let old = try Self.contents(of: sample.data)
      let result = try sample.restore(backup, to: sample.data)
      #expect(
        result.undoPath == sample.data + "/.hrp.duckdb.hrp-undo.1" && result.restored == ["hrp.duckdb", "mlruns/"])
      let new = try Self.contents(of: sample.data)
      #expect(new["mlflow/mlruns/0/r1/artifacts/model.pkl"] == Data("model".utf8) && new["mlflow/more/x"] == nil)
      #expect(try new["hrp.duckdb.wal"] == Data(contentsOf: URL(fileURLWithPath: backup + "/hrp.duckdb.wal")))
      for expected in [old, new, old, new] {
        _ = try undo(sample)
        #expect(try Self.contents(of: sample.data) == expected)
      }
      #expect(
        try Engine("2.0.1").query("hrp.duckdb", "SELECT count(*), sum(i) FROM t", in: sample.data) == "1000|499500")
    }
  }

  @Test("W3: where names cannot be exchanged, undo brings back both states as often as asked, too")
  func undoingWithoutExchange() throws {
    try withReplaced { sample, backup in
      let files = HookedFileSystem(hasExchange: false)
      let old = try Self.contents(of: sample.data)
      _ = try sample.restore(backup, to: sample.data, files: files)
      let new = try Self.contents(of: sample.data)
      for expected in [old, new, old, new] {
        _ = try UndoRun(target(sample, files), keptDays: 7, files: files, time: SystemTime(), events: EventStream())
          .run()
        #expect(try Self.contents(of: sample.data) == expected)
      }
    }
  }

  @Test("each restore keeps what it replaced: any of them comes back; undo --drop frees them, one or all")
  func again() throws {
    try withReplaced { sample, backup in
      let first = try Self.contents(of: sample.data)
      _ = try sample.restore(backup, to: sample.data)
      try Data("mine".utf8).write(to: URL(fileURLWithPath: sample.data + "/mlflow/mine"))
      let second = try Self.contents(of: sample.data)
      _ = try sample.restore(backup, to: sample.data)
      let third = try Self.contents(of: sample.data)
      let run = UndoRun(try target(sample), keptDays: 7, files: Kernel(), time: SystemTime(), events: EventStream())
      #expect(try run.states().map(\.number) == [1, 2] && run.states().allSatisfy { $0.bytes > 100_000 })
      // What comes back leaves its place to what was there, as the newest.
      for (number, expected) in [(2, first), (1, third), (2, second), (2, first), (1, second), (1, first)] {
        _ = try run.run(number: number)
        #expect(try Self.contents(of: sample.data) == expected, "undo \(number)")
      }
      #expect { try run.run(number: 3) } throws: { ($0 as? BackupError)?.code == "undo.nothing" }
      #expect(try run.drop(number: 2) ?? 0 > 100_000)
      _ = try run.run()
      #expect(try Self.contents(of: sample.data) == second)
      #expect(try run.drop() ?? 0 > 100_000)
      #expect(try run.states().isEmpty && run.drop() == nil)
      #expect { try undo(sample) } throws: { ($0 as? BackupError)?.code == "undo.nothing" }
      let hidden = try FileManager.default.contentsOfDirectory(atPath: sample.data).filter { $0.contains("hrp-") }
      #expect(hidden.sorted() == [".hrp-stack.lock"])
    }
  }

  @Test("W4: logs of every kind that lie beside the old database go with it; the restored one holds the backup's rows")
  func staleWALs() throws {
    for script in [
      // The same checkpoint generation as the backup's: it would be replayed into the restored database.
      "c = duckdb.connect('hrp.duckdb'); c.execute('INSERT INTO t SELECT range FROM range(5000, 6000)'); os._exit(0)",
      // Another generation: the restored database would not open.
      """
      c = duckdb.connect('hrp.duckdb'); c.execute('CREATE TABLE z(i INT)'); c.execute('CHECKPOINT')
      c.execute('INSERT INTO t SELECT range FROM range(5000, 6000)'); os._exit(0)
      """,
    ] {
      try withStack { sample in
        // Without a log of its own in the backup, any log beside the restored one would be the old one.
        try Engine("2.0.1").run("c = duckdb.connect('hrp.duckdb'); c.execute('CHECKPOINT'); c.close()", in: sample.data)
        let backup = try sample.create().path
        try Engine("2.0.1").run(script, in: sample.data)
        try run("/bin/sh", ["-c", "touch hrp.duckdb.wal.checkpoint hrp.duckdb.wal.recovery"], in: sample.data)
        _ = try sample.restore(backup, to: sample.data, part: .duckdb)
        let names = try FileManager.default.contentsOfDirectory(atPath: sample.data).filter {
          $0.hasPrefix("hrp.duckdb")
        }
        #expect(names == ["hrp.duckdb"])
        #expect(
          try Engine("2.0.1").query("hrp.duckdb", "SELECT count(*), max(i) FROM t", in: sample.data) == "1000|999")
      }
    }
  }

  @Test(
    "R5: a database that somebody has open, for writing or reading, is not replaced, not with force; its holder is named",
    arguments: [false, true])
  func live(isReadOnly: Bool) throws {
    try withReplaced { sample, backup in
      let before = try Self.contents(of: sample.data)
      let process = try start(
        Checkout.python,
        [
          "-B", "-c",
          """
          import duckdb, os, time
          c = duckdb.connect('hrp.duckdb', read_only=\(isReadOnly ? "True" : "False")); print('ready', flush=True)
          while not os.path.exists('end'): time.sleep(0.02)
          os._exit(0)
          """,
        ], in: sample.data, environment: Engine("2.0.1").environment, until: "ready")
      defer { kill(process.processIdentifier, SIGKILL) }
      for words in [[], ["--force"], ["--wait", "1s"]] {
        let done = try run(
          Checkout.hrp, ["backup", "restore", backup, "--data-dir", sample.data, "--json"] + words, in: sample.folder)
        #expect(done.status == 11 && done.output.contains("restore.database-in-use"), "\(done)")
        #expect(done.output.contains("PID \(process.processIdentifier) (python") && done.output.contains(", since 20"))
      }
      let now = try Self.contents(of: sample.data)
      #expect(now.filter { $0.key != "hrp.duckdb.wal" } == before.filter { $0.key != "hrp.duckdb.wal" })
      // It ends while we wait.
      let waiting = try start(
        Checkout.hrp, ["backup", "restore", backup, "--data-dir", sample.data, "--wait", "60s"], until: "waiting")
      try Data().write(to: URL(fileURLWithPath: sample.data + "/end"))
      waiting.waitUntilExit()
      #expect(waiting.terminationStatus == 0)
      try FileManager.default.removeItem(atPath: sample.data + "/end")
      #expect(
        try Engine("2.0.1").query("hrp.duckdb", "SELECT count(*), sum(i) FROM t", in: sample.data) == "1000|499500")
    }
  }

  @Test("W5: while names are exchanged, nobody else gets DuckDB's lock, on the old database or on the new one")
  func locks() throws {
    try withReplaced { sample, backup in
      let answers = Mutex<[String]>([])
      let data = sample.data
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        guard call == "exchange" || call == "renameat2", path == "hrp.duckdb" else { return }
        do {
          let answer = try run(
            Checkout.python,
            [
              "-c",
              """
              import fcntl, glob
              for path in sorted(glob.glob('hrp.duckdb') + glob.glob('.hrp.duckdb.hrp-restore/a/hrp.duckdb')):
                  try: fcntl.lockf(open(path, 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB); print('free')
                  except OSError: print('locked')
              """,
            ], in: data)
          answers.withLock { $0.append(answer.output) }
        } catch {
          Issue.record(error)
        }
      }
      _ = try RestoreRun(
        FilePath(backup), to: RestoreTarget(sample.stack, files: files), protecting: sample.stack.protected,
        files: files, time: SystemTime(), events: EventStream()
      ).run()
      let told = answers.withLock { $0 }
      #expect(told.first == "locked\nlocked\n", "\(told)")
      #expect(told.allSatisfy { !$0.contains("free") }, "\(told)")
    }
  }

  @Test("open files of MLflow are named; with force the restore goes on beside them")
  func openFiles() throws {
    try withReplaced { sample, backup in
      let process = try start(
        "/bin/sh", ["-c", "exec 3< mlflow/mlflow.db; echo open; exec sleep 60"], in: sample.data, until: "open")
      defer { kill(process.processIdentifier, SIGKILL) }
      let restore = { (words: [String]) in
        try run(Checkout.hrp, ["backup", "restore", backup, "--data-dir", sample.data] + words, in: sample.folder)
      }
      let refused = try restore([])
      #expect(refused.status == 11 && refused.errors.contains("mlflow.db is open in PID \(process.processIdentifier)"))
      #expect(try restore(["--only", "duckdb"]).status == 0)
      #expect(try restore(["--force"]).status == 0)
    }
  }

  @Test("a database elsewhere, a linked MLflow directory, and backups within it: each part comes back where it was")
  func elsewhere() throws {
    try withReplaced { sample, _ in
      try run(
        "/bin/sh",
        [
          "-c",
          """
          mkdir ../a ../b && mv hrp.duckdb hrp.duckdb.wal ../a/ && mv mlflow ../b/store && ln -s ../a/hrp.duckdb hrp.duckdb && ln -s ../b/store mlflow && mv ../a/hrp.duckdb.wal .
          """,
        ], in: sample.data)
      let hrp = { (words: [String]) in
        try run(
          Checkout.hrp,
          ["backup"] + words + ["--data-dir", sample.data, "--backup-dir", sample.folder + "/b/store/safe"],
          in: sample.folder)
      }
      try run("/bin/mv", [sample.data + "/hrp.duckdb.wal", sample.folder + "/a/hrp.duckdb.wal"])
      #expect(try hrp(["create"]).status == 0)
      let old = try Self.contents(of: sample.folder)
      try Engine("2.0.1").run(
        "c = duckdb.connect('a/hrp.duckdb'); c.execute('DROP TABLE t'); c.close()", in: sample.folder)
      try run("/bin/rm", ["-r", sample.folder + "/b/store/mlruns"])
      let changed = try Self.contents(of: sample.folder)
      #expect(old.keys.contains("b/store/mlruns/0/meta.yaml") && !changed.keys.contains("b/store/mlruns/0/meta.yaml"))
      let done = try hrp(["restore", "latest"])
      #expect(done.status == 0, "\(done)")
      let isOurs = { (name: String) in !name.contains("/.") && !name.hasPrefix("data/") }
      // A copy of a database is the same to its engine, not byte for byte.
      let isPlain = { (name: String) in isOurs(name) && !name.contains("hrp.duckdb") && !name.hasSuffix("mlflow.db") }
      #expect(try Self.contents(of: sample.folder).filter { isPlain($0.key) } == old.filter { isPlain($0.key) })
      #expect(
        try Engine("2.0.1").query("a/hrp.duckdb", "SELECT count(*), sum(i) FROM t", in: sample.folder) == "1000|499500")
      #expect(try hrp(["undo"]).status == 0)
      #expect(try Self.contents(of: sample.folder).filter { isOurs($0.key) } == changed.filter { isOurs($0.key) })
      #expect(try hrp(["list"]).output.contains("1. backup_"))
    }
  }

  @Test(
    "an MLflow directory that is a mount point is exchanged name by name, and comes back", .enabled(if: Mount.canMount))
  func mounted() throws {
    try withReplaced { sample, backup in
      try Mount.withMemory("size=30m", on: sample.folder) { place in
        try run("/bin/sh", ["-c", "cp -a mlflow/. '\(place)' && rm -r mlflow && mkdir mlflow"], in: sample.data)
        let bound = try run("/bin/sh", ["-c", "mount --bind '\(place)' mlflow"], in: sample.data)
        #expect(bound.status == 0, "\(bound)")
        defer { _ = try? run("/bin/umount", [sample.data + "/mlflow"]) }
        // Foundation lists no other file system: the store is looked at where it is mounted first.
        let old = try Self.contents(of: place)
        _ = try sample.restore(backup, to: sample.data)
        let new = try Self.contents(of: place)
        #expect(new["mlruns/0/r1/artifacts/model.pkl"] == Data("model".utf8) && new["more/x"] == nil)
        for expected in [old, new, old] {
          _ = try undo(sample)
          #expect(try Self.contents(of: place) == expected)
        }
        // What came since the restore goes with it.
        try run("/bin/sh", ["-c", "mkdir mlflow/since && touch mlflow/since/x"], in: sample.data)
        _ = try undo(sample)
        #expect(try Self.contents(of: place) == new)
        _ = try undo(sample)
        #expect(try Self.contents(of: place)["since/x"] == Data())
      }
    }
  }

  @Test(
    "in an overlay, which does not rename the folders of its lower layer, what was replaced comes back, and as often",
    .enabled(if: Mount.canMount), arguments: [true, false])
  func overlay(isOfOneFileSystem: Bool) throws {
    try withReplaced { sample, backup in
      try run("/bin/sh", ["-c", "mkdir ../lower && cp -a . ../lower/data"], in: sample.data)
      let inMemory = sample.folder + "/memory"
      try FileManager.default.createDirectory(atPath: inMemory, withIntermediateDirectories: false)
      try Mount.withMemory("size=60m", on: inMemory) { memory in
        let upper = isOfOneFileSystem ? sample.folder + "/layers" : memory
        try Mount.withOverlay(of: sample.folder + "/lower", upperFolder: upper, below: sample.folder) { place in
          let data = place + "/data"
          #expect(throws: SystemError.self) {
            try Kernel().renameNew(FilePath(data + "/mlflow"), at: nil, to: FilePath(data + "/moved"), at: nil)
          }
          let old = try Self.contents(of: data)
          #expect(old["mlflow/more/x"] == Data())
          _ = try sample.restore(backup, to: data)
          let new = try Self.contents(of: data)
          #expect(new["mlflow/mlruns/0/r1/artifacts/model.pkl"] == Data("model".utf8) && new["mlflow/more/x"] == nil)
          for expected in [old, new, old, new] {
            _ = try UndoRun(
              RestoreTarget(FilePath(data), files: Kernel()), keptDays: 7, files: Kernel(), time: SystemTime(),
              events: EventStream()
            ).run()
            #expect(try Self.contents(of: data) == expected)
          }
          #expect(
            try Engine("2.0.1").query("hrp.duckdb", "SELECT count(*), sum(i) FROM t", in: data) == "1000|499500")
        }
      }
    }
  }

  @Test("a single thing of a backup goes to a new place, and nothing else does")
  func included() throws {
    try withReplaced { sample, backup in
      let target = sample.folder + "/one"
      #expect(try restoreOneRun(backup, to: target).restored == ["mlruns/"])
      let names = try Self.contents(of: target).keys.sorted()
      #expect(names == ["mlflow/mlruns/0/r1/artifacts/model.pkl"])
      #expect {
        try restoreOneRun(backup, to: sample.data)
      } throws: {
        ($0 as? BackupError)?.code == "restore.include-needs-a-new-place"
      }
    }
  }

  private func restoreOneRun(_ backup: String, to path: String) throws -> RestoreResult {
    var request = RestoreRun.Request()
    request.includes = [EntryPath("mlruns/mlruns/0/r1")]
    return try RestoreRun(
      FilePath(backup), to: RestoreTarget(FilePath(path), files: Kernel()), request: request, files: Kernel(),
      time: SystemTime(), events: EventStream()
    ).run()
  }
}
