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

/// "Cannot tell" is never "no": what decides and cannot be read protects.
@Suite("What cannot be read")
struct UnreadableTests {
  private static let day: Int64 = 86_400_000_000_000
  private static let later = ManualTime(now: SystemTime().nowNanoseconds + 40 * day)

  /// A file system whose device fails under every file of this name.
  private static func failing(under name: String) -> HookedFileSystem {
    HookedFileSystem(onRead: { (path) throws(SystemError) in
      if path.hasSuffix(name) { throw SystemError("pread", errno: .ioError, path: path) }
    })
  }

  private func rotate(_ sample: SampleStack, _ files: any FileSystem = Kernel()) throws -> RotationResult {
    try Rotation(in: FilePath(sample.backups), files: files, time: Self.later, events: EventStream()).run(
      keepingDays(14))
  }

  private func pins(_ sample: SampleStack) -> PinDirectory {
    PinDirectory(of: FilePath(sample.backups), files: Kernel())
  }

  @Test("B1: a pin that cannot be read is a pin: the backup stays, is named, and is listed so")
  func pin() throws {
    try withStack { sample in
      let old = try sample.create(), other = try sample.create()
      for _ in 0..<2 { _ = try sample.create() }
      _ = try pins(sample).pin(FileName(old.name), reason: "the old universe")
      let result = try rotate(sample, Self.failing(under: "\(old.name).json"))
      #expect(result.deleted == [other.name])
      #expect(result.notices.contains { $0.hasPrefix("\(old.name) stays: it may be pinned: its pin cannot be read") })
      let listed = try BackupDirectory(FilePath(sample.backups), files: Self.failing(under: "\(old.name).json")).list()
      #expect(listed.last?.pin.mayBeThere == true && listed.last?.pin.value == nil)
    }
  }

  @Test(
    "a pin can be read by whoever may read the backups, whatever the umask; what stays in doubt is said with -q too")
  func pinnedByAnother() throws {
    try withStack { sample in
      let made = try (0..<3).map { _ in
        try sample.create(time: ManualTime(now: Self.later.nowNanoseconds - 90 * Self.day))
      }
      _ = try sample.create()
      let pin = "umask 077; exec \(Checkout.hrp) backup pin \(made[0].name) --data-dir \(sample.data)"
      #expect(try run("/bin/sh", ["-c", pin]).status == 0)
      let modes = { try run("/bin/sh", ["-c", "stat -c %a .hrp-pins .hrp-pins/*"], in: sample.backups).output }
      #expect(try modes() == "755\n644\n")
      try run("/bin/sh", ["-c", "rm .hrp-pins/* && ln -s nowhere .hrp-pins/\(made[0].name).json"], in: sample.backups)
      let rotated = try run(
        Checkout.hrp, ["backup", "rotate", "-q", "--keep-days", "7", "--data-dir", sample.data], in: sample.folder)
      #expect(rotated.errors.contains("warning: \(made[0].name) stays: it may be pinned: its pin cannot be read"))
    }
  }

