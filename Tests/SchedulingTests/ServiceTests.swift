import Advice
import Files
import Foundation
import Scheduling
import Stacks
import Store
import Synchronization
import SystemPackage
import TestKit
import Testing

/// The scheduler as a service: what is written, judged by the programs that read it.
@Suite("Service")
struct ServiceTests {
  /// A name that every quoting must get right.
  private static let odd = "my 100% \"lab\" $HOME & co"

  private func definition(_ folder: String) -> ServiceDefinition {
    ServiceDefinition(
      program: "/bin/sh", dataDirectory: FilePath(folder),
      environment: [(name: "HRP_DB_PATH", value: folder + "/a b%.duckdb")])
  }

  @Test(
    "systemd takes the unit and sees the words as they are, with blanks, percent and dollar signs",
    .enabled(if: Self.hasSystemd))
  func systemd() throws {
    try withTemporaryFolder { folder in
      let data = folder + "/" + Self.odd
      let unit = folder + "/hrp-scheduler.service"
      try Data(definition(data).text(for: .systemd).utf8).write(to: URL(fileURLWithPath: unit))
      let verified = try run("/usr/bin/systemd-analyze", ["verify", "--user", "--man=no", unit])
      #expect(!verified.errors.contains("hrp-scheduler.service"), "\(verified)")
      let text = try String(contentsOfFile: unit, encoding: .utf8)
      #expect(text.contains("--data-dir\" \"\(folder)/my 100%% \\\"lab\\\" $$HOME & co\"\n"), "\(text)")
      #expect(text.contains("Environment=\"HRP_DB_PATH=\(folder)/my 100%% \\\"lab\\\" $HOME & co/a b%%.duckdb\"\n"))
      #expect(text.contains("StandardOutput=append:\(folder)/my 100%% \"lab\" $HOME & co/logs/scheduler.log\n"))
    }
  }

