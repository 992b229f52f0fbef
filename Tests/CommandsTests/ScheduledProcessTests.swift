import Foundation
import TestKit
import Testing

/// Jobs as processes of their own, as the user of a scheduler meets them.
@Suite("Processes of the scheduler")
struct ScheduledProcessTests {
  /// A scheduler that is running, and what it says.
  private final class Scheduler {
    let process = Process()
    private let output = Pipe()
    private(set) var text = ""

    init(in home: String, _ arguments: [String] = ["scheduler", "run"]) throws {
      process.executableURL = URL(fileURLWithPath: Checkout.hrp)
      process.arguments = arguments
      process.environment = ["HOME": home, "PATH": "/usr/bin:/bin"]
      process.standardOutput = output
      process.standardError = output
      try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Waits until it has said something.
    func hears(_ words: String) -> Bool {
      while !text.contains(words) {
        let data = output.fileHandleForReading.availableData
        if data.isEmpty { return false }
        text += String(decoding: data, as: UTF8.self)
      }
      return true
    }

    func end() -> Int32 {
      text += String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      return process.terminationStatus
    }
  }

  private func states(_ home: String) throws -> [String?] {
    try schedulerHistory(in: home).map { $0["state"] as? String }
  }

  /// A job that waits before its backup until somebody removes a file.
  private func waiting(_ home: String) throws {
    try Data().write(to: URL(fileURLWithPath: home + "/wait"))
    try configure(
      """
      jobs:
        nightly:
          every: day
          drill: never
      notices:
        commands:
          before_backup: "echo begun >> '\(home)/begun'; while [ -e '\(home)/wait' ]; do sleep 0.05; done"
      """, in: home)
  }

  private func waitUntilBegun(_ home: String) throws {
    let end = Date().addingTimeInterval(60)
    while !FileManager.default.fileExists(atPath: home + "/begun"), Date() < end {
      try run("/bin/sh", ["-c", "sleep 0.05"])
    }
    #expect(FileManager.default.fileExists(atPath: home + "/begun"))
  }

  @Test("a scheduler that is killed leaves its job alone; the next one waits for it, and runs nothing twice")
  func orphan() throws {
    try withGuideHome { home in
      try waiting(home)
      let first = try Scheduler(in: home)
      try waitUntilBegun(home)
      kill(first.process.processIdentifier, SIGKILL)
      first.process.waitUntilExit()
      // The job goes on without it, so nothing is due, and no other job may run.
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n")
      #expect(try states(home) == ["running"])
      #expect(try hrp(["scheduler", "run-now", "nightly"], in: home).status == 11)
      try FileManager.default.removeItem(atPath: home + "/wait")
      let end = Date().addingTimeInterval(60)
      while try states(home) == ["running"], Date() < end {}
      #expect(try states(home) == ["completed"])
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n")
      #expect(try hrp(["backup", "verify", "latest"], in: home).status == 0)
    }
  }

  @Test("a job that is killed is told as interrupted, and runs once more")
  func killedJob() throws {
    try withGuideHome { home in
      try waiting(home)
      let scheduler = try Scheduler(in: home, ["scheduler", "run", "--once"])
      try waitUntilBegun(home)
      let child = try run(
        "/bin/sh", ["-c", "pgrep -P \(scheduler.process.processIdentifier)"]
      ).output.trimmingCharacters(in: .whitespacesAndNewlines)
      kill(try #require(Int32(child)), SIGKILL)
      #expect(scheduler.end() == 1)
      #expect(
        scheduler.text.contains("nightly (missed") && scheduler.text.contains("was interrupted"), "\(scheduler.text)")
      try FileManager.default.removeItem(atPath: home + "/wait")
      let again = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(again.status == 0 && again.output.contains("again after it was killed"), "\(again)")
      #expect(try states(home) == ["completed"])
    }
  }

  @Test("after SIGTERM a running job may end by itself; the scheduler ends with 0")
  func terminated() throws {
    try withGuideHome { home in
      try waiting(home)
      let scheduler = try Scheduler(in: home)
      try waitUntilBegun(home)
      scheduler.process.terminate()
      try FileManager.default.removeItem(atPath: home + "/wait")
      #expect(scheduler.end() == 0)
      #expect(
        scheduler.text.contains("✓ nightly") && scheduler.text.hasSuffix("Scheduler stopped\n"), "\(scheduler.text)")
      #expect(try states(home) == ["completed"])
    }
  }

  @Test("a job that is killed is told by ping and by the user's commands all the same, by its scheduler")
  func killedIsTold() throws {
    try withGuideHome { home in
      let listener = try HTTPListener()
      try configure(
        """
        jobs:
          nightly:
            every: day
            drill: never
        notices:
          ping:
            url: \(listener.address)/ping
          commands:
            before_backup: "kill -9 $PPID"
            after_backup: "echo $HRP_STATE > '\(home)/after'"
        """, in: home)
      let done = try hrp(["scheduler", "run", "--once"], in: home)
      #expect(done.status == 1 && done.output.contains("was interrupted"), "\(done)")
      // It may be killed before its start was told.
      let told = listener.requests.map(\.target)
      #expect(told == ["/ping/start", "/ping/fail"] || told == ["/ping/fail"], "\(told)")
      #expect(FileManager.default.fileExists(atPath: home + "/after"))
    }
  }