  @Test("B1: metadata that cannot be read protects its backup, which counts for nothing and is listed with the reason")
  func metadata() throws {
    try withStack { sample in
      let made = try (0..<4).map { _ in try sample.create() }
      try run("/bin/sh", ["-c", "rm -f metadata.json && mkdir metadata.json"], in: made[3].path)
      try run("/bin/sh", ["-c", "rm -f metadata.json && echo '{' > metadata.json"], in: made[0].path)
      let result = try rotate(sample)
      #expect(result.deleted == [])
      #expect(Set(result.kept) == Set(made.map(\.name)))
      let all = try BackupDirectory(FilePath(sample.backups), files: Kernel()).list()
      #expect(
        Set(all.filter { $0.problem != nil }.map { String(decoding: $0.name.bytes, as: UTF8.self) })
          == [made[0].name, made[3].name])
    }
  }

  @Test("B1: a proof that failed, or that cannot be read, makes no good backup; a drill does not replace the latter")
  func proof() throws {
    try withStack { sample in
      let made = try (0..<3).map { _ in try sample.create() }
      let drill = { (name: String) in
        try run(Checkout.hrp, ["backup", "drill", name, "--data-dir", sample.data], in: sample.folder)
      }
      #expect(try drill(made[2].name).status == 0)
      let proof = sample.backups + "/.hrp-proofs/\(made[2].name).json"
      let text = try String(contentsOfFile: proof, encoding: .utf8)
      let failed = text.replacing("\"ok\" : true", with: "\"ok\" : false")
      try #require(failed != text)
      for bytes in [failed, "{"] {
        try Data(bytes.utf8).write(to: URL(fileURLWithPath: proof))
        #expect(try rotate(sample).deleted == [], "two good ones are left without it")
      }
      let done = try drill(made[2].name)
      #expect(done.status == 0 && done.errors.contains("the proof cannot be read"), "\(done.errors)")
      #expect(try String(contentsOfFile: proof, encoding: .utf8) == "{")
    }
  }

  @Test("B1: what stays was read and is right, whoever wrote it: a damaged one takes no place")
  func unmarked() throws {
    try withStack { sample in
      let made = try (0..<5).map { number in
        try sample.create(time: ManualTime(now: Self.later.nowNanoseconds - Int64(45 - number) * Self.day))
      }
      // As the Python tool's: no mark and no seal.
      for backup in made {
        try run(
          "/bin/sh", ["-c", "rm -f manifest.jsonl metadata.json && echo '{\"size_bytes\": 1}' > metadata.json"],
          in: backup.path)
      }
      for backup in made[3...] { try SampleStack.change(backup.path + "/hrp.duckdb") { $0[20_000] ^= 1 } }
      let result = try rotate(sample)
      #expect(result.deleted == [made[0].name])
      #expect(Set(result.kept) == Set(made[1...].map(\.name)))
      for backup in made[1...2] { #expect(try sample.verify(backup.path, level: .checksums).isOK) }
    }
  }

  private static func take(_ place: AdvisoryLock.Place, _ directory: String) throws -> AdvisoryLock {
    let time = SystemTime()
    return try AdvisoryLock.take(
      .exclusive, of: place, on: FilePath(directory), note: ThisProcess.note(program: "a test", time: time),
      files: Kernel(), time: time)
  }

  @Test("B1: a lock that may not be opened keeps out all the same: no other one is taken in its stead")
  func locks() throws {
    try withStack { sample in
      for _ in 0..<4 { _ = try sample.create() }
      let held = try Self.take(.backups, sample.backups)
      let refusing = HookedFileSystem(hook: { (call, path) throws(SystemError) in
        if call == "openat", path.hasSuffix(".hrp-backups.lock") {
          throw SystemError(call, errno: .permissionDenied, path: path)
        }
      })
      #expect(throws: SystemError.self) { try rotate(sample, refusing) }
      #expect(throws: AdvisoryLock.Busy.self) { try rotate(sample) }
      try held.release()
      #expect(throws: SystemError.self) { try rotate(sample, refusing) }
      #expect(try BackupDirectory(FilePath(sample.backups), files: Kernel()).list().count == 4)
    }
  }

  @Test(
    "B1: another user's lock, readable or not, holds a restore off; whatever the umask, a new one can be read by all",
    .enabled(if: Matrix.unprivileged != nil, "as root it takes setpriv to be refused anything"),
    arguments: ["444", "000"])
  func otherUsersLock(mode: String) throws {
    try withStack { sample in
      let backup = try sample.create()
      let before = try SwapTests.contents(of: sample.data)
      let held = try Self.take(.stack, sample.data)
      let lock = sample.data + "/.hrp-stack.lock"
      try run("/bin/chmod", [mode, lock])
      let done = try Matrix.hrp(["backup", "restore", backup.name], in: sample)
      #expect(done.status == (mode == "444" ? 11 : 1), "\(done.errors)")
      #expect(try SwapTests.contents(of: sample.data) == before)
      try held.release()
      try run("/bin/rm", ["-f", lock])
      try run("/bin/sh", ["-c", "umask 077; exec \(Checkout.hrp) backup restore latest --data-dir \(sample.data)"])
      #expect(try run("/usr/bin/stat", ["-c", "%a", lock]).output == "644\n")
    }
  }

  @Test("B1: a kept state that cannot be read is not passed over for an older one, and its time does not run out")
  func kept() throws {
    try withStack { sample in
      let backup = try sample.create()
      for name in ["first", "second", "now"] {
        try Data(name.utf8).write(to: URL(fileURLWithPath: sample.data + "/mlflow/mlruns/0/" + name))
        if name != "now" { _ = try sample.restore(backup.path, to: sample.data) }
      }
      let before = try SwapTests.contents(of: sample.data)
      let files = Self.failing(under: ".hrp-undo.2/plan.json")
      let run = { (time: any TimeSource) in
        UndoRun(
          try RestoreTarget(FilePath(sample.data), files: files), keptDays: 7, files: files, time: time,
          events: EventStream())
      }
      #expect { try run(SystemTime()).run() } throws: { ($0 as? BackupError)?.code == "undo.unreadable" }
      #expect { try run(Self.later).expire() } throws: { ($0 as? BackupError)?.code == "undo.unreadable" }
      #expect { try run(SystemTime()).drop() } throws: { ($0 as? BackupError)?.code == "undo.unreadable" }
      #expect(try SwapTests.contents(of: sample.data) == before)
      let kept = try FileManager.default.contentsOfDirectory(atPath: sample.data).filter { $0.contains("hrp-undo") }
      #expect(kept.count == 2)
    }
  }

  @Test("the newest that cannot be looked at is still the newest: nothing passes it over without a word")
  func newest() throws {
    try withStack { sample in
      let old = try sample.create(), made = try sample.create()
      // Only its name says how old it is.
      let new = "backup_" + LocalTime(nanoseconds: Self.later.nowNanoseconds).compact
      let path = sample.backups + "/" + new
      try run("/bin/mv", [made.path, path])
      let files = HookedFileSystem(hook: { (call, opened) throws(SystemError) in
        if call == "openat", opened.hasSuffix(new) { throw SystemError(call, errno: .permissionDenied, path: opened) }
      })
      let backups = BackupDirectory(FilePath(sample.backups), files: files)
      #expect(try backups.list().map { $0.problem != nil } == [true, false])
      #expect(try backups.unlisted() == [])
      #expect(try backups.find("latest").string == path)
      let said = Said()
      let found = try backups.find("latest-valid", time: SystemTime(), events: said.stream)
      #expect(found.string == old.path)
      #expect(said.lines.contains { $0.hasPrefix("\(new) is passed over: ") }, "\(said.lines)")
    }
  }
}

/// Keeps the warnings of an operation.
private final class Said: Sendable {
  private let said = Mutex<[String]>([])
  var lines: [String] { said.withLock { $0 } }
  var stream: EventStream {
    EventStream().adding { event in
      if case .warning(let text) = event { self.said.withLock { $0.append(text) } }
    }
  }
}
