import Backup
import Calendars
import Files
import Foundation
import Retention
import Settings
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

@Suite("The trash")
struct TrashTests {
  private static let day: Int64 = 86_400_000_000_000

  private func rotate(_ sample: SampleStack, at now: Int64, trashDays: Int64 = 3) throws -> RotationResult {
    var settings = try keepingDays(30)
    settings.trashDays = trashDays
    return try Rotation(
      in: FilePath(sample.backups), files: Kernel(), time: ManualTime(now: now), events: EventStream()
    ).run(settings)
  }

  private func trash(_ sample: SampleStack, at now: Int64 = SystemTime().nowNanoseconds) -> Trash {
    Trash(of: FilePath(sample.backups), files: Kernel(), time: ManualTime(now: now))
  }

  private func hrp(_ sample: SampleStack, _ words: String...) throws -> Finished {
    try run(Checkout.hrp, ["backup"] + words + ["--data-dir", sample.data], in: sample.folder)
  }

  /// Three backups of one day after the other, the last of them now.
  private func made(_ sample: SampleStack, now: Int64) throws -> [String] {
    try (0..<3).map { number in
      try sample.create(time: ManualTime(now: now - Int64(2 - number) * Self.day)).name
    }
  }

  @Test("X1: what a rotation deletes can be brought back, with its pin and its proof, and verifies")
  func broughtBack() throws {
    try withStack { sample in
      let now = SystemTime().nowNanoseconds
      let names = try made(sample, now: now - 40 * Self.day)
      #expect(try hrp(sample, "drill", names[0]).status == 0)
      let result = try rotate(sample, at: now)
      #expect(result.deleted == [names[0]] && result.bytesFreed == 0 && result.bytesInTrash > 0)
      #expect(try hrp(sample, "list").output.contains(names[0]) == false)
      #expect(try hrp(sample, "verify", names[0]).status == 10)
      let listed = try hrp(sample, "trash", "list")
      #expect(listed.output.contains(names[0]) && listed.output.contains("stays until "), "\(listed)")
      let back = try hrp(sample, "trash", "restore", names[0])
      #expect(back.status == 0 && back.output == "Brought back: \(names[0])\n", "\(back)")
      #expect(try hrp(sample, "list").output.contains("[proven "))
      #expect(try hrp(sample, "verify", names[0]).status == 0)
      #expect(try hrp(sample, "trash", "restore", names[0], "--json").output.contains("trash.not-found"))
      #expect(try hrp(sample, "trash", "list").output == "The trash is empty\n")
    }
  }

  @Test(
    "X2: the trash goes after its days, and not before; what has no date, or one to come, stays until it is emptied")
  func expiry() throws {
    try withStack { sample in
      let now = SystemTime().nowNanoseconds
      let names = try made(sample, now: now - 40 * Self.day)
      #expect(try rotate(sample, at: now).deleted == [names[0]])
      #expect(try rotate(sample, at: now + 3 * Self.day - 1).bytesFreed == 0, "not yet")
      #expect(try rotate(sample, at: now - Self.day).bytesFreed == 0, "it is dated after now")
      let note = sample.backups + "/.hrp-trash/\(names[0]).json"
      let text = try Data(contentsOf: URL(fileURLWithPath: note))
      for bytes in ["", "{", "{\"deleted_ns\": 5}"] {
        try Data(bytes.utf8).write(to: URL(fileURLWithPath: note))
        #expect(try rotate(sample, at: now + 10 * Self.day).bytesFreed == 0)
      }
      #expect(try hrp(sample, "trash", "list").output.contains("nothing says since when"))
      try text.write(to: URL(fileURLWithPath: note))
      #expect(try rotate(sample, at: now + 3 * Self.day).bytesFreed > 0)
      #expect(try trash(sample).entries().isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: sample.backups + "/.hrp-trash").isEmpty)
    }
  }

  @Test(
    "X2: a note that the disk does not give back keeps its backup, from a rotation and from one that needs the space")
  func unreadableNote() throws {
    try withStack { sample in
      let now = SystemTime().nowNanoseconds
      let names = try made(sample, now: now)
      for name in names[..<2] { _ = try trash(sample, at: now - 40 * Self.day).put(FileName(name)) }
      let files = HookedFileSystem(onRead: { (path) throws(SystemError) in
        if path.hasSuffix("\(names[0]).json") { throw SystemError("pread", errno: .ioError, path: path) }
      })
      let doubtful = Trash(of: FilePath(sample.backups), files: files, time: ManualTime(now: now))
      #expect(try doubtful.entries().last?.deletedAt == nil)
      #expect(try doubtful.removeExpired(keptFor: 3) > 0)
      #expect(try doubtful.entries().map { String(decoding: $0.name.bytes, as: UTF8.self) } == [names[0]])
      #expect(try doubtful.bytesToFree() == 0 && doubtful.free(bytes: 1 << 40) == 0)
      #expect(try trash(sample).entries().count == 1)
    }
  }

