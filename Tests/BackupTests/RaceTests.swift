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

/// B9: what others do while a restore stages, and a survey looks.
@Suite("Beside others")
struct RaceTests {
  private func code(of body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return BackupError(error, doing: "").code }
  }

  @Test("a backup that begins in the middle of a restore is told so, and the restore goes on")
  func createDuringRestore() throws {
    try withStack { sample in
      let made = try sample.create().path
      let inner = Mutex<[String?]>([])
      let files = HookedFileSystem { (call, _) throws(SystemError) in
        guard call == "syncfs" else { return }
        let code = code { _ = try sample.create() }
        inner.withLock { $0.append(code) }
      }
      _ = try sample.restore(made, to: sample.data, files: files)
      #expect(inner.withLock { $0 } == ["locked"])
    }
  }

  /// A program that has opened a file, and holds no lock on it.
  private final class Opener: Sendable {
    private let process = Mutex<Process?>(nil)

    func open(_ path: String) throws {
      let started = Process()
      started.executableURL = URL(fileURLWithPath: "/bin/sh")
      let ready = path + ".opened"
      started.arguments = ["-c", "exec 9<'\(path)'; touch '\(ready)'; exec sleep 600"]
      try started.run()
      process.withLock { $0 = started }
      while !FileManager.default.fileExists(atPath: ready) { usleep(2000) }
      try FileManager.default.removeItem(atPath: ready)
    }

    deinit { process.withLock { $0?.terminate() } }
  }

  @Test(
    "a program that opened the database, or something of MLflow, since the restore began is seen at the commit",
    arguments: [("hrp.duckdb", "restore.database-in-use"), ("mlflow/mlflow.db", "restore.mlflow-in-use")])
  func openedSince(name: String, expected: String) throws {
    try withStack { sample in
      let made = try sample.create().path
      let before = try SwapTests.contents(of: sample.data)
      let opener = Opener()
      let isDone = Mutex(false)
      let files = HookedFileSystem { (call, _) throws(SystemError) in
        guard call == "syncfs",
          isDone.withLock({ done in
            defer { done = true }; return !done
          })
        else { return }
        try? opener.open(sample.data + "/" + name)
      }
      #expect(code { _ = try sample.restore(made, to: sample.data, files: files) } == expected)
      #expect(try SwapTests.contents(of: sample.data) == before)
    }
  }

  @Test(
    "scratch is made again when somebody removes its directory as empty, and a new folder is never without its lock")
  func scratchRemoved() throws {
    try withTemporaryFolder { folder in
      let place = folder + "/scratch"
      let state = Mutex(0)
      let files = HookedFileSystem { (call, path) throws(SystemError) in
        guard call == "mkdirat", path.hasPrefix("hrp-scratch.") else { return }
        // What a survey does that made the directory and is done with it.
        if state.withLock({
          $0 += 1; return $0
        }) <= 2 {
          try? FileManager.default.removeItem(atPath: place)
        }
      }
      let scratch = try Scratch(in: FilePath(place), files: files)
      #expect(FileManager.default.fileExists(atPath: scratch.path.string))
      #expect(state.withLock { $0 } == 3)
      scratch.remove()
    }
  }

  @Test("a survey leaves a scratch directory in which another works")
  func surveyLeavesScratch() throws {
    try withTemporaryFolder { folder in
      let place = FilePath(folder + "/scratch")
      let scratch = try Scratch(in: place, files: Kernel())
      LiveSnapshot.leave(place, files: Kernel())
      #expect(FileManager.default.fileExists(atPath: scratch.path.string))
      scratch.remove()
      LiveSnapshot.leave(place, files: Kernel())
      #expect(!FileManager.default.fileExists(atPath: place.string))
    }
  }
}
