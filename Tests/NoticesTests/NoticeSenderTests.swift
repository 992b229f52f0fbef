import Files
import Foundation
import Notices
import Settings
import SystemPackage
import TestKit
import Testing

/// How notices arrive: with the real curl at real listeners.
@Suite("Notice sender")
struct NoticeSenderTests {
  private let notice = Notice(
    .failure, stack: "lab", host: "box", timestamp: 1_770_000_000_000_000_000, message: "no space at /home/me/x")

  /// A sender for a configuration in a folder of its own.
  private func withSender<Result>(
    _ yaml: String, secrets: [String: String] = [:], time: any TimeSource = ManualTime(), sendmail: String? = nil,
    resend: String = "http://127.0.0.1:1/", body: (NoticeSender, String) throws -> Result
  ) throws -> Result {
    try withTemporaryFolder { folder in
      for (name, secret) in secrets {
        try Data(secret.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/" + name)
      }
      if let sendmail {
        try writeProgram("cd \"$(dirname \"$0\")\"\n\(sendmail)", to: folder + "/sendmail")
      }
      let (settings, problems) = Settings.read(yaml) { [:][$0] }
      try #require(problems.isEmpty, "\(problems)")
      let programs = NoticePrograms(
        curl: Curl.find(), sendmail: sendmail.map { _ in FilePath(folder + "/sendmail") })
      let sender = NoticeSender(
        settings.notices, dataDirectory: FilePath(folder), files: Kernel(), time: time, programs: programs,
        resend: resend)
      return try body(sender, folder)
    }
  }

  private func delivered(_ channel: NoticeChannel, tries: Int = 1) -> [NoticeDelivery] {
    [NoticeDelivery(channel, isDelivered: true, tries: tries)]
  }

  @Test(
    "a ping goes to the address for its kind, a query stays at its end, and others than these are not pinged",
    arguments: [
      (.start, "/uuid/start?rid=1"), (.success, "/uuid?rid=1"), (.failure, "/uuid/fail?rid=1"),
      (.test, "/uuid?rid=1"), (.unprotected, nil), (.protected, nil), (.reminder, nil),
    ] as [(Notice.Kind, String?)])
  func ping(kind: Notice.Kind, target: String?) throws {
    let listener = try HTTPListener()
    let notice = Notice(kind, stack: "lab", timestamp: 0, message: "first /home/me/x\nsecond")
    try withSender("notices: {ping: {url: \"\(listener.address)/uuid?rid=1\"}}") { sender, _ in
      #expect(sender.send(notice) == (target == nil ? [] : delivered(.ping)))
    }
    #expect(listener.requests.map(\.target) == (target.map { [$0] } ?? []))
    guard target != nil, let request = listener.requests.first else { return }
    #expect(request.method == "POST" && request.headers["content-type"] == "text/plain; charset=utf-8")
    #expect(request.body == "\(notice.subject)\nfirst …/x\nsecond")
  }

  @Test("a long message is pinged with its first 8,000 bytes")
  func longPing() throws {
    let listener = try HTTPListener()
    let notice = Notice(.failure, stack: "lab", timestamp: 0, message: String(repeating: "ü", count: 50_000))
    try withSender("notices: {ping: {url: \"\(listener.address)\"}}") { sender, _ in
      #expect(sender.send(notice) == delivered(.ping))
    }
    #expect(listener.requests.first?.body == notice.subject + "\n" + String(repeating: "ü", count: 4000))
  }

  @Test("a webhook gets JSON with the token; its address and its token stand in files")
  func webhook() throws {
    let listener = try HTTPListener()
    let yaml = "notices: {webhook: {url_file: address, token_file: token}}"
    let secrets = ["address": "\(listener.address)/hook?a=b\n", "token": "t\"\\; $(id)\n"]
    try withSender(yaml, secrets: secrets) { sender, _ in #expect(sender.send(notice) == delivered(.webhook)) }
    let (request, body) = (try #require(listener.requests.first), try notice.json())
    #expect(request.method == "POST" && request.target == "/hook?a=b")
    #expect(request.headers["authorization"] == "Bearer t\"\\; $(id)")
    #expect(request.headers["content-type"] == "application/json")
    #expect(request.body == body && !request.body.contains("/home"))
  }

  @Test("two refusals that may pass are followed by a third try, after one and after two seconds")
  func thirdTry() throws {
    let (listener, time) = (try HTTPListener(answers: [500, 503, 200]), ManualTime())
    let before = time.nowNanoseconds
    try withSender("notices: {webhook: {url: \"\(listener.address)\"}}", time: time) { sender, _ in
      #expect(sender.send(notice) == delivered(.webhook, tries: 3))
    }
    #expect(listener.requests.count == 3 && time.nowNanoseconds - before == 3_000_000_000)
    #expect(Set(listener.requests.map(\.body)).count == 1)
  }

  @Test(
    "an answer that is none of success is told, and tried again where that may help; a redirect is not followed",
    arguments: [(500, 3), (429, 3), (404, 1), (401, 1), (302, 1)])
  func refused(answer: Int, tries: Int) throws {
    let listener = try HTTPListener(answers: [answer])
    try withSender("notices: {ping: {url: \"\(listener.address)/hush\"}}") { sender, _ in
      let words = "\(listener.address.dropFirst(7)) answered with \(answer)"
      #expect(sender.send(notice) == [NoticeDelivery(.ping, isDelivered: false, words: words, tries: tries)])
    }
    #expect(listener.requests.count == tries)
  }

  @Test("a dead port is tried three times, and the words hold no path, no token and no password")
  func dead() throws {
    let port = try BoundSocket()
    let yaml = """
      notices:
        ping: {url: "http://127.0.0.1:\(port.port)/hush"}
        webhook: {url_file: address, token_file: token}
        email: {to: a@b.org, smtp: "smtp://127.0.0.1:\(port.port)", user: me, password_file: token, tls: optional}
      """
    let secrets = ["address": "http://me:hush@127.0.0.1:\(port.port)/hush?token=hush", "token": "hush"]
    try withSender(yaml, secrets: secrets) { sender, _ in
      let deliveries = sender.send(notice)
      let words = "nobody answers at 127.0.0.1:\(port.port)"
      #expect(
        deliveries == [.ping, .webhook, .email].map { NoticeDelivery($0, isDelivered: false, words: words, tries: 3) })
    }
  }

  @Test("only the channels that are asked for are used")
  func channels() throws {
    let listener = try HTTPListener()
    let yaml = "notices: {ping: {url: \"\(listener.address)/p\"}, webhook: {url: \"\(listener.address)/w\"}}"
    try withSender(yaml) { sender, _ in
      #expect(sender.send(notice, over: [.webhook, .email]) == delivered(.webhook))
      #expect(sender.send(notice, over: []).isEmpty)
    }
    #expect(listener.requests.map(\.target) == ["/w"])
  }

  @Test("a secret that others may read is not used, and nothing is sent")
  func openSecret() throws {
    let listener = try HTTPListener()
    let yaml = "notices: {webhook: {url: \"\(listener.address)\", token_file: token}, ping: {url_file: word}}"
    try withSender(yaml, secrets: ["token": "hush", "word": "hush"]) { sender, folder in
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: folder + "/token")
      let deliveries = sender.send(notice)
      #expect(deliveries.map(\.tries) == [0, 0] && !deliveries.contains { $0.isDelivered })
      #expect(
        deliveries.map(\.words) == [
          "word holds no address that begins with https:// or http://",
          "the secret file \(folder)/token can be read or written by others",
        ])
    }
    #expect(listener.requests.isEmpty)
  }