  @Test("launchd's property list reads back as what was meant", .guide(14))
  func launchd() throws {
    let text = definition("/data/" + Self.odd).text(for: .launchd)
    let list = try #require(
      PropertyListSerialization.propertyList(from: Data(text.utf8), format: nil) as? [String: Any])
    #expect(list["Label"] as? String == "com.hrp.scheduler")
    #expect(
      list["ProgramArguments"] as? [String] == [
        "/bin/sh", "scheduler", "run", "--log-lines", "--data-dir", "/data/" + Self.odd,
      ])
    #expect((list["EnvironmentVariables"] as? [String: String])?["HRP_DB_PATH"] == "/data/\(Self.odd)/a b%.duckdb")
    #expect(list["StandardErrorPath"] as? String == "/data/\(Self.odd)/logs/scheduler.error.log")
    #expect(list["RunAtLoad"] as? Bool == true && list["KeepAlive"] as? Bool == true)
  }

  @Test("the guide's service has the guide's label, file and log, and the guide's commands find it", .guide(11, 12, 13))
  func guide() throws {
    let path = try #require(OperationsGuide.text.firstMatch(of: #/launchctl load ~(\S+)/#)?.1)
    let filter = try #require(OperationsGuide.text.firstMatch(of: #/launchctl list \| grep (\S+)/#)?.1)
    let log = try #require(OperationsGuide.text.firstMatch(of: #/tail -f ~\/hrp-data(\S+scheduler\S+)/#)?.1)
    let file = ServiceSystem.launchd.path(of: .scheduler, home: "/home/me").string
    #expect(file == "/home/me" + String(path))
    let list = try #require(
      PropertyListSerialization.propertyList(from: Data(definition("/data").text(for: .launchd).utf8), format: nil)
        as? [String: Any])
    let label = try #require(list["Label"] as? String)
    #expect(label.contains(String(filter)) && path.hasSuffix("/" + label + ".plist"))
    #expect(list["StandardErrorPath"] as? String == "/data" + String(log))
    // A backup is part of it by default.
    #expect((list["ProgramArguments"] as? [String])?.contains("--no-backup") == false)
  }

  @Test("the ops server is a service of its own, beside the scheduler's")
  func ops() throws {
    let ops = ServiceDefinition(.ops, program: "/bin/sh", dataDirectory: "/data/lab", environment: [])
    let list = try #require(
      PropertyListSerialization.propertyList(from: Data(ops.text(for: .launchd).utf8), format: nil) as? [String: Any])
    #expect(list["Label"] as? String == "com.hrp.ops")
    #expect(list["ProgramArguments"] as? [String] == ["/bin/sh", "ops", "--data-dir", "/data/lab"])
    #expect(ops.text(for: .systemd).contains("ExecStart=\"/bin/sh\" \"ops\" \"--data-dir\" \"/data/lab\"\n"))
    #expect(ops.text(for: .systemd).contains("/data/lab/logs/ops.error.log\n") && ops.cronLine == nil)
    let paths = ServiceKind.allCases.map { ServiceSystem.launchd.path(of: $0, home: "/home/me").string }
    #expect(
      paths == [
        "/home/me/Library/LaunchAgents/com.hrp.scheduler.plist", "/home/me/Library/LaunchAgents/com.hrp.ops.plist",
      ])
  }

  @Test("the line for a crontab runs with a shell as it is meant; cron's percent sign is escaped")
  func cron() throws {
    let line = try #require(definition("/data/" + Self.odd).cronLine)
    #expect(line.hasPrefix("* * * * * /bin/sh scheduler run --once -q --data-dir "))
    // As cron does: a percent sign with a backslash is a percent sign.
    let command = line.dropFirst("* * * * * ".count).replacing("\\%", with: "%")
    let words = try run("/bin/sh", ["-c", "printf '%s\\n' \(command)"]).output.split(separator: "\n")
    #expect(words.last.map(String.init) == "/data/" + Self.odd)
  }

  private func installation(
    _ home: String, answers: @escaping ([String]) -> (Int32, String), asked: @escaping ([String]) -> Void = { _ in }
  ) throws -> ServiceInstallation {
    try ServiceInstallation(
      Stack(StackSettings(dataDirectory: home + "/data")), program: "/opt/hrp", manager: .systemd,
      at: FilePath(home + "/config/systemd/user/hrp-scheduler.service"), files: Kernel()
    ) { words in
      asked(words)
      return answers(words)
    }
  }

  @Test("install writes once, starts, and done again changes nothing; uninstall takes it away; a foreign file stays")
  func lifecycle() throws {
    try withTemporaryFolder { home in
      try FileManager.default.createDirectory(atPath: home + "/data", withIntermediateDirectories: true)
      let asked = Mutex<[String]>([])
      let service = try installation(home, answers: { _ in (0, "Linger=no") }) { words in
        asked.withLock { $0.append(words.dropFirst(2).joined(separator: " ")) }
      }
      let first = try service.install("/opt/hrp")
      #expect(first.isChanged && first.isStarted)
      #expect(
        asked.withLock { $0.prefix(4) } == [
          "show-environment", "daemon-reload", "enable --now hrp-scheduler.service", "restart hrp-scheduler.service",
        ])
      #expect(FileManager.default.fileExists(atPath: home + "/data/logs"))
      let second = try service.install("/opt/hrp")
      #expect(
        !second.isChanged && second.isStarted && asked.withLock { $0.filter { $0.hasPrefix("restart") } }.count == 1)
      #expect(try service.isInstalled() && service.isOfStack())
      let other = try ServiceInstallation(
        Stack(StackSettings(dataDirectory: home + "/data2")), program: "/opt/hrp", manager: .systemd, at: service.path,
        files: Kernel())
      #expect(try other.isInstalled() && !other.isOfStack())
      #expect(try service.uninstall())
      #expect(try !service.isInstalled() && !service.uninstall())
      try Data("[Service]\nExecStart=/bin/true\n".utf8).write(to: URL(fileURLWithPath: service.path.string))
      for action in [{ _ = try service.install("/opt/hrp") }, { _ = try service.uninstall() }] {
        #expect { try action() } throws: { ($0 as? BackupError)?.code == "service.foreign" }
      }
      #expect(try String(contentsOfFile: service.path.string, encoding: .utf8).contains("/bin/true"))
    }
  }

  @Test("without a manager nothing is written, and a file of before stays; a program of a build folder is refused")
  func refusals() throws {
    try withTemporaryFolder { home in
      try FileManager.default.createDirectory(atPath: home + "/data", withIntermediateDirectories: true)
      let service = try installation(home, answers: { _ in (1, "") })
      for isThere in [false, true] {
        if isThere { _ = try installation(home, answers: { _ in (0, "") }).install("/opt/hrp") }
        let result = try service.install("/opt/hrp")
        #expect(!result.isStarted && !result.isChanged && result.lingers == nil)
        #expect(FileManager.default.fileExists(atPath: service.path.string) == isThere)
      }
      #expect { try service.install("/home/me/hrp/.build/release/hrp") } throws: {
        ($0 as? BackupError)?.code == "service.in-build"
      }
      #expect(throws: BackupError.self) {
        try ServiceInstallation(
          Stack(StackSettings(dataDirectory: "/a\nb")), program: "/opt/hrp", files: Kernel())
      }
    }
  }

  @Test(
    "doctor: an idle service is wrong; one that ends at logout, and none at all, are worth a look",
    arguments: [
      (isActive: true, lingers: true, state: DiagnosisRow.State.good, words: "runs as a service"),
      (isActive: true, lingers: false, state: .warning, words: "ends when the user logs out"),
      (isActive: false, lingers: true, state: .failure, words: "does not run it"),
    ])
  func diagnosis(isActive: Bool, lingers: Bool, state: DiagnosisRow.State, words: String) throws {
    try withTemporaryFolder { home in
      try run("/bin/mkdir", [home + "/data"])
      let stack = Stack(StackSettings(dataDirectory: home + "/data"))
      let service = try installation(
        home,
        answers: { asked in
          if asked.contains("is-active") { return (isActive ? 0 : 3, "") }
          return (0, asked.first == "loginctl" ? "Linger=\(lingers ? "yes" : "no")" : "")
        })
      let row = { try ServiceDiagnosis(stack, service: service, files: Kernel(), time: SystemTime()).row() }
      #expect(try row()?.state == .warning && row()?.detail.contains("only by hand") == true)
      _ = try service.install("/opt/hrp")
      let seen = try row()
      let told = try #require(seen)
      #expect(told.state == state && told.detail.contains(words), "\(told.detail)")
    }
  }

  private static let hasSystemd = FileManager.default.fileExists(atPath: "/usr/bin/systemd-analyze")
}
