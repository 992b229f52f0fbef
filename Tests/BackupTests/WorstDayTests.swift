import Backup
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

/// Restores as they are met: parts that a backup has not, links on the way, programs that come in between.
@Suite("Restoring on the worst day")
struct WorstDayTests {
  private func hrp(_ words: [String], _ sample: SampleStack, library: String = "libduckdb.so") throws -> Finished {
    try run(
      Checkout.hrp, words + ["--data-dir", sample.data], in: sample.folder,
      environment: ["HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/" + library).path])
  }

  private func query(_ sql: String, _ folder: String) throws -> String {
    try Engine("2.0.1").query("hrp.duckdb", sql, in: folder)
  }

  private func code(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return BackupError(error, doing: "restoring").code }
  }

  // MARK: - Parts

  @Test("a backup without MLflow leaves the MLflow directory that is there; asked for MLflow alone, it is refused")
  func withoutMLflow() throws {
    try withStack { sample in
      let backup = try BackupRun(
        sample.stack, includesMLflow: false, files: Kernel(), time: SystemTime(), events: EventStream()
      ).run().path
      let before = try SwapTests.contents(of: sample.data + "/mlflow")
      #expect(try sample.restore(backup, to: sample.data).restored == ["hrp.duckdb"])
      #expect(try SwapTests.contents(of: sample.data + "/mlflow") == before)
      #expect(code { _ = try sample.restore(backup, to: sample.data, part: .mlflow) } == "restore.part-missing")
      #expect(try SwapTests.contents(of: sample.data + "/mlflow") == before)
    }
  }

  @Test("--include of the database brings its log; what the backup does not have is refused before anything is made")
  func included() throws {
    try withStack { sample in
      let backup = try sample.create().path
      for name in ["hrp.duckdb", "hrp.duckdb.wal"] {
        let target = sample.folder + "/" + name + ".d"
        let done = try hrp(
          ["backup", "restore", backup, "--include", name, "--target-dir", target], sample)
        #expect(done.status == 0, "\(done)")
        #expect(try query("SELECT count(*) FROM t", target) == "1000")
      }
      let target = sample.folder + "/none"
      let missing = try hrp(
        ["backup", "restore", backup, "--include", "hrp.duckdb", "--include", "nope", "--target-dir", target], sample)
      #expect(missing.status == 10 && missing.errors.contains("has no nope"), "\(missing)")
      #expect(!FileManager.default.fileExists(atPath: target))
      let folder = try hrp(
        ["backup", "restore", backup, "--include", "mlruns/mlruns/%30/", "--target-dir", target], sample)
      #expect(folder.status == 0, "\(folder)")
      #expect(FileManager.default.fileExists(atPath: target + "/mlflow/mlruns/0/r1/artifacts/model.pkl"))
    }
  }

  // MARK: - Places

  @Test("links in a directory that is itself a link lead where the kernel says, and records name the user's path")
  func links() throws {
    try withStack { sample in
      try run(
        "/bin/sh",
        [
          "-c",
          """
          mkdir disk dbs mlflow && echo precious > mlflow/thesis && mv data disk/real && ln -s disk/real data
          mkdir disk/dbs && mv disk/real/mlflow disk/mlflow && ln -s ../mlflow disk/real/mlflow
          mv disk/real/hrp.duckdb disk/real/hrp.duckdb.wal disk/dbs/ && ln -s ../dbs/hrp.duckdb disk/real/hrp.duckdb
          mv disk/dbs/hrp.duckdb.wal disk/dbs/log && mv disk/dbs/log disk/dbs/hrp.duckdb.wal
          """,
        ], in: sample.folder)
      let backup = try sample.create().path
      let real = sample.folder + "/disk"
      try run("/bin/sh", ["-c", "echo x > disk/mlflow/new && rm -r disk/mlflow/mlruns"], in: sample.folder)
      try Engine("2.0.1").run("c = duckdb.connect('hrp.duckdb'); c.execute('DROP TABLE t')", in: real + "/dbs")
      let done = try hrp(["backup", "restore", backup], sample)
      #expect(done.status == 0, "\(done)")
      #expect(try query("SELECT count(*) FROM t", real + "/dbs") == "1000")
      #expect(FileManager.default.fileExists(atPath: real + "/mlflow/mlruns/0/r1/artifacts/model.pkl"))
      #expect(!FileManager.default.fileExists(atPath: real + "/mlflow/new"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: sample.folder + "/mlflow") == ["thesis"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: sample.folder + "/dbs") == [])
      let uri = try run(
        "/usr/bin/sqlite3", [real + "/mlflow/mlflow.db", "SELECT artifact_uri FROM runs"], in: sample.folder)
      #expect(uri.output == sample.data + "/mlflow/mlruns/0/r1/artifacts\n")
      #expect(try hrp(["backup", "undo"], sample).status == 0)
      #expect(FileManager.default.fileExists(atPath: real + "/mlflow/new"))
    }
  }

  @Test("a link to nothing, a place in the backup itself: refused, with nothing made")
  func refusedPlaces() throws {
    try withStack { sample in
      let backup = try sample.create().path
      try run("/bin/sh", ["-c", "mkdir t && ln -s /nonexistent/x.duckdb t/hrp.duckdb"], in: sample.folder)
      #expect(code { _ = try sample.restore(backup, to: sample.folder + "/t") } == "restore.dangling-link")
      for place in [backup, backup + "/mlruns", backup + "/new"] {
        #expect(code { _ = try sample.restore(backup, to: place) } == "restore.target-in-backup")
      }
      #expect(try sample.verify(backup).isOK)
    }
  }

  @Test("a FIFO or a folder at the database's path holds nobody up, and is put away")
  func oddKinds() throws {
    for make in ["mkfifo hrp.duckdb", "mkdir hrp.duckdb && touch hrp.duckdb/x"] {
      try withStack { sample in
        let backup = try sample.create().path
        try run("/bin/sh", ["-c", "rm hrp.duckdb hrp.duckdb.wal && " + make], in: sample.data)
        #expect(try hrp(["backup", "restore", backup], sample).status == 0, "\(make)")
        #expect(try query("SELECT count(*) FROM t", sample.data) == "1000")
      }
    }
  }

  @Test("where MLflow's directory is exchanged name by name, what is kept in it is in no backup")
  func keptIsNotBackedUp() throws {
    try withStack { sample in
      var settings = StackSettings()
      (settings.dataDirectory, settings.databasePath) = (sample.data, nil)
      (settings.backupDirectory, settings.trackingURI) = (sample.data + "/mlflow/safe", nil)
      let stack = Stack(settings)
      let make = {
        try BackupRun(stack, includesMLflow: true, files: Kernel(), time: SystemTime(), events: EventStream()).run()
      }
      let first = try make()
      _ = try RestoreRun(
        FilePath(first.path), to: RestoreTarget(stack, files: Kernel()), protecting: stack.protected, files: Kernel(),
        time: SystemTime(), events: EventStream()
      ).run()
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: sample.data + "/mlflow").contains(".mlflow.hrp-undo.1"))
      let second = try make()
      #expect(second.filesCount == first.filesCount)
      #expect(try sample.verify(first.path).isOK && sample.verify(second.path).isOK)
    }
  }

  // MARK: - In between

  /// A restore that fails when the new log should come in.
  private func interrupted(_ sample: SampleStack, _ backup: String) -> String? {
    let files = HookedFileSystem { (call, path) throws(SystemError) in
      if call == "renameat2", path.hasSuffix("hrp.duckdb.wal") { throw SystemError(call, errno: .ioError, path: path) }
    }
    return code { _ = try sample.restore(backup, to: sample.data, files: files) }
  }

  @Test("a failure after the commit says that the restore will be finished; the next look finishes it")
  func unfinished() throws {
    try withStack { sample in
      let backup = try sample.create().path
      try run("/bin/rm", ["hrp.duckdb.wal"], in: sample.data)
      #expect(interrupted(sample, backup) == "restore.unfinished")
      let list = try hrp(["backup", "list"], sample)
      #expect(list.errors.contains("had been interrupted, and is finished now"), "\(list)")
      #expect(try query("SELECT count(*) FROM t", sample.data) == "1000")
    }
  }

  @Test(
    "W4: a program that writes to what a crash left is heard of, and the database opens after each undo",
    arguments: ["c.execute('CHECKPOINT'); c.close()", "os._exit(0)"])
  func inBetween(end: String) throws {
    try withStack { sample in
      let backup = try sample.create().path
      try Engine("2.0.1").run(
        "c = duckdb.connect('hrp.duckdb'); c.execute('DROP TABLE t'); c.execute('CHECKPOINT'); c.close()",
        in: sample.data)
      #expect(interrupted(sample, backup) == "restore.unfinished")
      // Without its log the restored database holds the first 900 rows.
      try Engine("2.0.1").run(
        """
        c = duckdb.connect('hrp.duckdb'); c.execute("SET checkpoint_threshold='1GB'")
        assert c.execute('SELECT count(*) FROM t').fetchone() == (900,); c.execute('CREATE TABLE mine(i INT)'); \(end)
        """, in: sample.data)
      let list = try hrp(["backup", "list"], sample)
      #expect(list.errors.contains("a program wrote to"), "\(list)")
      let tables = "SELECT string_agg(table_name, ',' ORDER BY table_name) FROM duckdb_tables()"
      let moved = end.hasPrefix("c.") ? "mine,t" : "t"
      let rows = end.hasPrefix("c.") ? "900" : "1000"
      for _ in 0..<2 {
        #expect(try query(tables, sample.data) == moved && query("SELECT count(*) FROM t", sample.data) == rows)
        #expect(try hrp(["backup", "undo"], sample).status == 0)
        #expect(try query(tables, sample.data) != moved)
        #expect(try hrp(["backup", "undo"], sample).status == 0)
      }
    }
  }

  @Test("a dry run is refused as the restore would be; two restores in one second leave two reports")
  func looksFirst() throws {
    try withStack { sample in
      let backup = try sample.create().path
      let process = try start(
        "/bin/sh", ["-c", "exec 3< mlflow/mlflow.db; echo open; exec sleep 60"], in: sample.data, until: "open")
      let dry = try hrp(["backup", "restore", backup, "--dry-run"], sample)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(dry.status == 11 && dry.errors.contains("mlflow.db is open in PID"), "\(dry)")
      for _ in 0..<2 { #expect(try hrp(["backup", "restore", backup], sample).status == 0) }
      let reports = try FileManager.default.contentsOfDirectory(atPath: sample.data + "/logs").filter {
        $0.hasPrefix("restore_")
      }
      #expect(reports.count == 2)
    }
  }

  @Test("what a restore that died before its commit left is named, and undo --drop removes it")
  func abandoned() throws {
    try withStack { sample in
      let backup = try sample.create().path
      let before = try SwapTests.contents(of: sample.data)
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        if call == "renameat2" || call == "unlinkat" { throw SystemError(call, errno: .ioError, path: path) }
      }
      #expect(code { _ = try sample.restore(backup, to: sample.data, files: files) } == "system.renameat2")
      #expect(try hrp(["backup", "list"], sample).errors.contains("an interrupted restore left"))
      #expect(try hrp(["doctor"], sample).output.contains("interrupted-restore"))
      #expect(try hrp(["backup", "undo", "--drop"], sample).output.hasPrefix("Freed "))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: sample.data).allSatisfy { !$0.contains("hrp-restore") })
      #expect(try SwapTests.contents(of: sample.data) == before)
    }
  }

  @Test("backups that lie deeper in the MLflow directory are no part of a restore, nor of any undo of it")
  func backupsWithin() throws {
    try withStack { sample in
      try run("/bin/mkdir", ["-p", sample.data + "/mlflow/deep/safe"], in: sample.folder)
      let call = { (words: [String]) in
        try hrp(["backup"] + words + ["--backup-dir", sample.data + "/mlflow/deep/safe"], sample)
      }
      #expect(try call(["create"]).status == 0)
      #expect(try call(["restore", "latest"]).status == 0)
      for _ in 0..<3 {
        #expect(try call(["undo"]).status == 0)
        #expect(try call(["verify", "latest"]).status == 0)
      }
      #expect(try call(["undo", "--drop"]).status == 0)
      #expect(try call(["verify", "latest"]).status == 0)
    }
  }

  @Test("an undo that was interrupted is finished when it is asked for again, and not taken back; a drop waits for it")
  func interruptedUndo() throws {
    try withStack { sample in
      let backup = try sample.create().path
      try Data("later".utf8).write(to: URL(fileURLWithPath: sample.data + "/mlflow/later"))
      let old = try SwapTests.contents(of: sample.data)
      _ = try sample.restore(backup, to: sample.data)
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        if call == "exchange", path == "mlflow" { throw SystemError(call, errno: .ioError, path: path) }
      }
      let undo = {
        _ = try UndoRun(
          RestoreTarget(FilePath(sample.data), files: files), keptDays: 7, files: files, time: SystemTime(),
          events: EventStream()
        ).run()
      }
      #expect(code { try undo() } == "restore.unfinished")
      let again = try hrp(["backup", "undo"], sample)
      #expect(again.status == 0 && again.output.contains("interrupted is finished"), "\(again)")
      #expect(try SwapTests.contents(of: sample.data) == old)
      #expect(try hrp(["backup", "undo"], sample).status == 0)
      #expect(code { try undo() } == "restore.unfinished")
      let drop = try hrp(["backup", "undo", "--drop"], sample)
      #expect(drop.status == 1 && drop.errors.contains("nothing was dropped"), "\(drop)")
      #expect(try hrp(["backup", "undo", "--kept"], sample).output.hasPrefix("  1. what an undo of"))
    }
  }

  @Test("what is kept in a moved directory is found there; in a copied one, nothing of the original is touched")
  func movedAndCopied() throws {
    try withStack { sample in
      try run("/bin/sh", ["-c", "mv mlflow ../store && ln -s ../store mlflow"], in: sample.data)
      let backup = try sample.create().path
      try Data("later".utf8).write(to: URL(fileURLWithPath: sample.folder + "/store/later"))
      let old = try SwapTests.contents(of: sample.folder + "/store")
      _ = try sample.restore(backup, to: sample.data)
      let new = try SwapTests.contents(of: sample.folder + "/store")
      try run("/bin/cp", ["-a", "data", "copy"], in: sample.folder)
      let undo = { (name: String) in
        try run(Checkout.hrp, ["backup", "undo", "--data-dir", sample.folder + "/" + name], in: sample.folder)
      }
      let copied = try undo("copy")
      #expect(copied.status == 1 && copied.errors.contains("belongs to another stack"), "\(copied)")
      #expect(try SwapTests.contents(of: sample.folder + "/store") == new)
      try run("/bin/sh", ["-c", "rm -rf copy && mv data moved"], in: sample.folder)
      let moved = try undo("moved")
      #expect(moved.status == 0, "\(moved)")
      #expect(try SwapTests.contents(of: sample.folder + "/store") == old)
    }
  }

  @Test("a mount within the store is refused before anything is decided", .enabled(if: Mount.canMount))
  func mountWithin() throws {
    try withStack { sample in
      let backup = try sample.create().path
      try run("/bin/sh", ["-c", "mkdir flat && cp -a mlflow/. flat && cp hrp.duckdb* flat/"], in: sample.data)
      let flat = sample.data + "/flat"
      try run("/bin/sh", ["-c", "mv mlruns runs && mkdir mlruns"], in: flat)
      try Mount.withMemory("size=10m", on: sample.folder) { place in
        let bound = try run("/bin/sh", ["-c", "cp -a runs/. '\(place)' && mount --bind '\(place)' mlruns"], in: flat)
        #expect(bound.status == 0)
        defer { _ = try? run("/bin/umount", [flat + "/mlruns"]) }
        let made = try run(Checkout.hrp, ["backup", "create", "--data-dir", flat], in: sample.folder)
        #expect(made.status == 0, "\(made)")
        let done = try run(Checkout.hrp, ["backup", "restore", "latest", "--data-dir", flat], in: sample.folder)
        #expect(done.status == 1 && done.errors.contains("is a mount point"), "\(done)")
        #expect(try run(Checkout.hrp, ["backup", "create", "--data-dir", flat], in: sample.folder).status == 0)
      }
      #expect(try sample.verify(backup).isOK)
    }
  }

  @Test("a link out of the store is named by a backup: what it leads to is not in it")
  func linksOut() throws {
    try withStack { sample in
      try run(
        "/bin/sh",
        [
          "-c",
          "mkdir ../big && mv mlflow/mlruns/0 ../big/ && ln -s ../../../big/0 mlflow/mlruns/0 && ln -s mlruns mlflow/same",
        ],
        in: sample.data)
      let result = try sample.create()
      #expect(result.skipped.map(\.path) == ["mlruns/0"])
    }
  }
}
