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

/// B7: who may read and own what a backup and a restore make.
@Suite("Owners and permissions")
struct OwnersTests {
  private func modes(_ names: [String], in folder: String, _ format: String = "%a %n") throws -> String {
    try run("/usr/bin/stat", ["-c", format] + names, in: folder).output
  }

  @Test("nothing that gives another's rights comes out of a backup")
  func setuid() throws {
    try withStack { sample in
      try run(
        "/bin/sh", ["-c", "echo > run && chmod 6755 run && mkdir d && chmod 4755 d && chmod 6644 ../hrp.duckdb"],
        in: sample.data + "/mlflow")
      let backup = try sample.create().path
      let target = sample.folder + "/target"
      _ = try sample.restore(backup, to: target)
      #expect(
        try modes(["hrp.duckdb", "mlflow/run", "mlflow/d"], in: target)
          == "644 hrp.duckdb\n755 mlflow/run\n755 mlflow/d\n")
    }
  }

  @Test("a private data directory gives private backups, and a private restored place")
  func privacy() throws {
    try withStack { sample in
      try run(
        "/bin/sh",
        ["-c", "mkdir mlflow/secret && touch mlflow/secret/x && chmod 700 mlflow/secret . && mkdir ../safe"],
        in: sample.data)
      var settings = StackSettings(dataDirectory: sample.data, backupDirectory: sample.folder + "/safe")
      settings.databasePath = nil
      settings.trackingURI = nil
      let made = try BackupRun(
        Stack(settings), includesMLflow: true, files: Kernel(), time: SystemTime(), events: EventStream()
      ).run()
      #expect(try modes([".", "mlruns", "mlruns/secret"], in: made.path) == "700 .\n755 mlruns\n700 mlruns/secret\n")
      _ = try sample.restore(made.path, to: sample.folder + "/target")
      #expect(try modes([".", "mlflow/secret"], in: sample.folder + "/target") == "700 .\n700 mlflow/secret\n")
      // An ordinary one stays as open as it was.
      try run("/bin/chmod", ["755", sample.data])
      let open = try sample.create()
      _ = try sample.restore(open.path, to: sample.folder + "/open")
      #expect(try modes([open.path, sample.folder + "/open"], in: "/", "%a") == "755\n755\n")
    }
  }

  @Test("what a backup in the making and a restore in the making hold is nobody else's to read")
  func staging() throws {
    try withStack { sample in
      let made = try sample.create().path
      let files = HookedFileSystem { (call, _) throws(SystemError) in
        guard call == "syncfs" else { return }
        let found = try? run(
          "/usr/bin/find", [sample.folder, "-name", ".*.partial", "-perm", "/077"], in: sample.folder)
        #expect(found?.output == "")
      }
      _ = try sample.create(files: files)
      _ = try sample.restore(made, to: sample.data, files: files)
      _ = try sample.restore(made, to: sample.folder + "/new", files: files)
    }
  }

  @Test("what root restores over a user's stack is the user's, who can undo it", .enabled(if: isRoot, "needs root"))
  func ownersOfReplaced() throws {
    try withStack { sample in
      let made = try sample.create().path
      try run("/bin/sh", ["-c", "echo newer > mlflow/newer && chown -R 65534:65534 ."], in: sample.data)
      let words = ["backup", "restore", made, "--data-dir", sample.data]
      #expect(try run(Checkout.hrp, words, in: "/").status == 0)
      let foreign = try run(
        "/usr/bin/find",
        [".", "-not", "-path", "./backups/*", "(", "-not", "-user", "65534", "-o", "-not", "-group", "65534", ")"],
        in: sample.data)
      #expect(foreign.output == "")
      try run("/bin/chmod", ["755", sample.folder])
      let done = try run(
        "/usr/bin/setpriv",
        [
          "--reuid=65534", "--regid=65534", "--clear-groups", Checkout.hrp, "backup", "undo", "--data-dir", sample.data,
        ],
        in: "/", environment: ["TMPDIR": sample.data])
      #expect(done.status == 0, "\(done.errors)")
      #expect(FileManager.default.fileExists(atPath: sample.data + "/mlflow/newer"))
    }
  }

  @Test("a new place gets the owner of the directory that it is made in", .enabled(if: isRoot, "needs root"))
  func ownersOfNew() throws {
    try withStack { sample in
      let made = try sample.create().path
      try run("/bin/sh", ["-c", "mkdir home && chown 65534:65534 home"], in: sample.folder)
      _ = try sample.restore(made, to: sample.folder + "/home/new")
      #expect(try run("/usr/bin/find", ["home", "-not", "-user", "65534"], in: sample.folder).output == "")
    }
  }

  @Test("a lock of root's and a user's lock are one lock", .enabled(if: isRoot, "needs root"))
  func oneLock() throws {
    try withStack { sample in
      try run("/bin/sh", ["-c", "chown -R 65534:65534 data && chmod 755 ."], in: sample.folder)
      try run("/bin/sh", ["-c", "touch .hrp-stack.lock && chmod 644 .hrp-stack.lock"], in: sample.data)
      let note = ThisProcess.note(program: "test", time: SystemTime())
      let lock = try AdvisoryLock.take(
        .exclusive, of: .stack, on: FilePath(sample.data), note: note, files: Kernel(), time: SystemTime())
      let done = try run(
        "/usr/bin/setpriv",
        [
          "--reuid=65534", "--regid=65534", "--clear-groups", Checkout.hrp, "backup", "create", "--data-dir",
          sample.data,
        ],
        in: "/", environment: ["TMPDIR": sample.data])
      #expect(done.status == 11, "\(done.errors)")
      try lock.release()
    }
  }

  @Test("times beyond 2262 come back as the last that can be said, not as 1901")
  func farTimes() throws {
    try withStack { sample in
      let file = "mlflow/mlruns/0/r1/artifacts/model.pkl"
      try run("/usr/bin/touch", ["-d", "@13600000000", file], in: sample.data)
      let made = try sample.create().path
      _ = try sample.restore(made, to: sample.folder + "/target")
      let year = try run("/usr/bin/date", ["-u", "-r", file, "+%Y"], in: sample.folder + "/target").output
      #expect(year == "2262\n")
    }
  }

  @Test("sizes are added up to the largest number, and not beyond")
  func clampedSums() {
    #expect(Int64.max.addingClamped(1) == .max && (Int64.max - 1).addingClamped(.max) == .max)
    #expect(Int64.min.addingClamped(-1) == .min && Int64(2).addingClamped(3) == 5)
  }
}
