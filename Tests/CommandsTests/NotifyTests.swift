import Foundation
import TestKit
import Testing

/// `hrp notify test`, as its user meets it: with the real curl at real listeners.
@Suite("Notify")
struct NotifyTests {
  /// A home with an empty stack and a configuration.
  private func withConfiguration(_ yaml: String, body: (String) throws -> Void) throws {
    try withTemporaryFolder { home in
      try configure(yaml, in: home)
      try body(home)
    }
  }

  private func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
  }

  @Test("with nothing configured it says so, and how to begin")
  func nothing() throws {
    try withConfiguration("") { home in
      let done = try hrp(["notify", "test"], in: home)
      #expect(done.status == 0 && done.output.hasPrefix("No notices are configured\n    → hrp config init"))
      #expect(try hrp(["notify", "test", "--json"], in: home).output == "[]\n")
    }
  }

  @Test("each channel is told of, and one that does not work makes the exit code 1")
  func channels() throws {
    let listener = try HTTPListener(answers: [200, 404])
    let yaml = """
      notices:
        ping: {url: "\(listener.address)/uuid"}
        webhook: {url: "\(listener.address)/hook"}
        commands: {failure: "echo $HRP_EVENT > \\"$HRP_DATA_DIR/said\\""}
      """
    try withConfiguration(yaml) { home in
      let done = try hrp(["notify", "test"], in: home)
      let host = listener.address.dropFirst(7)
      #expect(done.status == 1)
      #expect(
        done.output == "✓ ping: delivered\n✗ webhook: \(host) answered with 404\n✓ command: delivered\n", "\(done)")
      #expect(try String(contentsOfFile: home + "/hrp-data/said", encoding: .utf8) == "test\n")
      #expect(listener.requests.last?.body.contains("\"stack\":\"hrp-data\"") == true)
      #expect(listener.requests.allSatisfy { !$0.body.contains(home) })
    }
  }

  @Test("--json prints one array, with null where nothing is wrong")
  func json() throws {
    let listener = try HTTPListener(answers: [200, 404])
    let yaml = "notices: {ping: {url: \"\(listener.address)/a\"}, webhook: {url: \"\(listener.address)/b\"}}"
    try withConfiguration(yaml) { home in
      let done = try hrp(["notify", "test", "--json"], in: home)
      let words = "\(listener.address.dropFirst(7)) answered with 404"
      #expect(
        try JSONValue(parsing: done.output)
          == .list([
            .object(["channel": .text("ping"), "delivered": .flag(true), "message": .null, "tries": .whole(1)]),
            .object([
              "channel": .text("webhook"), "delivered": .flag(false), "message": .text(words), "tries": .whole(1),
            ]),
          ]))
      #expect(done.status == 1)
    }
  }

  @Test("no secret stands in an argument list, in an output, or in a file of the stack; each arrives where it should")
  func secrets() throws {
    let (web, mail) = (try HTTPListener(), try SMTPListener())
    let yaml = """
      notices:
        ping: {url_file: ping}
        webhook: {url_file: hook, token_file: token}
        email: {to: a@b.org, smtp: "\(mail.address)", user: me, password_file: password, tls: optional}
      """
    try withConfiguration(yaml) { home in
      let data = home + "/hrp-data/"
      try write("\(web.address)/hushping", to: data + "ping")
      try write("\(web.address)/hushhook?token=hushquery", to: data + "hook")
      try write("hushtoken", to: data + "token")
      try write("hushpassword", to: data + "password")
      // The real curl behind a program of its name that records what everybody on the machine can see.
      let real = try run("/bin/sh", ["-c", "command -v curl"]).output.trimmingCharacters(in: .newlines)
      let bin = home + "/bin"
      try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
      try writeProgram("echo \"$@\" >> '\(home)/seen'\nexec '\(real)' \"$@\"", to: bin + "/curl")
      let path = bin + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
      var said = ""
      for arguments in [
        ["notify", "test"], ["notify", "test", "--json"], ["config", "show"], ["config", "show", "--json"],
      ] {
        let done = try hrp(arguments, in: home, ["PATH": path, "LOG_LEVEL": "debug"])
        #expect(done.status == 0, "\(arguments): \(done)")
        said += done.output + done.errors
      }
      #expect(
        try String(contentsOfFile: home + "/seen", encoding: .utf8) == String(repeating: "-q --config -\n", count: 6))
      #expect(!said.contains("hush"), "\(said)")
      let held = try run("/bin/sh", ["-c", "grep -rl hush . | sort"], in: data).output
      #expect(held == "./hook\n./password\n./ping\n./token\n")
      #expect(Set(web.requests.map(\.target)) == ["/hushping", "/hushhook?token=hushquery"])
      #expect(web.requests.contains { $0.headers["authorization"] == "Bearer hushtoken" })
      #expect(mail.commands.contains(Data("\0me\0hushpassword".utf8).base64EncodedString()))
      #expect(mail.messages.count == 2 && !mail.messages.contains { $0.contains("hush") })
    }
  }

  @Test("a job that fails is told by e-mail, and so is that all is well again", .guide(104))
  func mailOfAFailure() throws {
    let mail = try SMTPListener()
    let email = "notices: {email: {to: a@b.org, smtp: \"\(mail.address)\", tls: optional}"
    try withGuideHome { home in
      try configure(email + ", commands: {before_backup: \"exit 3\"}}\n", in: home)
      #expect(try hrp(["scheduler", "run", "--once"], in: home).status == 1)
      #expect(mail.messages.count == 1 && mail.messages[0].contains(": not protected\n"), "\(mail.messages)")
      try configure(email + "}\n", in: home)
      #expect(try hrp(["scheduler", "run-now", "weekly_backup"], in: home).status == 0)
      #expect(mail.messages.count == 2 && mail.messages[1].contains(": protected again\n"), "\(mail.messages)")
    }
  }

  @Test("secrets of variables arrive too, and are not shown")
  func variables() throws {
    let listener = try HTTPListener()
    try withConfiguration("") { home in
      let environment = [
        "HRP_WEBHOOK_URL": listener.address + "/hush", "HRP_WEBHOOK_TOKEN": "hushtoken",
        "HRP_ENVIRONMENT": "production",
        "NOTIFICATION_SLACK": "x",
      ]
      let done = try hrp(["notify", "test"], in: home, environment)
      #expect(done.status == 0 && done.output == "✓ webhook: delivered\n", "\(done)")
      #expect(done.errors == "hrp: warning: NOTIFICATION_SLACK is set, and hrp does not know it\n")
      #expect(listener.requests.first?.headers["authorization"] == "Bearer hushtoken")
      #expect(listener.requests.first?.body.contains("\"environment\":\"production\"") == true)
      let shown = try hrp(["config", "show"], in: home, environment)
      #expect(!shown.output.contains("hush") && shown.output.contains("HRP_WEBHOOK_TOKEN"), "\(shown)")
    }
  }

  @Test("config show has each value with its source: addresses with scheme and host, secrets by their file")
  func shown() throws {
    let yaml = """
      notices:
        ping: {url: https://hc-ping.com/uuid-of-mine}
        webhook: {url_file: hook, token_file: ~/token}
        email: {to: [a@b.org, c@d.org], smtp: "smtps://mail.b.org:465", user: me, password_file: p}
        commands: {failure: "notify-send hrp"}
      """
    try withConfiguration(yaml) { home in
      let done = try hrp(["config", "show", "--json"], in: home)
      guard case .object(let report) = try JSONValue(parsing: done.output), case .list(let rows)? = report["settings"]
      else {
        Issue.record("\(done)")
        return
      }
      let expected = [
        ("ping.url", "https://hc-ping.com/***", "line 2"), ("webhook.url_file", "hook", "line 3"),
        ("webhook.token_file", "~/token", "line 3"), ("email.to", "a@b.org, c@d.org", "line 4"),
        ("email.from", "a@b.org", "default"), ("email.smtp", "smtps://mail.b.org:465", "line 4"),
        ("email.tls", "required", "default"), ("email.user", "me", "line 4"), ("email.password_file", "p", "line 4"),
        ("commands.failure", "notify-send hrp", "line 5"),
      ]
      let found = rows.filter {
        if case .object(let row) = $0, case .text(let key)? = row["key"] { key.hasPrefix("notices") } else { false }
      }
      #expect(
        found
          == expected.map {
            .object(["key": .text("notices." + $0.0), "value": .text($0.1), "source": .text($0.2)])
          })
    }
  }

  @Test("SIGTERM ends the tries at once, with 143")
  func signal() throws {
    let listener = try HTTPListener(answers: [0])
    try withConfiguration("notices: {ping: {url: \"\(listener.address)/hush\"}}") { home in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Checkout.hrp)
      process.arguments = ["notify", "test"]
      process.environment = cleanEnvironment.merging(["HOME": home]) { $1 }
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      listener.waitForRequest()
      let begun = Date()
      process.terminate()
      process.waitUntilExit()
      #expect(process.terminationStatus == 143 && Date().timeIntervalSince(begun) < 8)
      let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      #expect(said == "✗ ping: hrp was asked to stop\n")
      #expect(listener.requests.count == 1)
    }
  }
}
