import Foundation
import TestKit
import Testing

/// What is of an MLflow store, what is not, and that nothing of it is lost without a word.
@Suite("What belongs to an MLflow store")
struct StoreBoundsTests {
  // MARK: - Backups that are not whole

  @Test("an MLflow directory that vanished makes a backup incomplete, also with -q; --no-mlflow says that it is meant")
  func vanished() throws {
    try withRecoverSample { sample in
      _ = try sample.backup()
      try sample.shell("mv mlflow ../aside")
      let done = try sample.hrp("backup", "create", "-q")
      #expect(done.status == 3 && done.errors.contains("there is no MLflow directory, and backup_"), "\(done)")
      let list = try sample.hrp("backup", "list").output
      #expect(list.split(separator: "\n").dropFirst().first?.contains("[incomplete]") == true, "\(list)")
      #expect(try sample.hrp("backup", "create", "--no-mlflow").status == 0)
      #expect(try sample.hrp("backup", "create", "-q").status == 3)
      try sample.shell("mv ../aside mlflow")
      #expect(try sample.hrp("backup", "create").status == 0)
    }
  }

  @Test("a drill, a restore and a verification say that a backup is incomplete, also with -q")
  func incomplete() throws {
    try withRecoverSample { sample in
      _ = try sample.backup()
      try sample.shell("mv mlflow ../aside")
      _ = try sample.hrp("backup", "create", "-q")
      for words in [["drill", "1"], ["verify", "1"], ["restore", "1", "--target-dir", sample.folder + "/new"]] {
        let done = try run(
          Checkout.hrp, ["backup"] + words + ["-q", "--data-dir", sample.data], in: sample.folder,
          environment: ["HRP_DUCKDB_LIBRARY": Checkout.root.appendingPathComponent(".deps/lib/libduckdb.so").path])
        #expect(done.status == 0 && done.errors.contains("warning: this backup is incomplete"), "\(words): \(done)")
      }
    }
  }

  @Test("backups of another stack are marked in the list, named by a restore, and passed over by recover")
  func anotherStack() throws {
    try withRecoverSample { sample in
      let own = try sample.backup()
      try run("/bin/sh", ["-c", "cp -r data other && rm -r other/backups"], in: sample.folder)
      let other = sample.folder + "/other"
      let made = try run(
        Checkout.hrp, ["backup", "create", "--json", "--data-dir", other, "--backup-dir", sample.data + "/backups"])
      let foreign = try #require(RecoverSample.object(made)["path"] as? String)
      let list = try sample.hrp("backup", "list", "-q").output.split(separator: "\n")
      #expect(list[1].hasSuffix("[of \(other)]") && !list[2].contains("[of"), "\(list)")
      let restored = try sample.hrp("backup", "restore", foreign, "-q")
      #expect(restored.errors.contains("is of another place, \(other)"), "\(restored)")
      #expect(try !sample.hrp("backup", "restore", own, "-q").errors.contains("another place"))
      try Data(repeating: 7, count: 40_000).write(to: URL(fileURLWithPath: sample.data + "/hrp.duckdb"))
      let plan = try sample.hrp("recover", "--json")
      #expect(try RecoverSample.object(plan)["backup"] as? String == own, "\(plan)")
      #expect(plan.errors.contains("of another stack is passed over"), "\(plan)")
    }
  }

  // MARK: - What is kept, and what is not

