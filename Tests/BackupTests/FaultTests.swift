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

/// A failure at the n-th call to the kernel, for every n until none is reached: W1 and W2, B6.
@Suite("Every call fails once")
struct FaultTests {
  /// How a call fails.
  enum Form: String, CaseIterable {
    case error, diskFull
    /// A write takes half of what it is given; the rest of the run goes well.
    case shortWrite
    /// Nothing is done any more from that call on, not even cleaning up.
    case killed
  }

  /// Counts calls, and makes those fail that it should.
  final class Faults: Sendable {
    private let state = Mutex((count: 0, isReached: false))
    private let number: Int
    private let form: Form

    init(at number: Int, _ form: Form) {
      self.number = number
      self.form = form
    }

    var isReached: Bool { state.withLock { $0.isReached } }

    var isShortNow: Bool { form == .shortWrite && state.withLock { $0.count == number } }

    func hook(_ call: String, _ path: String) throws(SystemError) {
      let isNow = state.withLock { state in
        state.count += 1
        let isNow = form == .killed ? state.count >= number : state.count == number
        if isNow { state.isReached = true }
        return isNow
      }
      // Closing cannot be refused, and a question about space is no write.
      if isNow, form != .shortWrite, form == .killed || call != "close" {
        throw SystemError(call, errno: form == .diskFull ? .noSpace : .ioError, path: path)
      }
    }
  }

  /// Half, in whole blocks, as a kernel does it.
  private static func half(_ count: Int) -> Int { count >= 8192 ? count / 2 / 4096 * 4096 : max(1, count / 2) }

  /// What the file system of a target can do.
  enum Place: String, CaseIterable {
    case ordinary, withoutExchange, overlay
    /// MLflow lies in another directory, to which a link leads: there are two hidden folders.
    case twoSites
  }

  private func files(_ faults: Faults, _ place: Place = .ordinary) -> HookedFileSystem {
    HookedFileSystem(
      hasExchange: place != .withoutExchange, renamesFolders: place != .overlay,
      hook: { (call, path) throws(SystemError) in try faults.hook(call, path) },
      accepts: { faults.isShortNow ? Self.half($0) : $0 })
  }

  private func copy(_ from: String, _ to: String) throws {
    try? FileManager.default.removeItem(atPath: to)
    try FileManager.default.copyItem(atPath: from, toPath: to)
  }

