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

/// What errors of the kernel are called, and what they say to do.
@Suite("Remedies")
struct RemedyTests {
  private static let stack: Stack = {
    var settings = StackSettings(dataDirectory: "/data", backupDirectory: "/mnt/backups")
    settings.databasePath = nil
    settings.trackingURI = nil
    return Stack(settings)
  }()

  private func error(_ call: String, _ errno: Errno, _ path: String = "/data/mlflow/x") -> BackupError {
    BackupError(SystemError(call, errno: errno, path: path), doing: "making the backup", on: Self.stack)
  }

  @Test("limits of the system are not called faults of a disk")
  func limits() {
    let cases: [(String, Errno, String)] = [
      ("openat", .tooManyOpenFiles, "ulimit -n"), ("openat", .tooManyOpenFilesInSystem, "fs.file-max"),
      ("mmap", .noMemory, "memory"), ("posix_spawn", .resourceTemporarilyUnavailable, "ulimit -u"),
      ("linkat", .tooManyLinks, "--no-link"), ("pwrite", .fileTooLarge, "4 GB"),
    ]
    for (call, errno, words) in cases {
      let remedy = error(call, errno).remedy
      #expect(remedy.contains(words), "\(remedy)")
      #expect(!remedy.contains("dmesg") && !remedy.contains("chmod"), "\(remedy)")
      #expect(error(call, errno).code == "system.\(call)")
    }
    #expect(error("pread", .ioError).remedy.contains("dmesg"))
  }

  @Test("who may not read the database is not told to change the backup directory, and the other way round")
  func permissions() {
    let database = error("openat", .permissionDenied, "/data/hrp.duckdb")
    #expect(database.code == "permission.denied" && database.message.contains("/data/hrp.duckdb"))
    #expect(!database.remedy.contains("chmod 755") && database.remedy.contains("owns the database"))
    let backups = error("mkdirat", .permissionDenied, "/mnt/backups/.backup_20260124_020000.12-0.partial")
    #expect(backups.remedy.contains("chmod 755 /mnt/backups,"), "\(backups.remedy)")
    let scratch = error("openat", .permissionDenied, "\(Self.stack.scratchDirectory.string)/hrp-scratch.1.2/x")
    #expect(scratch.remedy.contains("throws away") && !scratch.remedy.contains("database"), "\(scratch.remedy)")
  }

  @Test("no name of a temporary file is shown, in no text of the error")
  func temporaryNames() {
    let paths = [
      "/mnt/backups/.backup_20260124_020000.12-0.partial/mlruns/x", "/data/.hrp.duckdb.hrp-restore.partial/y",
      ".hrp-copy.12.partial", "/data/scratch/hrp-snapshot.1.2/database.duckdb", "/mnt/backups/.12.partial",
      ".backup_20260124_020000.12-0.partial",
    ]
    for path in paths {
      for errno: Errno in [.ioError, .noSpace, .permissionDenied, .fileExists, .readOnlyFileSystem, .invalidArgument] {
        let error = error("openat", errno, path)
        for text in [error.message, error.remedy, error.cause ?? ""] {
          #expect(!text.contains("partial") && !text.contains("hrp-snapshot"), "\(text)")
        }
      }
    }
    // Names that stay are shown.
    #expect(error("flock", .noLocks, "/data/.hrp-stack.lock").message.contains("/data/.hrp-stack.lock"))
  }

  @Test("a path in a command is one word for the shell, whatever is in it")
  func quoting() throws {
    let words = [
      "/data/with blank/it's": "'/data/with blank/it'\\''s'", "/plain-1.2_x": "/plain-1.2_x",
      "/data/\u{1B}[31m'\\": "$'/data/\\x1b[31m\\'\\\\'", "": "''", "/$HOME/`id`": "'/$HOME/`id`'",
    ]
    for (text, word) in words {
      #expect(ShellWord.quoted(text) == word)
      let echoed = try run("/bin/bash", ["-c", "printf %s \(word)"])
      #expect(echoed.output == text, "\(word)")
    }
    let bytes: [UInt8] = [0x2F, 0xFF, 0x20]
    #expect(ShellWord.quoted(FilePath(bytes: bytes)) == "$'/\\xff '")
    #expect(error("openat", .permissionDenied, "/elsewhere/a b").remedy.contains("ls -ld '/elsewhere/a b'"))
  }

  @Test("trouble with scratch is not trouble with the database")
  func scratch() throws {
    try withStack { sample in
      let stack = sample.stack
      let database = LiveDatabase(
        stack.database, scratch: FilePath("/proc/no-such-place/scratch"), files: Kernel(), time: SystemTime())
      do {
        _ = try database.health(expecting: .found)
        Issue.record("it was looked at")
      } catch let error as BackupError {
        #expect(error.code == "scratch.unusable" && error.message.contains("/proc/no-such-place/scratch"))
        #expect(error.remedy.contains("Nothing is wrong with the database"))
      }
    }
  }

  @Test("what an operating system leaves in a backup is a notice; anything else is named with the rm that mends it")
  func litter() throws {
    try withStack { sample in
      let backup = try sample.create().path
      try run(
        "/bin/sh",
        ["-c", "chmod u+w . mlruns; touch .DS_Store mlruns/Thumbs.db mlruns/desktop.ini ._x mlruns/.DS_Store"],
        in: backup)
      let report = try sample.verify(backup)
      #expect(report.isOK && report.level == .structure, "\(report.findings)")
      #expect(report.notices.contains { $0.contains(".DS_Store") && $0.contains("and 2 more") }, "\(report.notices)")
      let target = sample.folder + "/new"
      _ = try sample.restore(backup, to: target)
      #expect(!FileManager.default.fileExists(atPath: target + "/.DS_Store"))
      #expect(!FileManager.default.fileExists(atPath: target + "/mlflow/Thumbs.db"))

      try run("/bin/sh", ["-c", "echo x > 'my notes.txt'; mkdir extra; echo y > extra/z"], in: backup)
      let spoilt = try sample.verify(backup)
      let command = try #require(spoilt.mendingCommand)
      #expect(command.hasPrefix("rm -r -- ") && command.contains("'\(backup)/my notes.txt'"), "\(command)")
      do {
        _ = try sample.restore(backup, to: sample.folder + "/other")
        Issue.record("it was restored")
      } catch {
        #expect(BackupError(error, doing: "restoring").remedy.contains(command))
      }
      try run("/bin/sh", ["-c", command])
      #expect(try sample.verify(backup).isOK)
    }
  }
}
