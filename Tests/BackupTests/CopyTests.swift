import Backup
import Files
import Foundation
import Stacks
import Store
import Synchronization
import SystemPackage
import TestKit
import Testing

@Suite("Copies in a second place")
struct CopyTests {
  private static let model = "/mlruns/mlruns/0/r1/artifacts/model.pkl"

  /// A stack with a place that is begun.
  private func withPlace(_ body: (SampleStack, String) throws -> Void) throws {
    try withStack { sample in
      let place = sample.folder + "/place"
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
      _ = try directory(place).begin()
      try body(sample, place)
    }
  }

  private func directory(_ path: String, id: String? = nil, files: any FileSystem = Kernel()) -> DirectoryPlace {
    DirectoryPlace(title: "offsite", path: FilePath(path), id: id, files: files, time: SystemTime())
  }

  private func clock(hours: Int64 = 1) -> ManualTime {
    ManualTime(now: SystemTime().nowNanoseconds + hours * 3_600_000_000_000)
  }

  @discardableResult
  private func copy(
    _ path: String, of sample: SampleStack, to place: String, id: String? = nil, files: any FileSystem = Kernel(),
    events: EventStream = EventStream()
  ) throws -> CopyResult {
    try CopyRun(
      of: sample.stack, to: directory(place, id: id, files: files), files: files, time: SystemTime(), events: events
    ).copy(DirectoryBackup(FilePath(path), files: Kernel()))
  }

