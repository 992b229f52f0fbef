import Files
import Foundation
import Settings
import SystemPackage
import TestKit
import Testing

/// What the group `notices` may say, and where secrets are read from.
@Suite("Notice settings")
struct NoticeSettingsTests {
  private func read(
    _ text: String, _ environment: [String: String] = [:]
  ) -> (notices: NoticeSettings, problems: [SettingsProblem], warnings: [String]) {
    let (settings, problems) = Settings.read(text, variables: Array(environment.keys)) { environment[$0] }
    return (settings.notices, problems, settings.warnings)
  }

  private static let whole = """
    notices:
      ping: {url_file: ping-url}
      webhook:
        url: https://chat.example.org/hook
        token_file: ~/token
      email:
        to: [me@example.org, you@example.org]
        from: hrp@example.org
        smtp: smtp://mail.example.org:587
        user: me
        password_file: mail-password
        tls: optional
      commands:
        before_backup: "df -h"
        failure: "notify-send \\"$HRP_MESSAGE\\""
    """

  @Test("every key is read, with its line")
  func whole() throws {
    let (notices, problems, warnings) = read(Self.whole)
    #expect(problems.isEmpty && warnings.isEmpty, "\(problems)")
    #expect(notices.ping == Setting(.secret(.file("ping-url")), from: .file(line: 2)))
    let webhook = try #require(notices.webhook)
    #expect("\(webhook.target.value)".contains("chat.example.org") && webhook.target.source == .file(line: 4))
    #expect(webhook.token == Setting(.file("~/token"), from: .file(line: 5)))
    let email = try #require(notices.email)
    #expect(email.receivers.value.map(\.text) == ["me@example.org", "you@example.org"])
    #expect(email.sender.value.text == "hrp@example.org" && email.sender.source == .file(line: 8))
    guard case .smtp(let server) = email.route.value else {
      Issue.record("\(email.route)")
      return
    }
    #expect(server.address.text == "smtp://mail.example.org:587")
    #expect(server.requiresTLS == Setting(false, from: .file(line: 12)))
    #expect(server.login?.user.value == "me" && server.login?.password.value == .file("mail-password"))
    #expect(notices.commands[.beforeBackup]?.value == "df -h")
    #expect(notices.commands[.failure] == Setting("notify-send \"$HRP_MESSAGE\"", from: .file(line: 15)))
  }

