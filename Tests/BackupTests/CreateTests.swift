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

@Suite("Creating a backup")
struct CreateTests {
  @Test("a backup has the guide's layout, verifies, and holds what was committed", arguments: Engine.all)
  func layout(engine: Engine) throws {
    try withStack(engine: engine) { sample in
      let result = try sample.create()
      #expect(result.isVerified && result.isComplete && result.includesMLflow)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: result.path).sorted()
          == ["checksums.txt", "hrp.duckdb", "hrp.duckdb.wal", "manifest.jsonl", "metadata.json", "mlruns"])
      let check = try run("/usr/bin/sha256sum", ["-c", "--strict", "--quiet", "checksums.txt"], in: result.path)
      #expect(check.status == 0, "\(check.errors)")
      #expect(try sample.verify(result.path).findings == [])
      try run("/bin/cp", ["-r", result.path, sample.folder + "/copy"])
      try run("/bin/chmod", ["-R", "u+w", sample.folder + "/copy"])
      #expect(
        try engine.query("hrp.duckdb", "SELECT count(*), sum(i) FROM t", in: sample.folder + "/copy") == "1000|499500")
    }
  }

  @Test("files of a backup are read-only, as readable as their sources were, and folders can be removed")
  func permissions() throws {
    try withStack { sample in
      let result = try sample.create()
      let modes = try run(
        "/bin/sh",
        [
          "-c",
          "stat -c '%a %n' hrp.duckdb mlruns/mlflow.db mlruns/0 mlruns/mlruns/0/meta.yaml mlruns checksums.txt 2>/dev/null",
        ],
        in: result.path
      ).output
      #expect(
        modes == "444 hrp.duckdb\n444 mlruns/mlflow.db\n400 mlruns/mlruns/0/meta.yaml\n755 mlruns\n444 checksums.txt\n")
    }
  }

  @Test("names with line feeds, backslashes and bytes that are not UTF-8 are in the backup and pass sha256sum")
  func oddNames() throws {
    try withStack { sample in
      try Engine("2.0.1").run(
        """
        for n in (b'new\\nline', b'back\\\\slash', b'trail ', b'-rf', b'\\xff\\xfe', b'per%cent', b'quo"te', b'cr\\r', 'é✓'.encode()):
            open(b'mlflow/mlruns/0/' + n, 'wb').write(n)
        """, in: sample.data)
      let result = try sample.create()
      #expect(result.isComplete)
      let check = try run("/usr/bin/sha256sum", ["-c", "--strict", "--quiet", "checksums.txt"], in: result.path)
      #expect(check.status == 0, "\(check.errors)")
      #expect(try sample.verify(result.path).findings == [])
      let target = sample.folder + "/restored"
      _ = try sample.restore(result.path, to: target)
      #expect(try run("/usr/bin/diff", ["-r", sample.data + "/mlflow/mlruns", target + "/mlflow/mlruns"]).status == 0)
    }
  }

  @Test("links are stored as links and never followed; those that lead out of the store are named, and so are FIFOs")
  func linksAndFIFOs() throws {
    try withStack { sample in
      try run(
        "/bin/sh",
        ["-c", "cd mlflow/mlruns && ln -s /etc/passwd out && ln -s . loop && ln -s nowhere dangling && mkfifo 0/pipe"],
        in: sample.data)
      let result = try sample.create()
      #expect(
        result.skipped.map { "\($0.path): \($0.why)" } == [
          "mlruns/0/pipe: it is a FIFO", "mlruns/out: it is a symlink, and what it leads to is not in the backup",
        ])
      #expect(result.isComplete)
      let target = sample.folder + "/restored"
      _ = try sample.restore(result.path, to: target)
      for (name, to) in [("out", "/etc/passwd"), ("loop", "."), ("dangling", "nowhere")] {
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: target + "/mlflow/mlruns/" + name) == to)
      }
    }
  }

  @Test("a file that cannot be read makes a backup in part: named, published, never verified")
  func unreadable() throws {
    try withStack { sample in
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        if call == "openat", path == "model.pkl" { throw SystemError("openat", errno: .permissionDenied, path: path) }
      }
      let result = try sample.create(files: files)
      #expect(!result.isComplete && !result.isVerified)
      #expect(result.unread.map(\.path) == ["mlruns/0/r1/artifacts/model.pkl"])
      #expect(try sample.verify(result.path).isOK)
    }
  }

  @Test("a file that changes while it is read is read again; one that never holds still is named")
  func changingFile() throws {
    try withStack { sample in
      let path = sample.data + "/mlflow/mlruns/0/r1/artifacts/model.pkl"
      for (changes, isNamed) in [(2, false), (100, true)] {
        let left = Mutex(changes)
        let files = HookedFileSystem { (call, name) throws(SystemError) in
          guard call == "openat", name == "model.pkl",
            left.withLock({
              $0 -= 1; return $0 >= 0
            })
          else { return }
          // After the next read: a thread of its own would be a race, so the size changes at every open instead.
          let file = FileHandle(forWritingAtPath: path)
          file?.seekToEndOfFile()
          file?.write(Data("x".utf8))
          file?.closeFile()
        }
        // The file grows when its copy is made, between the two looks at it.
        let result = try sample.create(files: files)
        #expect(result.unstable.map(\.path) == (isNamed ? ["mlruns/0/r1/artifacts/model.pkl"] : []))
        #expect(try sample.verify(result.path).isOK)
      }
    }
  }

  @Test("a data directory without a database is an error, never an empty backup")
  func noDatabase() throws {
    try withTemporaryFolder { folder in
      var settings = StackSettings()
      settings.dataDirectory = folder
      settings.databasePath = nil
      settings.backupDirectory = nil
      #expect {
        try BackupRun(Stack(settings), includesMLflow: true, files: Kernel(), time: SystemTime(), events: EventStream())
          .run()
      } throws: { ($0 as? BackupError)?.code == "source.not-found" && ($0 as? BackupError)?.kind == .notFound }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left == [])
    }
  }

  @Test("B5: two backups within one second both exist")
  func sameSecond() throws {
    try withStack { sample in
      let time = ManualTime()
      let first = try sample.create(time: time)
      let second = try sample.create(time: time)
      #expect(second.name == first.name + "_2")
      for path in [first.path, second.path] { #expect(try sample.verify(path).isOK) }
      let listed = try BackupDirectory(FilePath(sample.backups), files: Kernel()).list()
      #expect(listed.map { String(decoding: $0.name.bytes, as: UTF8.self) } == [second.name, first.name])
    }
  }

  @Test("B3, B4: nothing has its final name before everything is durable, read back and described")
  func orderOfWrites() throws {
    try withStack { sample in
      let calls = Mutex<[String]>([])
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        if ["syncfs", "O_DIRECT", "posix_fadvise", "renameat2", "fsync", "pwrite"].contains(call) {
          calls.withLock { $0.append(call) }
        }
      }
      _ = try sample.create(files: files)
      let order = calls.withLock { $0 }
      let sync = try #require(order.firstIndex(of: "syncfs"))
      let readBack = try #require(order[sync...].firstIndex(of: "O_DIRECT"))
      let publish = try #require(order.lastIndex(of: "renameat2"))
      #expect(order.filter { $0 == "syncfs" }.count == 1)
      #expect(sync < readBack && readBack < publish)
      // metadata.json comes last: durable, read back; then the folder; after the rename the directory that holds it.
      let last = try #require(order.lastIndex(of: "posix_fadvise"))
      #expect(order[last - 1] == "fsync")
      // The one write after it is the note in the lock.
      #expect(order[last...publish].filter { $0 != "pwrite" } == ["posix_fadvise", "fsync", "renameat2"])
      #expect(order[publish...].contains("fsync"))
    }
  }

  @Test(
    "B3: what comes back from the disk other than it was written makes the backup fail, and leaves nothing", .guide(28),
    arguments: [
      "printf x | dd of=hrp.duckdb bs=1 seek=300000 conv=notrunc", "printf xx > mlruns/mlruns/0/meta.yaml",
      "printf x | dd of=mlruns/mlruns/0/meta.yaml bs=1 seek=3 conv=notrunc", "echo more >> mlruns/mlruns/0/meta.yaml",
      ": > mlruns/mlruns/0/meta.yaml", "rm mlruns/mlruns/0/meta.yaml", "echo more >> manifest.jsonl",
    ], [true, false])
  func readBack(damage: String, readsBatches: Bool) throws {
    try withStack { sample in
      let hidden = Mutex("")
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        if call == "mkdirat", path.hasSuffix(".partial") { hidden.withLock { $0 = path } }
        if call == "io_submit", !readsBatches { throw SystemError("io_submit", errno: .resourceTemporarilyUnavailable) }
        guard call == "syncfs" else { return }
        // The disk changes something behind our back, after the file was hashed.
        let folder = sample.backups + "/" + hidden.withLock { $0 }
        do {
          try run("/bin/sh", ["-c", "chmod -R u+w . && \(damage)"], in: folder)
        } catch {
          Issue.record(error)
        }
      }
      #expect { try sample.create(files: files) } throws: { ($0 as? BackupError)?.code == "backup.read-back" }
      let left = try FileManager.default.contentsOfDirectory(atPath: sample.backups)
      #expect(left == [".hrp-backups.lock"])
    }
  }

  @Test("B6: what a killed run left is not listed, and the next run removes it; a living one's stays")
  func debris() throws {
    try withStack { sample in
      try run("/bin/mkdir", ["-p", sample.backups + "/.backup_20260101_000000.1-0.partial/mlruns"])
      let alive = sample.backups + "/.backup_20260101_000001.2-0.partial"
      try run("/bin/mkdir", [alive])
      let held = try OpenFile(FilePath(alive), mode: [.directory], files: Kernel())
      #expect(try Kernel().lock(held.descriptor, kind: .exclusive))
      #expect(try BackupDirectory(FilePath(sample.backups), files: Kernel()).list().isEmpty)
      let result = try sample.create()
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: sample.backups).sorted()
          == [".backup_20260101_000001.2-0.partial", ".hrp-backups.lock", result.name])
      try held.close()
    }
  }

  @Test("a database of another name is hrp.duckdb in the backup, and the metadata keeps its own name")
  func otherName() throws {
    try withStack { sample in
      try run("/bin/sh", ["-c", "mv hrp.duckdb research.db && mv hrp.duckdb.wal research.db.wal"], in: sample.data)
      var settings = StackSettings()
      settings.databasePath = sample.data + "/research.db"
      settings.dataDirectory = nil
      settings.backupDirectory = nil
      let run = BackupRun(
        Stack(settings), includesMLflow: false, files: Kernel(), time: SystemTime(), events: EventStream())
      let result = try run.run()
      #expect(!result.includesMLflow)
      #expect(result.path.hasPrefix(sample.backups))
      let metadata = try String(contentsOfFile: result.path + "/metadata.json", encoding: .utf8)
      #expect(metadata.contains("\"name\": \"research.db\""))
      #expect(try Engine("2.0.1").query("d/hrp.duckdb", "SELECT count(*) FROM t", in: copy(result, sample)) == "1000")
    }
  }

  private func copy(_ result: CreateResult, _ sample: SampleStack) throws -> String {
    try run("/bin/sh", ["-c", "cp -r '\(result.path)' d && chmod -R u+w d"], in: sample.folder)
    return sample.folder
  }

  @Test(
    "a run that fails leaves no backup and no folder in the making",
    arguments: ["pwrite", "syncfs", "fsync", "renameat2", "mkdirat"])
  func failures(call: String) throws {
    try withStack { sample in
      // The last call of its kind that a whole run makes.
      let count = Mutex(0)
      _ = try sample.create(
        files: HookedFileSystem { (name, _) throws(SystemError) in if name == call { count.withLock { $0 += 1 } } })
      let before = try BackupDirectory(FilePath(sample.backups), files: Kernel()).list().count
      // The very last pwrite is the note in a lock, which may fail; the last fsync comes after the rename.
      let left = Mutex(count.withLock { $0 } - (["fsync", "pwrite"].contains(call) ? 1 : 0))
      let files = HookedFileSystem { (name, path) throws(SystemError) in
        guard name == call,
          left.withLock({
            $0 -= 1; return $0 == 0
          })
        else { return }
        throw SystemError(name, errno: .noSpace, path: path)
      }
      #expect(throws: (any Error).self) { try sample.create(files: files) }
      #expect(try BackupDirectory(FilePath(sample.backups), files: Kernel()).list().count == before)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: sample.backups).filter { $0.hasSuffix(".partial") } == [])
    }
  }

  @Test(
    "a failure of the target is never taken for an unreadable source",
    arguments: [Errno.noSpace, .ioError, .tooManyOpenFiles])
  func targetFailure(errno: Errno) throws {
    try withStack { sample in
      try run(
        "/bin/sh", ["-c", "mkdir d && for i in 1 2 3; do echo $i > d/f$i; echo $i > g$i; done"],
        in: sample.data + "/mlflow")
      // The source is opened first, then the copy; at the top each file is looked at before, for SQLite's mark.
      for (name, number) in [("f2", 2), ("g2", 3)] {
        let opens = Mutex(0)
        let files = HookedFileSystem { (call, path) throws(SystemError) in
          guard call == "openat", path == name,
            opens.withLock({
              $0 += 1; return $0 == number
            })
          else { return }
          throw SystemError(call, errno: errno, path: path)
        }
        #expect(throws: (any Error).self) { try sample.create(files: files) }
        #expect(try BackupDirectory(FilePath(sample.backups), files: Kernel()).list().isEmpty)
      }
    }
  }

  @Test("a path that is too long or too deep is named, and the rest is in the backup")
  func deepPath() throws {
    try withStack { sample in
      try Engine("2.0.1").run(
        """
        os.chdir('mlflow')
        for i in range(140): os.mkdir('d'); os.chdir('d')
        open('deep', 'w').close(); os.chdir('/')
        """, in: sample.data)
      let result = try sample.create()
      #expect(!result.isComplete && result.unread.count == 1)
      #expect(result.unread[0].why == "its path is too long or too deep")
      #expect(try sample.verify(result.path).isOK)
    }
  }

  @Test("a store that is not where it is said to be is an error, never a backup without it")
  func missingStore() throws {
    try withStack { sample in
      var settings = StackSettings()
      settings.dataDirectory = sample.data
      settings.databasePath = nil
      settings.backupDirectory = nil
      for uri in ["/nowhere/runs", "sqlite:////nowhere/m.db", "file:/nowhere"] {
        settings.trackingURI = uri
        #expect {
          try BackupRun(
            Stack(settings), includesMLflow: true, files: Kernel(), time: SystemTime(), events: EventStream()
          ).run()
        } throws: {
          BackupError($0, doing: "").code == "mlflow.not-found"
        }
      }
      try run("/bin/sh", ["-c", "mv mlflow elsewhere && ln -s /not/mounted mlflow"], in: sample.data)
      #expect { try sample.create() } throws: { BackupError($0, doing: "").code == "mlflow.not-found" }
    }
  }

  @Test("backups in the data directory itself work; in the MLflow directory itself they are refused")
  func places() throws {
    try withStack { sample in
      var settings = StackSettings()
      settings.dataDirectory = sample.data
      settings.databasePath = nil
      settings.trackingURI = nil
      settings.backupDirectory = sample.data
      let create = {
        try BackupRun(
          Stack(settings), includesMLflow: true, files: Kernel(), time: SystemTime(), events: EventStream()
        ).run()
      }
      #expect(try create().isVerified)
      settings.backupDirectory = sample.data + "/mlflow"
      #expect { try create() } throws: { BackupError($0, doing: "").code == "backup-directory.in-source" }
      settings.backupDirectory = sample.data + "/mlflow/backups"
      _ = try create()
      #expect(try create().filesCount == 5)
    }
  }

  @Test("a database that lies in the MLflow directory is not copied a second time as a file")
  func databaseInside() throws {
    try withStack { sample in
      try run("/bin/sh", ["-c", "mv hrp.duckdb hrp.duckdb.wal mlflow/"], in: sample.data)
      var settings = StackSettings()
      settings.dataDirectory = sample.data
      settings.databasePath = sample.data + "/mlflow/hrp.duckdb"
      settings.backupDirectory = nil
      settings.trackingURI = nil
      let result = try BackupRun(
        Stack(settings), includesMLflow: true, files: Kernel(), time: SystemTime(), events: EventStream()
      ).run()
      #expect(try StoredNames.of(result.path).filter { $0.contains("duckdb") } == ["hrp.duckdb", "hrp.duckdb.wal"])
    }
  }

  @Test("a private MLflow directory is private in the backup, also when a database of it was copied first")
  func privateStore() throws {
    try withStack { sample in
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: sample.data + "/mlflow")
      #expect(FileManager.default.fileExists(atPath: sample.data + "/mlflow/mlflow.db"))
      let path = try sample.create().path
      let mode = try FileManager.default.attributesOfItem(atPath: path + "/mlruns")[.posixPermissions] as? Int
      #expect(mode == 0o700)
    }
  }

  @Test("a tracking database that is damaged makes no verified backup", arguments: ["page", "cut", "start"])
  func damagedTracking(kind: String) throws {
    try withStack { sample in
      let path = sample.data + "/mlflow/mlflow.db"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      if kind == "page" {
        for offset in 4096..<8192 { bytes[offset] = 0xFF }
      } else if kind == "cut" {
        bytes = bytes.prefix(6000)
      } else {
        bytes.replaceSubrange(0..<15, with: Data("garbage garbage".utf8))
      }
      try bytes.write(to: URL(fileURLWithPath: path))
      let result = try sample.create()
      #expect(!result.isVerified && result.unread.map(\.path) == ["mlflow.db"])
    }
  }
}
