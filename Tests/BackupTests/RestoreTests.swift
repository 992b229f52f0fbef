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

@Suite("Restoring a backup")
struct RestoreTests {
  @Test("a restored stack is the one that was backed up: contents, permissions, times, links, empty folders")
  func fidelity() throws {
    try withStack { sample in
      try run(
        "/bin/sh", ["-c", "cd mlflow/mlruns && ln -s 0 link && chmod 750 0 && touch -h -d '2026-01-05' link"],
        in: sample.data)
      let result = try sample.create()
      let target = sample.folder + "/new/place"
      let restored = try sample.restore(result.path, to: target)
      #expect(restored.restored == ["hrp.duckdb", "mlruns/"])
      let (there, here) = try (
        SampleStack.listing(of: target + "/mlflow/mlruns"), SampleStack.listing(of: sample.data + "/mlflow/mlruns")
      )
      #expect(there == here)
      #expect(try Engine("2.0.1").query("hrp.duckdb", "SELECT count(*), sum(i) FROM t", in: target) == "1000|499500")
      #expect(try run("/usr/bin/sqlite3", [target + "/mlflow/mlflow.db", "SELECT count(*) FROM runs"]).output == "1\n")
    }
  }

  @Test("a directory with other things in it keeps them")
  func besideOthers() throws {
    try withStack { sample in
      let result = try sample.create()
      let target = sample.folder + "/target"
      try run("/bin/sh", ["-c", "mkdir target && echo mine > target/notes"], in: sample.folder)
      _ = try sample.restore(result.path, to: target)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: target).sorted()
          == [".hrp-stack.lock", ".hrp.duckdb.hrp-undo.1", "hrp.duckdb", "hrp.duckdb.wal", "mlflow", "notes"])
    }
  }

  @Test("a part alone is restored when only that is asked for", arguments: StackPart.allCases)
  func parts(part: StackPart) throws {
    try withStack { sample in
      let result = try sample.create()
      let target = sample.folder + "/target"
      _ = try sample.restore(result.path, to: target, part: part)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: target).sorted()
          == (part == .duckdb ? ["hrp.duckdb", "hrp.duckdb.wal"] : ["mlflow"]))
    }
  }

  @Test("a dry run checks everything and writes nothing")
  func dryRun() throws {
    try withStack { sample in
      let result = try sample.create()
      let plan = try sample.restore(result.path, to: sample.folder + "/target", isDryRun: true)
      #expect(plan.filesCount == 5)
      #expect(!FileManager.default.fileExists(atPath: sample.folder + "/target"))
      try run("/bin/sh", ["-c", "rm -f mlruns/mlflow.db"], in: result.path)
      #expect(throws: RestoreRun.Damaged.self) {
        try sample.restore(result.path, to: sample.folder + "/target", isDryRun: true)
      }
    }
  }

  @Test("a backup that came over a network without times, modes and links is restored as far as it says itself")
  func copied() throws {
    try withStack { sample in
      let result = try sample.create()
      try run("/bin/sh", ["-c", "cp -r '\(result.path)' elsewhere && chmod -R a+rw elsewhere"], in: sample.folder)
      let target = sample.folder + "/target"
      _ = try sample.restore(sample.folder + "/elsewhere", to: target)
      #expect(
        try SampleStack.listing(of: target + "/mlflow/mlruns")
          == SampleStack.listing(of: sample.data + "/mlflow/mlruns"))
    }
  }

  @Test(
    "R1 to R3: a failure at any step leaves the target as it was",
    arguments: ["pwrite", "syncfs", "renameat2", "fchmod", "openat"])
  func failures(call: String) throws {
    try withStack { sample in
      let result = try sample.create()
      let files = HookedFileSystem { (name, path) throws(SystemError) in
        guard name == call, name != "openat" || path == "model.pkl" else { return }
        throw SystemError(name, errno: .noSpace, path: path)
      }
      #expect(throws: (any Error).self) { try sample.restore(result.path, to: sample.folder + "/target", files: files) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: sample.folder) == ["data"])
    }
  }

  @Test("the flat layout comes back as the flat layout")
  func flat() throws {
    try withStack { sample in
      try run(
        "/bin/sh", ["-c", "mv mlflow/mlruns mlflow/mlflow.db . && rmdir mlflow && touch unrelated"], in: sample.data)
      let result = try sample.create()
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: result.path + "/mlruns").sorted() == [
          "mlflow.db", "mlruns",
        ])
      let target = sample.folder + "/target"
      _ = try sample.restore(result.path, to: target)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: target).sorted()
          == ["hrp.duckdb", "hrp.duckdb.wal", "mlflow.db", "mlruns"])
    }
  }

  @Test("folders come back with the permissions that they had")
  func folderPermissions() throws {
    try withStack { sample in
      try run(
        "/bin/sh", ["-c", "mkdir a b c && chmod 555 a && chmod 500 b && chmod 2750 c"], in: sample.data + "/mlflow")
      let result = try sample.create()
      let target = sample.folder + "/target"
      _ = try sample.restore(result.path, to: target)
      let modes = try run("/usr/bin/stat", ["-c", "%a %n", "a", "b", "c"], in: target + "/mlflow").output
      #expect(modes == "555 a\n500 b\n2750 c\n")
      try run("/bin/chmod", ["-R", "u+rwx", sample.folder])
    }
  }

  @Test("of two restores to one place the second is told who is there")
  func twoAtOnce() throws {
    try withStack { sample in
      let result = try sample.create()
      let inner = Mutex<String?>(nil)
      let files = HookedFileSystem { (call, _) throws(SystemError) in
        guard call == "syncfs" else { return }
        do {
          _ = try sample.restore(result.path, to: sample.folder + "/target")
        } catch {
          inner.withLock { $0 = BackupError(error, doing: "").code }
        }
      }
      _ = try sample.restore(result.path, to: sample.folder + "/target", files: files)
      #expect(inner.withLock { $0 } == "restore.busy")
    }
  }

  @Test("what a crashed restore left is removed by the next one")
  func debris() throws {
    try withStack { sample in
      let result = try sample.create()
      try run("/bin/mkdir", ["-p", ".target.hrp-restore.partial/mlflow"], in: sample.folder)
      _ = try sample.restore(result.path, to: sample.folder + "/target")
      let left = try FileManager.default.contentsOfDirectory(atPath: sample.folder).sorted()
      #expect(left == ["data", "target"])
    }
  }
}