  /// A small stack without a log, its backup, and what it became after.
  private func withStates<Result>(
    _ place: Place = .ordinary, _ body: (_ folder: String, _ backup: String) throws -> Result
  ) throws -> Result {
    try withTemporaryFolder { folder in
      try Engine("2.0.1").run(
        """
        os.makedirs('data/mlflow/mlruns/0/r')
        c = duckdb.connect('data/hrp.duckdb'); c.execute("SET checkpoint_threshold='1GB'"); c.execute('CREATE TABLE t AS SELECT range i FROM range(9)')
        c.execute('CHECKPOINT'); c.execute('INSERT INTO t VALUES (9)'); os._exit(0)
        """, in: folder)
      try Data("first".utf8).write(to: URL(fileURLWithPath: folder + "/data/mlflow/mlruns/0/r/model"))
      if place == .twoSites {
        try run(
          "/bin/sh", ["-c", "mkdir elsewhere && mv mlflow elsewhere/store && ln -s elsewhere/store mlflow"],
          in: folder + "/data")
      }
      let made = try run(Checkout.hrp, ["backup", "create", "--data-dir", "data", "--backup-dir", "safe"], in: folder)
      #expect(made.status == 0)
      let name = try #require(
        try FileManager.default.contentsOfDirectory(atPath: folder + "/safe").first { $0.hasPrefix("backup_") })
      try Engine("2.0.1").run(
        """
        c = duckdb.connect('data/hrp.duckdb'); c.execute('CREATE TABLE later(i INT)'); c.execute('CHECKPOINT')
        c.execute('INSERT INTO later VALUES (1)'); os._exit(0)
        """, in: folder)
      try Data("second".utf8).write(to: URL(fileURLWithPath: folder + "/data/mlflow/mlruns/0/r/model"))
      try FileManager.default.removeItem(atPath: folder + "/data/hrp-catalogue.db")
      return try body(folder, folder + "/safe/" + name)
    }
  }

  private func restore(_ backup: String, to data: String, _ files: any FileSystem) throws {
    _ = try RestoreRun(
      FilePath(backup), to: RestoreTarget(FilePath(data), files: files), files: files, time: SystemTime(),
      events: EventStream()
    ).run()
  }

  /// A child that another test starts has our locks until it runs its program.
  private func whenFree(_ body: () throws -> Void) throws {
    for _ in 0..<200 {
      do {
        return try body()
      } catch let error as BackupError where error.code == "restore.busy" || error.code == "locked" {
        usleep(20_000)
      }
    }
    try body()
  }

  /// - Returns: how many points there are.
  private func everyPoint(_ form: Form, _ place: Place = .ordinary, undoes: Bool) throws -> Int {
    try withStates(place) { folder, backup in
      let data = folder + "/work"
      try copy(folder + "/data", data)
      try restore(backup, to: data, Kernel())
      let new = try SwapTests.contents(of: data)
      let old = try SwapTests.contents(of: folder + "/data")
      #expect(new != old)
      if undoes { try copy(data, folder + "/restored") }
      let saved = try SwapTests.contents(of: backup)
      var number = 0
      while true {
        number += 1
        try copy(folder + (undoes ? "/restored" : "/data"), data)
        let faults = Faults(at: number, form)
        let files = files(faults, place)
        do {
          if undoes {
            let target = try RestoreTarget(FilePath(data), files: files)
            _ = try UndoRun(target, keptDays: 7, files: files, time: SystemTime(), events: EventStream()).run()
          } else {
            try restore(backup, to: data, files)
          }
        } catch {}
        if !faults.isReached { break }
        // Whoever looks next finishes what was committed.
        let target = try RestoreTarget(FilePath(data), files: Kernel())
        try whenFree {
          try PendingRestore(target, files: Kernel(), time: SystemTime(), events: EventStream()).finish()
        }
        let now = try SwapTests.contents(of: data)
        let isRight = form == .shortWrite ? now == (undoes ? old : new) : now == old || now == new
        #expect(isRight, "\(form) at call \(number): \(now.keys.sorted()) is neither")
        // And what was not finished is no obstacle, nor is what it left.
        if number % 7 == 0 {
          try whenFree { try restore(backup, to: data, Kernel()) }
          #expect(try SwapTests.contents(of: data) == new)
        }
      }
      #expect(try SwapTests.contents(of: backup) == saved)
      return number - 1
    }
  }

  @Test(
    "W1, W2: a restore in place that fails at any call leaves all of the old or all of the new",
    arguments: Form.allCases)
  func restoring(form: Form) throws {
    let points = try everyPoint(form, undoes: false)
    print("restore, \(form.rawValue): \(points) points")
    #expect(points > 100)
  }

  @Test(
    "W2, W3: so it is where names cannot be exchanged, and in an overlay, where folders cannot even be renamed",
    arguments: [Place.withoutExchange, .overlay], [false, true])
  func refusing(place: Place, undoes: Bool) throws {
    let points = try everyPoint(.killed, place, undoes: undoes)
    print("\(undoes ? "undo" : "restore"), \(place.rawValue), killed: \(points) points")
    #expect(points > 100)
  }

  @Test("W1, W2: so it is where MLflow lies elsewhere", arguments: [Form.error, .killed], [false, true])
  func twoSites(form: Form, undoes: Bool) throws {
    let points = try everyPoint(form, .twoSites, undoes: undoes)
    print("\(undoes ? "undo" : "restore"), two sites, \(form.rawValue): \(points) points")
    #expect(points > 100)
  }

  @Test("W6: and so it is with an undo", arguments: [Form.error, .killed])
  func undoing(form: Form) throws {
    let points = try everyPoint(form, undoes: true)
    print("undo, \(form.rawValue): \(points) points")
    #expect(points > 40)
  }

  @Test("W3: at no moment of a swap is the database's path empty, with exchange and without", arguments: [true, false])
  func neverEmpty(hasExchange: Bool) throws {
    try withStates { folder, backup in
      let missing = Mutex(0)
      let path = folder + "/data/hrp.duckdb"
      let files = HookedFileSystem(hasExchange: hasExchange) { (_, _) throws(SystemError) in
        if access(path, F_OK) != 0 { missing.withLock { $0 += 1 } }
      }
      try restore(backup, to: folder + "/data", files)
      #expect(missing.withLock { $0 } == 0)
    }
  }

  @Test("B4 to B6: a backup that fails at any call leaves nothing that looks like one", arguments: Form.allCases)
  func backingUp(form: Form) throws {
    try withStates { folder, backup in
      var settings = StackSettings()
      (settings.dataDirectory, settings.databasePath) = (folder + "/data", nil)
      (settings.backupDirectory, settings.trackingURI) = (folder + "/safe", nil)
      let stack = Stack(settings)
      let saved = try SwapTests.contents(of: backup)
      var number = 0
      while true {
        number += 1
        let faults = Faults(at: number, form)
        let result = try? BackupRun(
          stack, includesMLflow: true, files: files(faults), time: SystemTime(), events: EventStream()
        ).run()
        if !faults.isReached { break }
        let found = try BackupDirectory(FilePath(folder + "/safe"), files: Kernel()).list()
        // One that failed after it was published is there, and whole.
        #expect(result == nil || found.count == 2, "\(form) at call \(number)")
        for listed in found where listed.path != FilePath(backup) {
          let report = try Verification(files: Kernel(), time: SystemTime(), events: EventStream())
            .verify(listed.path, level: .checksums)
          #expect(report.isOK, "\(form) at call \(number): \(report.findings.map(\.line))")
          try FileManager.default.removeItem(atPath: listed.path.string)
        }
      }
      #expect(try SwapTests.contents(of: backup) == saved)
      print("backup, \(form.rawValue): \(number - 1) points")
      #expect(number > 100)
    }
  }

  // MARK: - Power lost

  private static func ours(_ all: [String: Data]) -> [String: Data] {
    all.filter { name, _ in !name.split(separator: "/").contains { $0.hasPrefix(".") } }
  }

  @Test(
    "W1, W4: power lost at any call of a restore or an undo: all of the old or all of the new",
    arguments: [false, true])
  func power(undoes: Bool) throws {
    try withStates { folder, backup in
      let prepare = { (isRestored: Bool) in
        let memory = MemoryFileSystem()
        try memory.load(folder + "/data", at: "/data")
        try memory.load(backup, at: "/safe/backup_20260101_000000")
        if isRestored { try restore("/safe/backup_20260101_000000", to: "/data", memory) }
        _ = try memory.synchronizeFileSystem(of: Descriptor(number: 0))
        return memory
      }
      let old = Self.ours(try prepare(false).contents(of: "/data"))
      let new = Self.ours(try prepare(true).contents(of: "/data"))
      let saved = try prepare(false).contents(of: "/safe")
      #expect(old != new && !old.isEmpty && !new.isEmpty)
      var number = 0
      while true {
        number += 1
        var isOver = false
        for seed in 1...UInt64(4) {
          let memory = try prepare(undoes)
          memory.losePower(atCall: number)
          do {
            if undoes {
              let target = try RestoreTarget(FilePath("/data"), files: memory)
              _ = try UndoRun(target, keptDays: 7, files: memory, time: SystemTime(), events: EventStream()).run()
            } else {
              try restore("/safe/backup_20260101_000000", to: "/data", memory)
            }
          } catch {}
          isOver = !memory.isDown
          if isOver { break }
          memory.restart(seed: seed &+ UInt64(number) &* 97)
          let target = try RestoreTarget(FilePath("/data"), files: memory)
          try PendingRestore(target, files: memory, time: SystemTime(), events: EventStream()).finish()
          let now = Self.ours(memory.contents(of: "/data"))
          #expect(now == old || now == new, "power lost at call \(number), seed \(seed): \(now.mapValues(\.count))")
          #expect(memory.contents(of: "/safe") == saved)
        }
        if isOver { break }
      }
      print("\(undoes ? "undo" : "restore"), power lost: \(number - 1) points, 4 chances each")
      #expect(number > 100)
    }
  }

  @Test(
    "B3, B4: power lost at any call of a backup: nothing that looks like one, or a whole one; earlier ones untouched")
  func powerOfBackup() throws {
    try withStates { folder, backup in
      var settings = StackSettings()
      (settings.dataDirectory, settings.databasePath, settings.backupDirectory) = ("/data", nil, "/safe")
      settings.trackingURI = nil
      let stack = Stack(settings)
      var number = 0
      var whole = 0
      while true {
        number += 1
        let memory = MemoryFileSystem()
        try memory.load(folder + "/data", at: "/data")
        try memory.load(backup, at: "/safe/backup_20260101_000000")
        let before = memory.contents(of: "/safe")
        memory.losePower(atCall: number)
        _ = try? BackupRun(
          stack, includesMLflow: true, files: memory, time: ManualTime(now: 1_800_000_000_000_000_000),
          events: EventStream()
        ).run()
        if !memory.isDown { break }
        memory.restart(seed: UInt64(number))
        let found = try BackupDirectory(FilePath("/safe"), files: memory).list()
        for backup in found {
          let report = try Verification(files: memory, time: SystemTime(), events: EventStream())
            .verify(backup.path, level: .checksums, files: memory, andFromMemory: false)
          #expect(report.isOK, "power lost at call \(number): \(report.findings.map(\.line))")
        }
        whole += found.count - 1
        let after = memory.contents(of: "/safe")
        #expect(before.allSatisfy { after[$0.key] == $0.value } && found.count >= 1)
      }
      print("backup, power lost: \(number - 1) points, after \(whole) of them the new backup was there")
      #expect(number > 100)
    }
  }
}