  @Test(
    "a restore that needs the space of the trash takes it, the oldest first; a dry run takes nothing",
    .enabled(if: Mount.canMount))
  func restoreNeedsSpace() throws {
    try withStack { sample in
      try Mount.withMemory("size=24m", on: sample.folder) { small in
        let backups = small + "/backups"
        try run("/bin/mkdir", [backups])
        let made = try sample.create()
        let deleted = "\(backups)/backup_20260101_020000"
        try run(
          "/bin/sh", ["-c", "cp -a \"$0\" \"$1\" && head -c 12000000 /dev/urandom > \"$1/big\"", made.path, deleted])
        let trash = Trash(of: FilePath(backups), files: Kernel(), time: SystemTime())
        _ = try trash.put(FileName("backup_20260101_020000"))
        try run("/bin/sh", ["-c", "head -c 8400000 /dev/urandom > \"$0/other\"", small])
        let restore = { (trash: Trash?, isDryRun: Bool) in
          var request = RestoreRun.Request()
          request.isDryRun = isDryRun
          _ = try RestoreRun(
            DirectoryBackup(FilePath(made.path), files: Kernel()),
            to: RestoreTarget(FilePath(small + "/restored"), files: Kernel()), request: request, trash: trash,
            files: Kernel(), time: SystemTime(), events: EventStream()
          ).run()
        }
        #expect(throws: BackupError.self) { try restore(nil, false) }
        try restore(trash, true)
        #expect(try trash.entries().count == 1)
        try restore(trash, false)
        #expect(try trash.entries().isEmpty && FileManager.default.fileExists(atPath: small + "/restored/hrp.duckdb"))
      }
    }
  }

  @Test("X3: the trash is no backup: it is not listed, not linked from, and counts for no rule")
  func noBackup() throws {
    try withStack { sample in
      let now = SystemTime().nowNanoseconds
      let names = try made(sample, now: now - 40 * Self.day)
      _ = try rotate(sample, at: now)
      for name in names[1...] { _ = try trash(sample).put(FileName(name)) }
      let created = try sample.create()
      let linked = try run("/bin/sh", ["-c", "find \(created.path) -type f -links +1 | wc -l"]).output
      #expect(linked == "0\n", "there is nothing to link from")
      #expect(try hrp(sample, "list", "--json").output.contains(names[2]) == false)
      #expect(try rotate(sample, at: now + 400 * Self.day).deleted == [])
    }
  }