  @Test("what lies in the data directory and not in MLflow's is left where it is named, and counted")
  func outsideOfMLflow() throws {
    try withRecoverSample { sample in
      try sample.shell(
        """
        mkdir -p artifacts/r3 && echo 3 > artifacts/r3/x
        sqlite3 mlflow/mlflow.db "INSERT INTO runs VALUES ('r3', 'third', 1, 'active', '$PWD/artifacts/r3')"
        """)
      let backup = try sample.backup()
      let new = sample.folder + "/new"
      let done = try sample.hrp("backup", "restore", backup, "--target-dir", new, "--json")
      let uris = try run(
        "/usr/bin/sqlite3", [new + "/mlflow/mlflow.db", "SELECT artifact_uri FROM runs ORDER BY run_uuid"]
      ).output.split(separator: "\n").map(String.init)
      #expect(
        uris == [
          "\(new)/mlflow/mlruns/1/r1/artifacts", "\(new)/mlflow/mlruns/1/r2/artifacts",
          "\(sample.data)/artifacts/r3",
        ])
      #expect(try RecoverSample.object(done)["left"] as? Int == 1, "\(done)")
      #expect(done.errors.contains("outside of the MLflow directory: "), "\(done)")
    }
  }

  @Test("in the flat layout, only the store's own names came with the backup")
  func flat() throws {
    try withRecoverSample { sample in
      try sample.shell(
        """
        mv mlflow/mlflow.db mlflow/mlruns . && rmdir mlflow && mkdir -p artifacts/r3 && echo 3 > artifacts/r3/x
        sqlite3 mlflow.db "UPDATE runs SET artifact_uri = replace(artifact_uri, '/mlflow/mlruns', '/mlruns');
          UPDATE experiments SET artifact_location = replace(artifact_location, '/mlflow/mlruns', '/mlruns');
          INSERT INTO runs VALUES ('r3', 'third', 1, 'active', '$PWD/artifacts/r3')"
        """)
      let made = try sample.hrp("backup", "create", "--json")
      #expect(made.errors.contains("artifacts of 1 record are not in the backup"), "\(made)")
      let backup = try #require(RecoverSample.object(made)["path"] as? String)
      let new = sample.folder + "/new"
      let done = try sample.hrp("backup", "restore", backup, "--target-dir", new, "--json")
      let uris = try run("/usr/bin/sqlite3", [new + "/mlflow.db", "SELECT artifact_uri FROM runs ORDER BY run_uuid"])
        .output.split(separator: "\n").map(String.init)
      #expect(
        uris == ["\(new)/mlruns/1/r1/artifacts", "\(new)/mlruns/1/r2/artifacts", "\(sample.data)/artifacts/r3"],
        "\(done)")
    }
  }

  @Test("a forced restore of MLflow names the programs that go on with the old files, and says to restart them")
  func beside() throws {
    try withRecoverSample { sample in
      let backup = try sample.backup()
      let script = "exec 9<mlflow/mlflow.db; \"$@\""
      let words = ["backup", "restore", backup, "--only", "mlflow", "--data-dir", sample.data]
      let refused = try run("/bin/sh", ["-c", script, "sh", Checkout.hrp] + words, in: sample.data)
      #expect(refused.status == 11, "\(refused)")
      let done = try run(
        "/bin/sh", ["-c", script + "; exit $?", "sh", Checkout.hrp] + words + ["--force"], in: sample.data)
      #expect(done.status == 0 && done.errors.contains("(sh)") && done.errors.contains("restart it"), "\(done)")
      let undone = try run(
        "/bin/sh",
        ["-c", script + "; exit $?", "sh", Checkout.hrp, "backup", "undo", "--force", "--data-dir", sample.data],
        in: sample.data)
      #expect(undone.status == 0 && undone.errors.contains("restart it"), "\(undone)")
    }
  }

  @Test("a tracking server whose records lie in the MLflow directory is not called missing from the backup")
  func localServer() throws {
    try withRecoverSample { sample in
      let server = ["MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"]
      let done = try sample.hrp("backup", "create", environment: server)
      #expect(done.status == 0 && !done.errors.contains("are on a server"), "\(done)")
      #expect(done.errors.contains("MLflow's records in \(sample.data)/mlflow are in the backup"), "\(done)")
      #expect(try !sample.hrp("doctor", environment: server).output.contains("are on a server"))
      try sample.shell("rm mlflow/mlflow.db")
      let none = try sample.hrp("backup", "create", environment: server)
      #expect(none.errors.contains("are on a server (http) and not in the backup"), "\(none)")
    }
  }

  @Test("a directory of old backups in MLflow's is not backed up again, and a restore leaves it where it is")
  func oldBackups() throws {
    try withRecoverSample { sample in
      let first = try sample.backup()
      let name = String(first.split(separator: "/").last ?? "")
      try sample.shell("mkdir mlflow/old && cp -r backups/\(name) mlflow/old/ && cp -r backups/\(name) mlflow/")
      let done = try sample.hrp("backup", "create", "--json")
      let second = try #require(RecoverSample.object(done)["path"] as? String)
      #expect(!FileManager.default.fileExists(atPath: second + "/mlruns/old"))
      #expect(!FileManager.default.fileExists(atPath: second + "/mlruns/" + name))
      let skipped = try RecoverSample.object(done)["skipped"] as? [[String: String]] ?? []
      #expect(skipped.map { $0["path"] } == [name, "old"], "\(done)")
      let restored = try sample.hrp("backup", "restore", second)
      #expect(restored.status == 0, "\(restored)")
      for place in ["/mlflow/old/\(name)/hrp.duckdb", "/mlflow/\(name)/hrp.duckdb"] {
        #expect(FileManager.default.fileExists(atPath: sample.data + place))
      }
      // What is more than backups is the user's, and stays in the backup.
      try sample.shell("echo thesis > mlflow/old/notes")
      let third = try sample.backup()
      #expect(FileManager.default.fileExists(atPath: third + "/mlruns/old/notes"))
    }
  }
}