  @Test("every key that hrp config init explains is one that is known")
  func template() throws {
    let lines = SettingsTemplate.text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "#notices:"))
    let group = lines[start...].prefix { !$0.isEmpty }.map { $0.dropFirst() }.joined(separator: "\n")
    let (notices, problems, _) = read(group)
    #expect(problems.isEmpty, "\(problems)")
    #expect(notices.ping != nil && notices.webhook != nil && notices.email != nil)
  }

  @Test("nothing is configured unless somebody says so")
  func nothing() {
    let (notices, problems, warnings) = read("notices:\n")
    #expect(problems.isEmpty && warnings.isEmpty)
    #expect(notices.ping == nil && notices.webhook == nil && notices.email == nil && notices.commands.isEmpty)
  }

  @Test(
    "every mistake is told with its line",
    arguments: [
      ("ping: {url: https://a/b, url_file: c}", "notices.ping.url and notices.ping.url_file stand together"),
      ("ping: {}", "notices.ping has neither url nor url_file"),
      ("ping:", "notices.ping has neither url nor url_file"),
      ("webhook: {token_file: t}", "notices.webhook has neither url nor url_file"),
      ("ping: {url: ftp://a/b}", "notices.ping.url must be an address that begins with https:// or http://"),
      ("ping: {url: [x]}", "notices.ping.url is a list; it must be an address"),
      ("ping: {adress: x, url: https://a}", "there is no key notices.ping.adress"),
      ("pings: {}", "there is no key notices.pings; what is allowed: commands, email, ping, webhook"),
      ("email: {from: a@b}", "notices.email.to names nobody: who gets the e-mail?"),
      ("email: {to: nobody}", "notices.email.to must be an e-mail address, such as me@example.org, or a list of them"),
      ("email: {to: \"a@b\\r\\nBcc: c@d\"}", "notices.email.to must be an e-mail address"),
      ("email: {to: a@b, user: me}", "notices.email.smtp is missing"),
      ("email: {to: a@b, smtp: smtps://h, user: me}", "notices.email.password_file is missing"),
      ("email: {to: a@b, smtp: smtps://h, password_file: p}", "notices.email.user is missing"),
      ("email: {to: a@b, smtp: https://h}", "notices.email.smtp must be an address that begins with smtps:// or smtp"),
      ("email: {to: a@b, smtp: smtps://h, tls: no}", "notices.email.tls is 'no'; it must be required or optional"),
      ("commands: {sucess: x}", "there is no key notices.commands.sucess"),
      ("commands: [x]", "notices.commands must be a group of keys"),
    ])
  func mistakes(text: String, words: String) {
    let problems = read("notices:\n  \(text)\n").problems
    #expect(problems.contains { $0.line == 2 && $0.message.hasPrefix(words) }, "\(problems)")
  }

  @Test(
    "a secret in an address is a mistake, which does not repeat it",
    arguments: [
      "https://me:hush@host/x", "https://hush@host/x", "https://host/x?a=1&token=hush", "https://host/?API_KEY=hush",
      "https://host/?client-secret=hush", "https://host:99999/hush", "hush",
    ])
  func secretsInAddresses(address: String) {
    for group in ["ping", "webhook"] {
      let problems = read("notices:\n  \(group):\n    url: \(address)\n").problems
      #expect(problems.count == 1 && problems.first?.line == 3, "\(problems)")
      #expect(!"\(problems)".contains("hush"))
    }
    let mail = read("notices: {email: {to: a@b, smtp: \"smtps://me:hush@host\"}}").problems
    #expect(mail.count == 1 && !"\(mail)".contains("hush"), "\(mail)")
  }

  @Test("an address is shown with scheme and host only, and takes a word at the end of its path")
  func addresses() throws {
    let ping = try #require(NoticeAddress("HTTPS://hc-ping.com:8443/uuid/?rid=1#part", protocols: .web))
    #expect("\(ping)" == "https://hc-ping.com:8443/***" && ping.text == "https://hc-ping.com:8443/uuid/?rid=1")
    #expect(ping.appending("start") == "https://hc-ping.com:8443/uuid/start?rid=1")
    #expect("\(try #require(NoticeAddress("http://[::1]:80/", protocols: .web)))" == "http://[::1]:80")
    for text in ["https://", "https:///x", "http://a b/", "http://a\\@b/", "http://a/\r\nx", "http://ä/", "smtp://a"] {
      #expect(NoticeAddress(text, protocols: .web) == nil, "\(text)")
    }
  }

  @Test("variables win over the file for addresses and secrets; where they stand is known, and not what they are")
  func variables() throws {
    let all = [
      "HRP_PING_URL": "https://p/hush", "HRP_WEBHOOK_URL": "https://w/hush", "HRP_WEBHOOK_TOKEN": "hush",
      "HRP_SMTP_PASSWORD": "hush", "HRP_ENVIRONMENT": "production",
    ]
    let (notices, problems, warnings) = read(Self.whole, all)
    #expect(problems.isEmpty && warnings.isEmpty)
    #expect(notices.ping == Setting(.secret(.environment("HRP_PING_URL")), from: .environment("HRP_PING_URL")))
    #expect(notices.webhook?.target.value == .secret(.environment("HRP_WEBHOOK_URL")))
    #expect(notices.webhook?.token?.value == .environment("HRP_WEBHOOK_TOKEN"))
    #expect(notices.environment?.value == "production")
    guard case .smtp(let server)? = notices.email?.route.value else {
      Issue.record("no server")
      return
    }
    #expect(server.login?.password.value == .environment("HRP_SMTP_PASSWORD"))
    #expect(!"\(notices)".contains("hush"))
    let alone = read("", all).notices
    #expect(alone.ping != nil && alone.webhook != nil && alone.email == nil)
  }

  @Test("the Python tool's variables hold where the file says nothing; others of their kind are named")
  func pythonVariables() {
    let old = ["NOTIFICATION_EMAIL": "a@b.org, c@d.org", "NOTIFICATION_FROM_EMAIL": "Lab <lab@b.org>"]
    let email = read("", old).notices.email
    #expect(email?.receivers.value.map(\.text) == ["a@b.org", "c@d.org"])
    #expect(email?.receivers.source == .environment("NOTIFICATION_EMAIL") && email?.sender.value.text == "lab@b.org")
    guard case .sendmail? = email?.route.value else {
      Issue.record("\(String(describing: email))")
      return
    }
    let key = old.merging(["RESEND_API_KEY": "hush"]) { $1 }
    guard case .resend(.environment("RESEND_API_KEY"))? = read("", key).notices.email?.route.value else {
      Issue.record("not over Resend")
      return
    }
    let file = read("notices: {email: {to: me@x.org, smtp: \"smtps://h\"}}", key).notices.email
    #expect(file?.receivers.value.map(\.text) == ["me@x.org"] && file?.sender.value.text == "lab@b.org")
    if case .smtp? = file?.route.value {} else { Issue.record("the file does not win") }
    let odd = read("", ["NOTIFICATION_SLACK": "x", "NOTIFICATION_EMAIL": "nobody", "HRP_ENVIRONMENT": "a b"])
    #expect(odd.notices.email == nil && odd.notices.environment == nil)
    #expect(odd.warnings.contains("NOTIFICATION_SLACK is set, and hrp does not know it"))
    #expect(odd.warnings.count == 3, "\(odd.warnings)")
  }
}

