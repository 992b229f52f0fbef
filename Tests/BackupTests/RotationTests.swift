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

@Suite("Rotating backups")
struct RotationTests {
  private static let now: Int64 = 1_770_000_000_000_000_000
  private static let day: Int64 = 86_400_000_000_000

  /// A small database, and the line of `checksums.txt` that is right for it.
  private static let database = Result {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(
        "c = duckdb.connect('hrp.duckdb'); c.execute('CREATE TABLE t AS SELECT 1 i'); c.execute('CHECKPOINT'); c.close()",
        in: folder)
      let sum = try run("/usr/bin/sha256sum", ["hrp.duckdb"], in: folder).output
      return (try Data(contentsOf: URL(fileURLWithPath: folder + "/hrp.duckdb")), sum)
    }
  }

  /// Makes a backup of an age in days, as far as a list can see.
  @discardableResult
  private func make(_ folder: String, age: Double, verified: Bool? = nil, metadata: String? = nil) throws -> String {
    let timestamp = Self.now - Int64(age * Double(Self.day))
    let name = "backup_" + LocalTime(nanoseconds: timestamp).compact
    try run("/bin/mkdir", ["-p", folder + "/" + name])
    // As the Python tool lays them out, and whole.
    let (database, sum) = try Self.database.get()
    try database.write(to: URL(fileURLWithPath: folder + "/\(name)/hrp.duckdb"))
    try Data(sum.utf8).write(to: URL(fileURLWithPath: folder + "/\(name)/checksums.txt"))
    let flag = verified.map { ", \"verified\": \($0)" } ?? ""
    let text = metadata ?? "{\"created_at\": \(Double(timestamp) / 1e9)\(flag)}"
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/\(name)/metadata.json"))
    return name
  }

  private func rotate(_ folder: String, keep: Int, isDryRun: Bool = false) throws -> RotationResult {
    try Rotation(in: FilePath(folder), files: Kernel(), time: ManualTime(now: Self.now), events: EventStream())
      .run(keepingDays(keep), isDryRun: isDryRun)
  }

  @Test("D1: what is older than the days goes, and nothing else", arguments: [(30, 2), (15, 3), (50, 0)])
  func ages(keep: Int, deleted: Int) throws {
    try withTemporaryFolder { folder in
      for age in [1.0, 10, 20, 35, 45] { try make(folder, age: age) }
      let plan = try rotate(folder, keep: keep, isDryRun: true)
      #expect(plan.deleted.count == deleted)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 5)
      let result = try rotate(folder, keep: keep)
      #expect(result.deleted == plan.deleted && result.kept.count == 5 - deleted)
      let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".hrp-") }
      #expect(Set(left) == Set(result.kept))
      let trash = try Trash(of: FilePath(folder), files: Kernel(), time: SystemTime()).entries()
      #expect(Set(trash.map { String(decoding: $0.name.bytes, as: UTF8.self) }) == Set(result.deleted))
    }
  }

  @Test("D5: a pinned backup stays whatever its age, is listed so, and goes when it is no longer pinned")
  func pinned() throws {
    try withTemporaryFolder { folder in
      let names = try [400.0, 300, 2, 1].map { try make(folder, age: $0) }
      let hrp = { (words: [String]) in
        try run(Checkout.hrp, ["backup"] + words + ["--backup-dir", folder])
      }
      #expect(try hrp(["pin", names[0], "--reason", "the old universe"]).status == 0)
      #expect(try hrp(["list"]).output.contains("\(names[0]) (unknown size)"))
      #expect(try hrp(["list"]).output.split(separator: "\n").last?.hasSuffix(" [pinned]") == true)
      let first = try rotate(folder, keep: 30)
      #expect(first.deleted == [names[1]] && first.notices == ["\(names[0]) stays: it is pinned: the old universe"])
      #expect(try hrp(["unpin", names[0]]).output == "No longer pinned: \(folder)/\(names[0])\n")
      #expect(try hrp(["unpin", names[0]]).output.hasPrefix("It was not pinned"))
      #expect(try rotate(folder, keep: 30).deleted == [names[0]])
      #expect(try hrp(["pin", "backup_20200101_000000"]).status == 10)
    }
  }

  @Test(
    "D2: the newest two verified backups stay however old, and what is newer; without a mark, the newest two that verify"
  )
  func minimum() throws {
    try withTemporaryFolder { folder in
      let old = try [make(folder, age: 400, verified: true), make(folder, age: 300, verified: true)]
      try make(folder, age: 500, verified: true)
      let unverified = try make(folder, age: 100, verified: false)
      #expect(try Set(rotate(folder, keep: 1).kept) == Set(old + [unverified]), "nothing newer is verified")
    }
    try withTemporaryFolder { folder in
      for age in [100.0, 200, 300] { try make(folder, age: age) }
      #expect(try rotate(folder, keep: 1).kept.count == 2)
    }
  }

  @Test("D1: a name and metadata that differ by more than a day, and what has no age, stay and are named")
  func disagreement() throws {
    try withTemporaryFolder { folder in
      try make(folder, age: 1)
      try make(folder, age: 2)
      let odd = try make(folder, age: 90, metadata: "{\"created_at\": 1}")
      let local = LocalTime(nanoseconds: Self.now - 80 * Self.day)
      let aware = try make(folder, age: 80, metadata: "{\"timestamp\": \"\(local.iso8601)+00:00\"}")
      let wrong = try make(folder, age: 70, metadata: "{\"timestamp\": 5}")
      try run(
        "/bin/sh",
        ["-c", "mkdir backup_notes && touch backup_notes/checksums.txt && ln -s backup_notes backup_20200101_000000"],
        in: folder)
      let result = try rotate(folder, keep: 30)
      #expect(result.deleted.sorted() == [aware, wrong].sorted())
      #expect(result.notices.contains { $0.hasPrefix(odd) } && result.notices.contains { $0.hasPrefix("backup_notes") })
      #expect(FileManager.default.fileExists(atPath: folder + "/backup_20200101_000000"))
    }
  }

  @Test("D3: a backup that is being read is passed over")
  func busy() throws {
    try withTemporaryFolder { folder in
      for age in [1.0, 2] { try make(folder, age: age) }
      let old = try make(folder, age: 99)
      let held = try OpenFile(FilePath(folder + "/" + old), mode: [.directory], files: Kernel())
      #expect(try Kernel().lock(held.descriptor, kind: .shared))
      #expect(try rotate(folder, keep: 30).deleted == [])
      try Kernel().unlock(held.descriptor)
      #expect(try rotate(folder, keep: 30).deleted == [old])
    }
  }

  @Test(
    "D4, X1: a rotation that fails anywhere leaves a backup in the list or in the trash, whole",
    arguments: ["mkdirat", "fsync", "renameat", "renameat2", "pwrite"])
  func crash(call: String) throws {
    try withTemporaryFolder { folder in
      let names = try [1.0, 2, 99].map { try make(folder, age: $0) }
      // The lock writes too: so the failures begin one by one.
      for skipped in 0..<4 {
        let count = Mutex(0)
        let files = HookedFileSystem { (name, path) throws(SystemError) in
          guard name == call,
            count.withLock({
              $0 += 1; return $0
            }) > skipped
          else { return }
          throw SystemError(name, errno: .ioError, path: path)
        }
        let rotation = Rotation(
          in: FilePath(folder), files: files, time: ManualTime(now: Self.now), events: EventStream())
        _ = try? rotation.run(keepingDays(30))
        let listed = try BackupDirectory(FilePath(folder), files: Kernel()).list().map {
          String(decoding: $0.name.bytes, as: UTF8.self)
        }
        let place = listed.contains(names[2]) ? folder : folder + "/.hrp-trash"
        #expect(listed.count == (place == folder ? 3 : 2))
        #expect(try run("/usr/bin/sha256sum", ["-c", "checksums.txt"], in: place + "/" + names[2]).status == 0)
      }
      _ = try rotate(folder, keep: 30)
      #expect(try BackupDirectory(FilePath(folder), files: Kernel()).list().count == 2)
    }
  }

  @Test(
    "fewer than one day is refused, and a directory that is not there is said to be", arguments: [0, -1, .min, .max])
  func refusals(days: Int) throws {
    try withTemporaryFolder { folder in
      try make(folder, age: 99)
      #expect {
        try rotate(folder, keep: days)
      } throws: {
        BackupError($0, doing: "rotating").code == "rotation.keep-days"
      }
      #expect {
        try rotate(folder + "/nowhere", keep: 30)
      } throws: {
        ($0 as? BackupError)?.code == "backup-directory.not-found"
      }
    }
  }

  @Test("D2: what stays was read; a damaged backup counts for nothing, and stays to be looked at")
  func damaged() throws {
    try withStack { sample in
      let good = try (0..<3).map { _ in try sample.create() }
      let bad = try (0..<2).map { _ in try sample.create() }
      // Nothing that a list can see.
      for backup in bad { try SampleStack.change(backup.path + "/hrp.duckdb") { $0[20_000] ^= 1 } }
      let later = ManualTime(now: SystemTime().nowNanoseconds + 40 * Self.day)
      let result = try Rotation(in: FilePath(sample.backups), files: Kernel(), time: later, events: EventStream())
        .run(keepingDays(30))
      #expect(result.deleted == [good[0].name])
      #expect(Set(result.kept) == Set((good[1...] + bad).map(\.name)))
      #expect(result.notices.filter { $0.contains("does not verify") }.count == 2)
    }
  }
}