  private func code(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return BackupError(error, doing: "copying").code
    }
  }

  private func names(_ place: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: place).filter { !$0.hasPrefix(".hrp-") }.sorted()
  }

  private func inode(_ path: String) throws -> UInt64 { try Kernel().status(FilePath(path), at: nil).identity.inode }

  @Test("a copy is the same backup, byte for byte, with its times and its pin; a second one is not made (Y3)")
  func same() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      _ = try PinDirectory(of: FilePath(sample.backups), files: Kernel())
        .pin(FileName(backup.name), reason: "before the new universe")
      let result = try copy(backup.path, of: sample, to: place)
      #expect(result.receipt.sentBytes == backup.sizeBytes && result.receipt.linkedBytes == 0)
      #expect(try run("/usr/bin/diff", ["-r", "--no-dereference", backup.path, "\(place)/\(backup.name)"]).status == 0)
      let times = { (path: String) in
        try run("/bin/sh", ["-c", "cd '\(path)' && find . -type f | sort | xargs -d '\\n' stat -c '%n %Y %a'"]).output
      }
      #expect(try times(backup.path) == times("\(place)/\(backup.name)"))
      #expect(try sample.verify("\(place)/\(backup.name)").isOK)
      let pin = PinDirectory(of: FilePath(place), files: Kernel()).pin(of: FileName(backup.name)).value
      #expect(pin?.reason == "before the new universe")
      #expect(try copy(backup.path, of: sample, to: place).receipt.wasThere)
      #expect(try names(place) == [backup.name])
    }
  }

  @Test("a copy is open to nobody who cannot look into the data, also where a symlink leads to that")
  func hidden() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      try run("/bin/chmod", ["755", sample.backups, backup.path])
      try run("/bin/chmod", ["700", sample.data])
      try FileManager.default.createSymbolicLink(atPath: sample.folder + "/lab", withDestinationPath: sample.data)
      var settings = StackSettings()
      settings.dataDirectory = sample.folder + "/lab"
      (settings.databasePath, settings.backupDirectory, settings.trackingURI) = (nil, nil, nil)
      _ = try CopyRun(
        of: Stack(settings), to: directory(place), files: Kernel(), time: SystemTime(), events: EventStream()
      ).copy(DirectoryBackup(FilePath(backup.path), files: Kernel()))
      #expect(try Kernel().status(FilePath("\(place)/\(backup.name)"), at: nil).permissions == 0o700)
    }
  }

  @Test("a backup whose proof cannot be read is not copied: it may have been found damaged")
  func unreadableProof() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      let proofs = sample.backups + "/.hrp-proofs"
      try FileManager.default.createDirectory(atPath: proofs, withIntermediateDirectories: true)
      try Data("{".utf8).write(to: URL(fileURLWithPath: "\(proofs)/\(backup.name).json"))
      #expect(code { try copy(backup.path, of: sample, to: place) } == "verification.failed")
      #expect(try names(place).isEmpty)
    }
  }

  @Test("what an earlier copy has is hard-linked, and what the backup directory made afresh is sent again (Y4)")
  func linked() throws {
    try withPlace { sample, place in
      let first = try sample.create(time: clock())
      let second = try sample.create(time: clock(hours: 2))
      let later = try sample.create(time: clock(hours: 31 * 24))
      for backup in [first, second, later] { try copy(backup.path, of: sample, to: place) }
      let inodes = try [first, second, later].map { try inode("\(place)/\($0.name)\(Self.model)") }
      #expect(inodes[0] == inodes[1], "not sent again")
      #expect(inodes[1] != inodes[2], "older than thirty days: a fresh one")
      let databases = try [first, second].map { try inode("\(place)/\($0.name)/hrp.duckdb") }
      #expect(databases[0] != databases[1], "a database is always a copy of its own")
    }
  }

  @Test("a file that was found damaged in an earlier copy is sent again (Y4)")
  func damagedEarlier() throws {
    try withPlace { sample, place in
      let first = try sample.create(time: clock())
      try copy(first.path, of: sample, to: place)
      let victim = "\(place)/\(first.name)\(Self.model)"
      try damage(victim)
      _ = try Verification(files: Kernel(), time: SystemTime(), events: EventStream()).verify(
        DirectoryBackup(FilePath("\(place)/\(first.name)"), files: Kernel()), level: .checksums, isRecorded: true)
      let second = try sample.create(time: clock(hours: 2))
      try copy(second.path, of: sample, to: place)
      #expect(try inode("\(place)/\(second.name)\(Self.model)") != inode(victim))
      #expect(try sample.verify("\(place)/\(second.name)").isOK)
    }
  }

  /// Changes a byte of a stored file, and neither its size nor its time.
  private func damage(_ path: String) throws {
    try run(
      "/bin/sh",
      [
        "-c",
        "touch -r \"$0\" \"$0.time\"; chmod 644 \"$0\"; printf X | dd of=\"$0\" conv=notrunc status=none; "
          + "chmod 444 \"$0\"; touch -r \"$0.time\" \"$0\"; rm \"$0.time\"", path,
      ])
  }

  @Test("a copy that was found damaged goes to the trash of the place, and is made again")
  func damagedCopy() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      try copy(backup.path, of: sample, to: place)
      try damage("\(place)/\(backup.name)\(Self.model)")
      _ = try Verification(files: Kernel(), time: SystemTime(), events: EventStream()).verify(
        DirectoryBackup(FilePath("\(place)/\(backup.name)"), files: Kernel()), level: .checksums, isRecorded: true)
      #expect(try !copy(backup.path, of: sample, to: place).receipt.wasThere)
      #expect(try sample.verify("\(place)/\(backup.name)").isOK)
      #expect(FileManager.default.fileExists(atPath: "\(place)/.hrp-trash/\(backup.name)"))
    }
  }

  @Test("a backup that does not verify is not copied, and nothing of it is visible (Y1)")
  func damagedBackup() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      try damage(backup.path + Self.model)
      #expect(code { try copy(backup.path, of: sample, to: place) } == "verification.failed")
      #expect(try names(place).allSatisfy { $0.hasSuffix(".arriving") })
    }
  }

  @Test("a disk that loses what it was given makes the copy fail, and nothing of it is visible (Y2)")
  func lossyDisk() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      // When all is durable, the disk changes a byte of what it holds.
      let done = Atomic(false)
      let files = HookedFileSystem { (call, _) throws(SystemError) in
        guard call == "syncfs" || call == "fsync", !done.load(ordering: .relaxed) else { return }
        let hidden = (try? FileManager.default.contentsOfDirectory(atPath: place))?.first { $0.hasSuffix(".arriving") }
        guard let hidden, FileManager.default.fileExists(atPath: "\(place)/\(hidden)/metadata.json") else { return }
        done.store(true, ordering: .relaxed)
        try? damage("\(place)/\(hidden)\(Self.model)")
      }
      #expect(code { try copy(backup.path, of: sample, to: place, files: files) } == "place.read-back")
      #expect(try names(place).allSatisfy { $0.hasSuffix(".arriving") } && done.load(ordering: .relaxed))
      // The next try finds what had arrived damaged, and sends everything again.
      let result = try copy(backup.path, of: sample, to: place)
      #expect(result.receipt.sentBytes == backup.sizeBytes && result.receipt.arrivedBytes == 0)
      #expect(try names(place) == [backup.name])
    }
  }

  @Test("an interrupted copy goes on where it was, at every write that fails (Y5)")
  func interrupted() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      var (failures, before): (Int, Int64) = (0, 0)
      while true {
        // Each try can write once more than the one before.
        let writes = Atomic(0)
        let last = 3 + failures
        let files = HookedFileSystem { (call, _) throws(SystemError) in
          guard call == "pwrite" else { return }
          if writes.add(1, ordering: .relaxed).newValue == last { throw SystemError("pwrite", errno: .ioError) }
        }
        var result: CopyResult?
        let failure = code { result = try copy(backup.path, of: sample, to: place, files: files) }
        if let result {
          #expect(result.receipt.arrivedBytes > 0 && result.receipt.sizeBytes == backup.sizeBytes)
          break
        }
        failures += 1
        #expect(failure == "system.pwrite" && failures < 20)
        try #require(failures < 20)
        let hidden = try #require(names(place).first { $0.hasSuffix(".arriving") })
        let arrived =
          try Int64(
            run("/bin/sh", ["-c", "find '\(place)/\(hidden)' -type f -printf '%s\\n' | awk '{s+=$1} END {print s+0}'"])
              .output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        #expect(try names(place).count == 1 && arrived >= before)
        before = arrived
      }
      #expect(failures > 1)
      #expect(try names(place) == [backup.name] && sample.verify("\(place)/\(backup.name)").isOK)
    }
  }

  @Test("without its marker nothing is copied to a place: an unmounted disk leaves an empty folder behind (Y6)")
  func unmounted() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      try run("/bin/mv", [place, place + ".unplugged"])
      #expect(code { try copy(backup.path, of: sample, to: place) } == "place.not-found")
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
      #expect(code { try copy(backup.path, of: sample, to: place) } == "place.not-mounted")
      #expect(try names(place).isEmpty)
      try run("/bin/sh", ["-c", "rmdir \"$0\" && mv \"$0.unplugged\" \"$0\"", place])
      #expect(code { try copy(backup.path, of: sample, to: place, id: "another") } == "place.other")
      try Data("garbage".utf8).write(to: URL(fileURLWithPath: place + "/.hrp-place"))
      #expect(code { try copy(backup.path, of: sample, to: place) } == "place.unreadable")
      #expect(code { _ = try directory(place).begin() } == "place.unreadable", "a marker is never replaced")
    }
  }

  @Test(
    "the backup directory, the data, MLflow and a backup are no second places: their rotation would eat the backups")
  func notApart() throws {
    try withStack { sample in
      let backup = try sample.create()
      try run("/bin/ln", ["-s", sample.backups, sample.folder + "/link"])
      for path in [
        sample.backups, sample.data, sample.data + "/mlflow/copies", backup.path + "/copies",
        sample.backups + "/copies",
        sample.folder + "/link",
      ] {
        #expect(code { try copy(backup.path, of: sample, to: path) } == "place.not-apart", "\(path)")
      }
    }
  }

  @Test("a backup that a verification found damaged is not copied, also when the damaged file would be linked")
  func notedDamage() throws {
    try withPlace { sample, place in
      let first = try sample.create(time: clock())
      try copy(first.path, of: sample, to: place)
      let second = try sample.create(time: clock(hours: 2))
      try damage(second.path + Self.model)
      _ = try Verification(files: Kernel(), time: SystemTime(), events: EventStream()).verify(
        DirectoryBackup(FilePath(second.path), files: Kernel()), level: .checksums, isRecorded: true)
      #expect(code { try copy(second.path, of: sample, to: place) } == "verification.failed")
      #expect(try names(place) == [first.name])
    }
  }

  @Test("another backup of that name is not touched")
  func nameTaken() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      try run("/bin/mkdir", ["-p", "\(place)/\(backup.name)"])
      for file in ["checksums.txt", "metadata.json", "hrp.duckdb"] {
        try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(place)/\(backup.name)/\(file)"))
      }
      #expect(code { try copy(backup.path, of: sample, to: place) } == "place.name-taken")
      #expect(try String(contentsOfFile: "\(place)/\(backup.name)/hrp.duckdb", encoding: .utf8) == "{}")
    }
  }

  @Test(
    "a disk without hard links, permissions and renames that refuse, such as FAT: the copy is whole, and that is said")
  func plainDisk() throws {
    try withPlace { sample, place in
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        switch call {
        case "linkat": throw SystemError(call, errno: .notPermitted)
        case "fchmod": throw SystemError(call, errno: .notPermitted)
        case "renameat2" where path.hasPrefix("backup_"): throw SystemError(call, errno: .invalidArgument)
        default: return
        }
      }
      for hours in [1, 2] {
        let notices = Mutex<[String]>([])
        let backup = try sample.create(time: clock(hours: Int64(hours)))
        let result = try copy(
          backup.path, of: sample, to: place, files: files,
          events: EventStream([
            { event in
              if case .notice(let text) = event { notices.withLock { $0.append(text) } }
            }
          ]))
        #expect(result.receipt.sentBytes == backup.sizeBytes && result.receipt.hasNoLinks == (hours == 2))
        #expect(notices.withLock { $0.contains { $0.contains("makes no hard links") } } == (hours == 2))
        #expect(try sample.verify("\(place)/\(backup.name)").isOK)
      }
    }
  }

  @Test("a backup of the Python tool, which has no manifest, is copied too")
  func legacy() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      let old = sample.backups + "/backup_20250101_020000"
      try run(
        "/bin/sh",
        [
          "-c",
          "mv \"$0\" \"$1\" && cd \"$1\" && chmod -R u+w . && rm manifest.jsonl && mv mlruns mlflow && "
            + "rm -rf mlflow/mlruns/.trash && sed -i 's/  mlruns/  mlflow/' checksums.txt && "
            + "echo '{\"timestamp\": \"2025-01-01T02:00:00\"}' > metadata.json", backup.path, old,
        ])
      try #require(sample.verify(old).findings == [])
      try copy(old, of: sample, to: place)
      #expect(try sample.verify("\(place)/backup_20250101_020000").isOK)
      #expect(try copy(old, of: sample, to: place).receipt.wasThere)
    }
  }

  @Test("where there is too little room, that is said before anything is written", .enabled(if: Mount.canMount))
  func full() throws {
    try withStack { sample in
      let backup = try sample.create()
      try Mount.withMemory("size=4m", on: sample.folder) { small in
        _ = try directory(small).begin()
        #expect(code { try copy(backup.path, of: sample, to: small) } == "disk.full")
        #expect(try names(small).isEmpty)
      }
    }
  }

  @Test("a copy restores like the backup itself, and a place and a backup are named by a colon")
  func named() throws {
    try withPlace { sample, place in
      let backup = try sample.create()
      try copy(backup.path, of: sample, to: place)
      let find = { (text: String) in
        try sample.stack.findBackup(text, files: Kernel(), time: SystemTime(), events: EventStream()).string
      }
      for name in ["latest", "1", backup.name, "latest-valid"] {
        #expect(try find("\(place):\(name)") == "\(place)/\(backup.name)")
      }
      #expect(try find("\(place)/\(backup.name)") == "\(place)/\(backup.name)")
      #expect(code { _ = try find("nowhere:latest") } == "place.unknown")
      #expect(code { _ = try find("rest:https://server/repository") } == "place.unsupported")
      #expect(code { _ = try find("\(sample.folder)/nowhere:latest") } == "place.not-found")
      let restored = sample.folder + "/restored"
      #expect(try sample.restore(find("\(place):latest"), to: restored).restored == ["hrp.duckdb", "mlruns/"])
    }
  }
}