  // MARK: - E-mail

  @Test(
    "a mail server gets sender, receivers and a message in UTF-8, and the password when it may be sent openly",
    .guide(104))
  func smtp() throws {
    let listener = try SMTPListener()
    let yaml = """
      notices:
        email: {to: [a@b.org, c@d.org], from: hrp@b.org, smtp: "\(listener.address)", user: me,
                password_file: password, tls: optional}
      """
    let message = "\"quoted\" \\ back; type=x\n.\n@file\nBcc: evil@x.org\nü…"
    let notice = Notice(.failure, stack: "läb\r\nBcc: evil@x.org", host: "box", timestamp: 0, message: message)
    try withSender(yaml, secrets: ["password": "p\"w\\;:x"]) { sender, _ in
      #expect(sender.send(notice) == delivered(.email))
    }
    #expect(
      listener.commands.dropFirst(1).prefix(2) == ["AUTH PLAIN", Data("\0me\0p\"w\\;:x".utf8).base64EncodedString()])
    #expect(
      listener.commands.dropFirst(3) == [
        "MAIL FROM:<hrp@b.org>", "RCPT TO:<a@b.org>", "RCPT TO:<c@d.org>", "DATA", "QUIT",
      ])
    let parts = try #require(listener.messages.first).split(separator: "\n\n", maxSplits: 1)
    let header = parts[0].split(separator: "\n").map(String.init)
    #expect(header.contains("From: hrp@b.org") && header.contains("To: a@b.org, c@d.org"))
    let subject = try #require(header.first { $0.hasPrefix("Subject: ") })
    let words = subject.matches(of: /=\?UTF-8\?B\?([\w\/+=]+)\?=/).compactMap { Data(base64Encoded: String($0.1)) }
    #expect(words.count == 2 && String(decoding: words.joined(), as: UTF8.self) == notice.subject)
    #expect(!header.contains { $0.hasPrefix("Bcc") } && header.contains { $0.hasPrefix("Date: Thu, 1 Jan 1970") })
    #expect(listener.messages.first?.contains("Content-Type: text/plain;charset=utf-8") == true)
    let text = parts[1].split(separator: "\n").dropFirst().drop { $0.contains(":") }.prefix { !$0.hasPrefix("--") }
    #expect(Data(base64Encoded: text.joined()).map { String(decoding: $0, as: UTF8.self) } == notice.text)
  }

  @Test("a long message arrives whole")
  func longMail() throws {
    let listener = try SMTPListener()
    let notice = Notice(.failure, stack: "lab", timestamp: 0, message: String(repeating: "ü \"\\\n", count: 1600))
    let yaml = "notices: {email: {to: a@b.org, smtp: \"\(listener.address)\", tls: optional}}"
    try withSender(yaml) { sender, _ in #expect(sender.send(notice) == delivered(.email)) }
    let message = try #require(listener.messages.first)
    let lines = message.split(separator: "\n").filter { $0.count == 76 }.map(String.init)
    #expect(lines.count > 140)
    let bytes = try #require(Data(base64Encoded: lines.joined()))
    #expect(Data(notice.text.utf8).starts(with: bytes))
  }

  @Test("without curl nothing is tried, and that is said")
  func noCurl() throws {
    let settings = Settings.read("notices: {ping: {url: \"http://127.0.0.1:1\"}}") { _ in nil }.settings.notices
    let sender = NoticeSender(
      settings, dataDirectory: "/", files: Kernel(), time: ManualTime(),
      programs: NoticePrograms(curl: nil, sendmail: nil))
    let words = "there is no curl on PATH"
    #expect(sender.send(notice) == [NoticeDelivery(.ping, isDelivered: false, words: words, tries: 0)])
  }

  @Test("nothing is said to a server without encryption, the password least of all, unless that is allowed")
  func encryption() throws {
    let listener = try SMTPListener()
    let yaml = "notices: {email: {to: a@b.org, smtp: \"\(listener.address)\", user: me, password_file: p}}"
    try withSender(yaml, secrets: ["p": "hush"]) { sender, _ in
      let deliveries = sender.send(notice)
      #expect(deliveries.map(\.isDelivered) == [false] && deliveries.map(\.tries) == [1])
      #expect(deliveries.first?.words.hasSuffix("does not offer the encryption that is required") == true)
    }
    #expect(listener.messages.isEmpty && !listener.commands.contains { $0.hasPrefix("AUTH") })
  }

  @Test("a refusal for good is not repeated, so no account is locked", arguments: ["AUTH", "RCPT", "MAIL"])
  func refusedMail(command: String) throws {
    let listener = try SMTPListener(refusals: [command: "535 hush"])
    let yaml = """
      notices: {email: {to: a@b.org, smtp: "\(listener.address)", user: me, password_file: p, tls: optional}}
      """
    try withSender(yaml, secrets: ["p": "hush"]) { sender, _ in
      let deliveries = sender.send(notice)
      #expect(deliveries.map(\.isDelivered) == [false] && deliveries.map(\.tries) == [1], "\(deliveries)")
      #expect(!"\(deliveries)".contains("hush"))
    }
    #expect(listener.messages.isEmpty)
  }

  @Test("without a server the local sendmail gets the whole message; a line of one dot ends nothing")
  func sendmail() throws {
    let yaml = "notices: {email: {to: [a@b.org, c@d.org], from: hrp@b.org}}"
    let notice = Notice(
      .failure, stack: "lab\nBcc: x@y.org", host: "box", timestamp: 0, message: "no space\n.\nBcc: x@y.org")
    try withSender(yaml, sendmail: "echo \"$@\" > arguments; cat > message") { sender, folder in
      #expect(sender.send(notice) == delivered(.email))
      let read = { try String(contentsOfFile: folder + "/" + $0, encoding: .utf8) }
      #expect(try read("arguments") == "-i -t\n")
      let parts = try read("message").split(separator: "\n\n", maxSplits: 1)
      let header = parts[0].split(separator: "\n")
      #expect(header.prefix(3) == ["From: hrp@b.org", "To: a@b.org, c@d.org", "Subject: \(notice.subject)"])
      #expect(!header.contains { $0.hasPrefix("Bcc") } && header.contains("Content-Transfer-Encoding: 7bit"))
      #expect(parts[1] == notice.text)
    }
    try withSender(yaml, sendmail: "cat > message; exit 75") { sender, folder in
      let words = "sendmail ended with exit code 75"
      #expect(
        sender.send(self.notice) == [NoticeDelivery(.email, isDelivered: false, words: words, tries: 1)])
      let message = try String(contentsOfFile: folder + "/message", encoding: .utf8)
      let body = try #require(message.split(separator: "\n\n", maxSplits: 1).last)
      #expect(Data(base64Encoded: body.split(separator: "\n").joined()) == Data(self.notice.text.utf8))
    }
  }

  @Test("Resend gets sender, receivers, subject and text, with its key")
  func resend() throws {
    let listener = try HTTPListener()
    let address = { (text: String) in try #require(EmailAddress(text)) }
    try withTemporaryFolder { folder in
      try Data("re_hush".utf8).write(to: URL(fileURLWithPath: folder + "/key"))
      #expect(chmod(folder + "/key", 0o600) == 0)
      let email = NoticeSettings.Email(
        receivers: Setting([try address("a@b.org")], from: .standard),
        sender: Setting(try address("hrp@b.org"), from: .standard),
        route: Setting(.resend(.file("key")), from: .standard))
      let sender = NoticeSender(
        NoticeSettings(email: email), dataDirectory: FilePath(folder), files: Kernel(), time: ManualTime(),
        resend: listener.address + "/emails")
      #expect(sender.send(notice) == delivered(.email))
    }
    let request = try #require(listener.requests.first)
    #expect(request.target == "/emails" && request.headers["authorization"] == "Bearer re_hush")
    #expect(
      try JSONValue(parsing: request.body)
        == .object([
          "from": .text("hrp@b.org"), "to": .list([.text("a@b.org")]), "subject": .text(notice.subject),
          "text": .text(notice.text),
        ]))
  }

  // MARK: - What is there

  @Test("what keeps notices from arriving is found without sending any")
  func problems() throws {
    let yaml = """
      notices: {ping: {url_file: none}, webhook: {url: "http://h/", token_file: open}, email: {to: a@b.org}}
      """
    let settings = Settings.read(yaml) { _ in nil }.settings.notices
    try withTemporaryFolder { folder in
      try Data("hush".utf8).write(to: URL(fileURLWithPath: folder + "/open"))
      #expect(chmod(folder + "/open", 0o644) == 0)
      let problems = NoticeCheck.problems(
        settings, dataDirectory: FilePath(folder), files: Kernel(), programs: NoticePrograms(curl: nil, sendmail: nil))
      #expect(
        problems.map(\.message) == [
          "there is no curl on PATH, which is needed for notices.ping, notices.webhook",
          "there is no sendmail on this machine, and notices.email names no server",
          "the token of notices.webhook goes to h without encryption",
          "the secret file \(folder)/none is not there",
          "the secret file \(folder)/open can be read or written by others",
        ])
      #expect(problems.allSatisfy { !$0.remedy.isEmpty } && problems.last?.remedy == "chmod 600 \(folder)/open")
      let nothing = NoticeCheck.problems(
        NoticeSettings(), dataDirectory: FilePath(folder), files: Kernel(),
        programs: NoticePrograms(curl: nil, sendmail: nil))
      #expect(nothing.isEmpty)
    }
  }
}