/// The files that secrets are read from.
@Suite("Secret files")
struct SecretFileTests {
  private func secret(
    _ contents: [UInt8], permissions: Int = 0o600, files: any FileSystem = Kernel()
  ) throws -> Result<String, SecretError> {
    try withTemporaryFolder { folder in
      let path = folder + "/secret"
      try Data(contents).write(to: URL(fileURLWithPath: path))
      try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: path)
      return read(path, files: files)
    }
  }

  private func read(_ path: String, files: any FileSystem = Kernel()) -> Result<String, SecretError> {
    Result { () throws(SecretError) in try SecretFile(FilePath(path), files: files).read() }
  }

  private func words(_ result: Result<String, SecretError>) -> String {
    switch result {
    case .success(let secret): secret
    case .failure(let error): error.message
    }
  }

  @Test("one line feed at the end is no part of a secret; blanks and letters of any kind are")
  func read() throws {
    #expect(try secret(Array("hush hush ü\n".utf8)).get() == "hush hush ü")
    #expect(try secret(Array("hush".utf8), permissions: 0o400).get() == "hush")
  }

  @Test("a file that others may read or write is refused, whatever they may do", arguments: 0...6)
  func open(bit: Int) throws {
    let result = try secret(Array("hush".utf8), permissions: 0o600 | (bit < 6 ? 1 << bit : 0o077))
    #expect(words(result).hasSuffix("can be read or written by others") && !words(result).contains("hush"))
  }

  @Test("what is empty, long, no text, or more than one line is refused and never repeated")
  func refused() throws {
    for bytes in [[], [10]] as [[UInt8]] { #expect(words(try secret(bytes)).hasSuffix("is empty")) }
    for bytes in [Array("hush\n\n".utf8), Array("hush\r\n".utf8), Array("hu\0sh".utf8), [0xFF, 0x68]] {
      #expect(words(try secret(bytes)).hasSuffix("holds more than one line, or control characters"))
    }
    #expect(words(try secret([UInt8](repeating: 65, count: 4097))).hasSuffix("is larger than 4096 bytes"))
    #expect(try secret([UInt8](repeating: 65, count: 4096)).get().count == 4096)
  }

  @Test("a directory, a FIFO and a missing file are refused; a symlink counts as the file that it leads to")
  func kinds() throws {
    try withTemporaryFolder { folder in
      #expect(words(read(folder)).hasSuffix("is a directory"))
      #expect(words(read(folder + "/none")).hasSuffix("is not there"))
      #expect(mkfifo(folder + "/fifo", 0o600) == 0)
      #expect(words(read(folder + "/fifo")).hasSuffix("is a FIFO"))
      try Data("hush".utf8).write(to: URL(fileURLWithPath: folder + "/secret"))
      #expect(chmod(folder + "/secret", 0o600) == 0)
      try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "secret")
      #expect(try read(folder + "/link").get() == "hush")
    }
  }

  @Test("what cannot be told is no secret", arguments: ["openat", "fstat", "pread"])
  func unknown(call: String) throws {
    let files = HookedFileSystem { (name, _) throws(SystemError) in
      if name == call { throw SystemError(name, errno: .ioError) }
    }
    #expect(words(try secret(Array("hush".utf8), files: files)).contains("cannot be read"))
  }

  @Test("a file of another user is refused", .enabled(if: isRoot))
  func owner() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/secret"
      try Data("hush".utf8).write(to: URL(fileURLWithPath: path))
      #expect(chmod(path, 0o600) == 0 && chown(path, 12_345, 0) == 0)
      #expect(words(read(path)).hasSuffix("belongs to another user"))
    }
  }
}
