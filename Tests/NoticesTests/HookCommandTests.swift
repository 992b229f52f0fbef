import Files
import Foundation
import Notices
import Settings
import SystemPackage
import TestKit
import Testing

/// The commands of a user.
@Suite("Notice commands")
struct HookCommandTests {
  /// Runs the command of a moment in a folder of its own, which is its data directory.
  private func run(
    _ command: String, _ event: HookEvent = HookEvent("success"), limit: Duration = HookCommand.limit,
    body: (String) throws -> Void = { _ in }
  ) throws -> HookFailure? {
    try withTemporaryFolder { folder in
      let settings = NoticeSettings(commands: [.beforeBackup: Setting(command, from: .standard)])
      let hooks = HookCommand(settings, dataDirectory: FilePath(folder))
      var failure: HookFailure?
      do throws(HookFailure) {
        try hooks.run(.beforeBackup, event: event, limit: limit)
        try hooks.run(.afterBackup, event: event)
      } catch {
        failure = error
      }
      try body(folder)
      return failure
    }
  }

  @Test("a command is told what happened, in variables that mean nothing to a shell")
  func variables() throws {
    let message = "no \"space\"; $(id) 'x'\nline\r\u{1B}"
    let event = HookEvent(
      "failure", job: "nightly", backupPath: "/b/backup 1", backupName: "backup 1", state: "failed", message: message)
    let names = ["EVENT", "JOB", "DATA_DIR", "BACKUP_PATH", "BACKUP_NAME", "STATE", "MESSAGE"]
    let command = names.map { "printf '%s|' \"$HRP_\($0)\"" }.joined(separator: "; ")
    let failure = try run("(\(command)) > \"$HRP_DATA_DIR/said\"", event) { folder in
      let said = try String(contentsOfFile: folder + "/said", encoding: .utf8)
      #expect(
        said == "failure|nightly|\(folder)|/b/backup 1|backup 1|failed|no \"space\"; $(id) 'x'\nline%0d%1b|")
    }
    #expect(failure == nil)
  }

  @Test("a variable without a value is empty, also when this process has one")
  func unset() throws {
    #expect(try run("test -z \"$HRP_JOB$HRP_BACKUP_PATH$HRP_BACKUP_NAME$HRP_STATE$HRP_MESSAGE\"") == nil)
    #expect(
      try run("test \"$HRP_MESSAGE\" = ab", HookEvent("x", message: "a\0b"))?.words.contains("exit code 1") == true)
  }

  @Test("a failure has the exit code and the end of what the command said")
  func failure() throws {
    let failed = try #require(try run("echo first; echo 'no disk' >&2; printf '\\033[31mred'; exit 3"))
    #expect(failed.cause == .ended(.exited(3)) && failed.moment == .beforeBackup)
    #expect(
      failed.words == "the command before_backup ended with exit code 3; it said: first\nno disk\n%1b[31mred")
    let long = try #require(try run("yes | head -c 100000; echo the end; exit 1"))
    #expect(long.words.utf8.count < 2200 && long.words.hasSuffix("the end"))
    #expect(try run("no-such-command-hrp")?.cause == .ended(.exited(127)))
    #expect(try run("kill -9 $$")?.cause == .ended(.signalled(9)))
  }

  @Test("a command that takes too long is ended with all that it started")
  func tooLong() throws {
    let command = "sleep 1000 & echo $! > \"$HRP_DATA_DIR/child\"; trap '' TERM; echo begun; sleep 1000; sleep 1000"
    var child: Int32 = 0
    let failed = try run(command, limit: .seconds(3)) { folder in
      let text = try String(contentsOfFile: folder + "/child", encoding: .utf8)
      child = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
    #expect(failed?.cause == .tooLong && failed?.words.contains("took more than") == true)
    // It is gone, or a zombie that somebody else waits for.
    let state = try TestKit.run("/bin/ps", ["-o", "stat=", "-p", "\(child)"]).output
    #expect(state.isEmpty || state.hasPrefix("Z"), "\(state)")
  }

  @Test(
    "output without end is no reason to wait: nor is silence, nor one long line",
    arguments: ["yes", "exec >&- 2>&-; sleep 1000", "cat /dev/zero"])
  func endless(command: String) throws {
    #expect(try run(command, limit: .milliseconds(300))?.cause == .tooLong)
  }

  @Test("what a command leaves running in the background is not waited for")
  func background() throws {
    let begun = SystemTime().monotonicNanoseconds
    var child: Int32 = 0
    #expect(
      try run("sleep 60 & echo $! > \"$HRP_DATA_DIR/child\"") { folder in
        let text = try String(contentsOfFile: folder + "/child", encoding: .utf8)
        child = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
      } == nil)
    #expect(SystemTime().monotonicNanoseconds - begun < 30_000_000_000)
    #expect(kill(child, SIGKILL) == 0, "it lives on")
  }

  @Test("a command reads nothing from hrp's terminal")
  func input() throws { #expect(try run("test -z \"$(cat)\"") == nil) }

  @Test("a notice runs the command for its kind; a test runs all, and says that it is one")
  func notices() throws {
    try withTemporaryFolder { folder in
      let commands = [HookMoment.start, .success, .failure, .afterBackup].map {
        ($0, Setting("echo \($0.rawValue) $HRP_EVENT $HRP_STATE >> \"$HRP_DATA_DIR/said\"", from: .standard))
      }
      let settings = NoticeSettings(commands: Dictionary(uniqueKeysWithValues: commands))
      #expect(settings.channels == [.command])
      let sender = NoticeSender(settings, dataDirectory: FilePath(folder), files: Kernel(), time: ManualTime())
      for kind in Notice.Kind.allCases {
        let delivered = sender.send(Notice(kind, stack: "lab", timestamp: 0, message: ""))
        #expect(delivered == [NoticeDelivery(.command, isDelivered: true, tries: 1)])
      }
      let said = try String(contentsOfFile: folder + "/said", encoding: .utf8)
      #expect(
        said == """
          start start
          success success completed
          failure failure failed
          failure unprotected
          success protected
          failure reminder
          start test
          success test
          failure test

          """)
    }
  }
}