  @Test("X4: emptying that fails anywhere leaves a backup in the trash or hidden; the next rotation removes it")
  func emptying() throws {
    try withStack { sample in
      let now = SystemTime().nowNanoseconds
      let names = try made(sample, now: now - 40 * Self.day)
      _ = try rotate(sample, at: now)
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        if call == "unlinkat", path.hasSuffix("hrp.duckdb") { throw SystemError(call, errno: .ioError, path: path) }
      }
      let broken = Trash(of: FilePath(sample.backups), files: files, time: SystemTime())
      #expect(throws: SystemError.self) { try broken.remove(FileName(names[0])) }
      #expect(try trash(sample).entries().isEmpty)
      #expect(try hrp(sample, "list").output.contains(names[0]) == false)
      _ = try rotate(sample, at: now)
      let left = try FileManager.default.contentsOfDirectory(atPath: sample.backups)
      #expect(!left.contains { $0.hasSuffix(".partial") })
    }
  }

  @Test("trash empty deletes for good what it names, or all; a dry run deletes nothing; what is read meanwhile stays")
  func empty() throws {
    try withStack { sample in
      let names = try made(sample, now: SystemTime().nowNanoseconds)
      for name in names { _ = try trash(sample).put(FileName(name)) }
      #expect(try hrp(sample, "trash", "empty", "--dry-run").output.contains("Would delete \(names[2])"))
      #expect(try trash(sample).entries().count == 3)
      let one = try hrp(sample, "trash", "empty", names[1])
      #expect(one.output.contains("Deleted \(names[1])") && one.output.contains("Freed: "), "\(one)")
      let held = try OpenFile(trash(sample).path(of: FileName(names[0])), mode: [.directory], files: Kernel())
      #expect(try Kernel().lock(held.descriptor, kind: .shared))
      let rest = try hrp(sample, "trash", "empty")
      #expect(rest.errors.contains("\(names[0]) stays: it is being read") && rest.output.contains(names[2]))
      #expect(try trash(sample).entries().map { String(decoding: $0.name.bytes, as: UTF8.self) } == [names[0]])
      #expect(try hrp(sample, "trash", "empty", "backup_20200101_000000").status == 10)
    }
  }

  @Test("D6: the backups of two stacks, and those with and without MLflow, do not take each other's place")
  func groups() throws {
    try withStack { sample in
      let now = SystemTime().nowNanoseconds
      let full = try made(sample, now: now - 90 * Self.day)
      for number in 0..<3 {
        let time = ManualTime(now: now - Int64(40 - number) * Self.day)
        _ = try BackupRun(
          sample.stack, includesMLflow: false, files: Kernel(), time: time, events: EventStream()
        ).run()
      }
      let other = sample.folder + "/other"
      try run("/bin/cp", ["-r", sample.data, other])
      try run("/bin/rm", ["-rf", other + "/backups"])
      var settings = StackSettings(dataDirectory: other, backupDirectory: sample.backups)
      settings.databasePath = other + "/hrp.duckdb"
      for number in 0..<3 {
        _ = try BackupRun(
          Stack(settings), includesMLflow: true, files: Kernel(),
          time: ManualTime(now: now - Int64(20 - number) * Self.day), events: EventStream()
        ).run()
      }
      var one = RetentionSettings(policy: try RetentionPolicy(keepLast: 1), zone: .standard)
      one.trashDays = 3
      let result = try Rotation(
        in: FilePath(sample.backups), files: Kernel(), time: ManualTime(now: now), events: EventStream()
      ).run(one)
      #expect(result.kept.count == 6 && result.deleted.count == 3)
      #expect(
        result.deleted.contains(full[0]) && !result.deleted.contains(full[1]) && !result.deleted.contains(full[2]))
    }
  }

  @Test("X2: a clock that is far ahead empties no trash")
  func farAhead() throws {
    try withStack { sample in
      let now = SystemTime().nowNanoseconds
      let names = try made(sample, now: now - 40 * Self.day)
      #expect(try rotate(sample, at: now).deleted == [names[0]])
      #expect(try rotate(sample, at: now + 1200 * Self.day).bytesFreed == 0)
      #expect(try trash(sample).entries().count == 1)
    }
  }

  @Test("a trash that cannot be used is told before anything goes, by a dry run too, and leaves no note")
  func unusable() throws {
    try withStack { sample in
      _ = try made(sample, now: SystemTime().nowNanoseconds - 40 * Self.day)
      for make in ["touch .hrp-trash", "ln -s nowhere .hrp-trash"] {
        #expect(try run("/bin/sh", ["-c", make], in: sample.backups).status == 0)
        for words in [
          ["rotate", "--keep-days", "7"], ["rotate", "--keep-days", "7", "--dry-run"], ["trash", "empty"],
        ] {
          let done = try run(Checkout.hrp, ["backup"] + words + ["--json", "--data-dir", sample.data])
          #expect(done.status == 1 && done.output.contains("trash.unusable"), "\(words) \(done)")
        }
        #expect(try hrp(sample, "create").status == 0, "a backup needs no trash")
        try run("/bin/rm", [sample.backups + "/.hrp-trash"])
      }
    }
  }

  @Test("a backup that needs the space takes it from the trash, the oldest first, and no more than it needs")
  func space() throws {
    try withStack { sample in
      let now = SystemTime().nowNanoseconds
      let names = try made(sample, now: now - 40 * Self.day)
      for (number, name) in names.enumerated() {
        _ = try trash(sample, at: now + Int64(number)).put(FileName(name))
      }
      let plenty = try sample.create()
      #expect(try trash(sample).entries().count == 3, "there was room")
      #expect(plenty.isComplete)
      // Nobody can tell how long the oldest one was here: it does not go by itself.
      let note = sample.backups + "/.hrp-trash/\(names[0]).json"
      let text = try Data(contentsOf: URL(fileURLWithPath: note))
      try Data("{".utf8).write(to: URL(fileURLWithPath: note))
      let all = try trash(sample, at: now + Self.day).bytes()
      #expect(try trash(sample, at: now + Self.day).bytesToFree() < all)
      #expect(try trash(sample, at: now - Self.day).bytesToFree() == 0, "all are dated after now")
      #expect(try trash(sample, at: now - Self.day).free(bytes: all) == 0)
      try text.write(to: URL(fileURLWithPath: note))
      let freed = try trash(sample).free(bytes: 1)
      #expect(freed > 0)
      #expect(try trash(sample).entries().map { String(decoding: $0.name.bytes, as: UTF8.self) } == Array(names[1...]))
    }
  }
}