  @Test("what reached nobody is told again; a loss stays shown until the same kind, or a test, arrives")
  func toldAgain() throws {
    try withGuideHome { home in
      let listener = try HTTPListener(answers: [500, 500, 500, 200])
      try configure(
        """
        jobs:
          nightly:
            every: day
            drill: never
        notices:
          webhook:
            url: \(listener.address)/hook
        """, in: home)
      // Without a drill the stack is not protected.
      #expect(try hrp(["scheduler", "run-now", "nightly"], in: home).errors.contains("was not delivered"))
      #expect(try hrp(["status"], in: home).output.contains("! The notice of unprotected by webhook was not delivered"))
      #expect(try hrp(["scheduler", "run-now", "nightly"], in: home).errors.contains("not delivered") == false)
      #expect(listener.requests.count == 4)
      #expect(try !hrp(["status"], in: home).output.contains("was not delivered"))
      #expect(try hrp(["scheduler", "run-now", "nightly"], in: home).status == 0)
      #expect(listener.requests.count == 4, "told once")
    }
  }

  @Test("status says of each place what its newest copy is, and what is wrong with it")
  func places() throws {
    try withGuideHome { home in
      try configure("places:\n  usb:\n    path: \(home)/usb\n", in: home)
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      #expect(try hrp(["status"], in: home).output.contains("! The place usb: there is no \(home)/usb"))
      #expect(try hrp(["backup", "copy", "latest", "usb", "--new-place"], in: home).status == 0)
      #expect(try hrp(["status"], in: home).output.contains("Newest copy in usb: backup_20"))
      let copy = try #require(
        FileManager.default.contentsOfDirectory(atPath: home + "/usb").first { $0.hasPrefix("backup_") })
      try run("/bin/sh", ["-c", "chmod u+w \"$0\"; printf X >> \"$0\"", "\(home)/usb/\(copy)/hrp.duckdb"])
      #expect(try hrp(["backup", "verify", "usb:latest"], in: home).status == 1)
      let status = try hrp(["status"], in: home)
      #expect(status.output.contains("! The place usb: the copy \(copy) there is damaged"), "\(status)")
      #expect(try hrp(["doctor"], in: home).output.contains("is damaged"))
      #expect(try hrp(["backup", "copy", copy, "usb"], in: home).status == 0)
      #expect(try hrp(["backup", "verify", "usb:latest"], in: home).status == 0)
      #expect(try hrp(["backup", "trash", "list", "--at", "usb"], in: home).output.contains(copy))
      try Data("{".utf8).write(to: URL(fileURLWithPath: "\(home)/usb/.hrp-proofs/\(copy).json"))
      #expect(try hrp(["status"], in: home).output.contains("the copy \(copy) there cannot be judged"))
      try configure("places:\n  usb:\n    path: backups\n  two:\n    path: ./backups\n", in: home)
      let mistakes = try hrp(["config", "validate"], in: home)
      #expect(
        mistakes.status == 1 && mistakes.output.contains("line 2: places.usb.path cannot be meant"), "\(mistakes)")
    }
  }

  @Test("a job that is stopped runs the command after the backup all the same, and runs once more")
  func stoppedHooks() throws {
    try withGuideHome { home in
      try configure(
        """
        jobs:
          nightly:
            every: day
            drill: never
        notices:
          commands:
            before_backup: "echo begun > '\(home)/begun'; sleep 60"
            after_backup: "echo $HRP_STATE > '\(home)/after'"
        """, in: home)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Checkout.hrp)
      process.arguments = ["scheduler", "run-now", "nightly"]
      process.environment = ["HOME": home, "PATH": "/usr/bin:/bin"]
      process.standardError = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      try waitUntilBegun(home)
      process.terminate()
      process.waitUntilExit()
      #expect(process.terminationStatus == 143)
      #expect(try String(contentsOfFile: home + "/after", encoding: .utf8) == "interrupted\n")
      #expect(try states(home) == ["interrupted"])
    }
  }

  @Test("a pause outlives the scheduler, shows in list-jobs and status, and what was missed is caught up after it")
  func paused() throws {
    try withGuideHome { home in
      #expect(try hrp(["scheduler", "pause", "weekly_backup"], in: home).output == "Paused: weekly_backup\n")
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output == "Nothing is due\n")
      let listed = try hrp(["scheduler", "list-jobs", "--json"], in: home)
      #expect(listed.output.contains("\"paused_since\": \"20"), "\(listed)")
      let status = try hrp(["status"], in: home)
      #expect(status.output.contains("Paused since 20") && !status.output.contains("Next run"), "\(status)")
      #expect(try hrp(["scheduler", "resume", "weekly_backup"], in: home).output == "Resumed: weekly_backup\n")
      #expect(try hrp(["scheduler", "run", "--once"], in: home).output.contains("✓ weekly_backup (missed"))
      #expect(try hrp(["scheduler", "pause", "nothing"], in: home).status == 10)
    }
  }

  @Test("a command before the backup that fails lets none be made; the one after it is told how it went")
  func hooks() throws {
    try withGuideHome { home in
      try configure(
        """
        jobs:
          nightly:
            every: day
            drill: never
        notices:
          commands:
            before_backup: "test -e '\(home)/ready' || { echo not ready; exit 3; }"
            after_backup: "echo $HRP_STATE $HRP_BACKUP_NAME >> '\(home)/after'"
        """, in: home)
      let failed = try hrp(["scheduler", "run-now", "nightly", "--json"], in: home)
      #expect(failed.status == 1 && failed.output.contains("\"code\": \"hook.failed\""), "\(failed)")
      #expect(failed.output.contains("not ready"))
      #expect(!FileManager.default.fileExists(atPath: home + "/hrp-data/backups"))
      try Data().write(to: URL(fileURLWithPath: home + "/ready"))
      #expect(try hrp(["scheduler", "run-now", "nightly"], in: home).status == 0)
      let after = try String(contentsOfFile: home + "/after", encoding: .utf8)
      #expect(after.hasPrefix("failed\ncompleted backup_20"), "\(after)")
    }
  }
}
