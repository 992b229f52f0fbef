import Backup
import Files
import Foundation
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

    func hook(_ call: String, _ path: String) throws(SystemError) {
      let isNow = state.withLock { state in
        state.count += 1
        let isNow = form == .killed ? state.count >= number : state.count == number
        if isNow { state.isReached = true }
        return isNow
      }
      // Closing cannot be refused, and a question about space is no write.
      if isNow, form == .killed || call != "close" {
        throw SystemError(call, form == .diskFull ? .noSpace : .ioError, path: path)
      }
    }
  }

  private func copy(_ from: String, _ to: String) throws {
    try? FileManager.default.removeItem(atPath: to)
    try FileManager.default.copyItem(atPath: from, toPath: to)
  }

  /// A small stack without a log, its backup, and what it became after.
  private func withStates<Result>(_ body: (_ folder: String, _ backup: String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      try Engine("2.0.0").run(
        """
        os.makedirs('data/mlflow/mlruns/0/r')
        c = duckdb.connect('data/hrp.duckdb'); c.execute("SET checkpoint_threshold='1GB'"); c.execute('CREATE TABLE t AS SELECT range i FROM range(9)')
        c.execute('CHECKPOINT'); c.execute('INSERT INTO t VALUES (9)'); os._exit(0)
        """, in: folder)
      try Data("first".utf8).write(to: URL(fileURLWithPath: folder + "/data/mlflow/mlruns/0/r/model"))
      let made = try run(Checkout.hrp, ["backup", "create", "--data-dir", "data", "--backup-dir", "safe"], in: folder)
      #expect(made.status == 0)
      let name = try #require(
        try FileManager.default.contentsOfDirectory(atPath: folder + "/safe").first { $0.hasPrefix("backup_") })
      try Engine("2.0.0").run(
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
  private func everyPoint(_ form: Form, hasExchange: Bool, undoes: Bool) throws -> Int {
    try withStates { folder, backup in
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
        let files = HookedFileSystem(hasExchange: hasExchange) { (call, path) throws(SystemError) in
          try faults.hook(call, path)
        }
        do {
          if undoes {
            let target = try RestoreTarget(FilePath(data), files: files)
            _ = try UndoRun(target, files: files, time: SystemTime(), events: EventStream()).run()
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
        #expect(now == old || now == new, "\(form) at call \(number): \(now.keys.sorted()) is neither")
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
    let points = try everyPoint(form, hasExchange: true, undoes: false)
    print("restore, \(form.rawValue): \(points) points")
    #expect(points > 100)
  }

  @Test("W3: so it is where names cannot be exchanged")
  func withoutExchange() throws {
    let points = try everyPoint(.killed, hasExchange: false, undoes: false)
    print("restore without exchange, killed: \(points) points")
    #expect(points > 100)
  }

  @Test("W6: and so it is with an undo", arguments: [Form.error, .killed])
  func undoing(form: Form) throws {
    let points = try everyPoint(form, hasExchange: true, undoes: true)
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
}
