import Files
import Notices
import SystemPackage
import TestKit
import Testing

/// What a notice says, and what it never holds.
@Suite("Notice")
struct NoticeTests {
  private func notice(
    _ kind: Notice.Kind = .failure, stack: String = "lab", environment: String? = nil, job: String? = nil,
    message: String = "no space", duration: Double? = nil
  ) -> Notice {
    Notice(
      kind, stack: stack, host: "box", environment: environment, job: job, timestamp: 1_770_000_000_000_000_000,
      message: message, code: "disk.full", backup: "backup_20260124_020000", sizeBytes: 1024, durationSeconds: duration)
  }

  @Test("the subject names the stack, and the environment when there is one")
  func subject() {
    #expect(notice().subject == "[hrp] lab: backup failed")
    #expect(notice(.unprotected, environment: "production").subject == "[hrp] lab (production): not protected")
    #expect(notice(stack: "/home/me/lab").subject == "[hrp] lab: backup failed", "a stack is a name, never a path")
  }

  @Test("the text says what happened and what to do", arguments: Notice.Kind.allCases)
  func text(kind: Notice.Kind) {
    let text = notice(kind, job: "nightly", duration: 61.4).text
    #expect(text.contains("lab") && text.contains("box") && text.contains("no space") && text.contains("hrp status"))
    #expect(text.contains("Job: nightly") && text.contains("Took: 61 s") && text.contains("Error: disk.full"))
  }

  @Test("the JSON body has all keys, always, and a number that JSON has not is null")
  func json() throws {
    let body = try JSONValue(parsing: notice(duration: .nan).json())
    guard case .object(let keys) = body else {
      Issue.record("\(body)")
      return
    }
    #expect(
      keys.keys.sorted() == [
        "backup", "code", "duration_seconds", "environment", "format", "host", "job", "kind", "message", "size_bytes",
        "stack", "text", "timestamp",
      ])
    #expect(keys["format"] == .whole(1) && keys["kind"] == .text("failure") && keys["size_bytes"] == .whole(1024))
    #expect(keys["duration_seconds"] == .null && keys["job"] == .null)
    #expect(keys["text"] == .text("[hrp] lab: backup failed: no space"))
  }

  @Test("no line end and no control character comes into a header, whatever a name holds")
  func injection() {
    let evil = "x\r\nBcc: evil@example.org\u{0}\u{1B}[31m\u{85}\u{2028}"
    let notice = notice(stack: evil, environment: evil, job: evil, message: evil)
    for text in [notice.subject, notice.summary, notice.stack, notice.environment ?? "", notice.job ?? ""] {
      #expect(!text.unicodeScalars.contains { TerminalText.isActive($0) }, "\(text)")
    }
    #expect(!notice.text.contains("\r") && !notice.text.contains("\u{1B}") && !notice.text.contains("\0"))
  }

  @Test("names are cut, so that no line of a header grows without bounds, however a letter is put together")
  func length() {
    let long = "e" + String(repeating: "\u{301}", count: 5000)
    let notice = notice(stack: long, environment: long, message: long)
    #expect(notice.subject.utf8.count < 450 && notice.message.utf8.count <= 8000)
    #expect(notice.summary.utf8.count < 800)
  }

  @Test(
    "absolute paths are taken out of a message, and nothing else is",
    arguments: [
      ("no database at /home/me/x", "no database at …/x"),
      ("/home/me/lab/hrp.duckdb: no such file", "…/hrp.duckdb: no such file"),
      ("move /a/b to /c/d/e.", "move …/b to …/e."),
      ("cannot read '/home/me/my lab/hrp data.duckdb' now", "cannot read '…/hrp data.duckdb' now"),
      ("cannot read \"/home/me/my lab/x\"", "cannot read \"…/x\""),
      ("at /home/me/my lab/sub dir/x", "at …/x"),
      ("ls -l ~/lab/x and ~you/lab/y", "ls -l …/x and …/y"), ("at ~/", "at ~/"),
      ("file:/home/me/x and file:///home/me/y", "file:…/x and file:…/y"),
      ("sqlite:////home/me/mlflow.db", "sqlite:…/mlflow.db"),
      ("(/home/me/x,/home/me/y)", "(…/x,…/y)"), ("TMPDIR=/home/me/tmp", "TMPDIR=…/tmp"),
      ("see https://example.org/a/b?c=/d and http://h/x.", "see https://example.org/a/b?c=/d and http://h/x."),
      ("mlflow/mlruns/0 and 3/4 and/or a / b", "mlflow/mlruns/0 and 3/4 and/or a / b"),
      ("", ""), ("/", "/"), ("~", "~"), ("//x//y//", "…/y"), ("see /x", "see …/x"), ("/é/ü: x", "…/ü: x"),
    ])
  func paths(text: String, expected: String) {
    #expect(PathlessText.make(text) == expected)
  }

  @Test("a directory that is known is taken out with the blanks in it, and no slash of it is left")
  func knownPaths() {
    let known: [FilePath] = ["/home/me/my lab", "/home/me"]
    let text = PathlessText.make("at /home/me/my lab, in /home/me/my lab/back ups/b 1, /home/me/z", hiding: known)
    #expect(text == "at …, in …/back ups/b 1, …/z")
    #expect(PathlessText.make("/data/x /database/x https://h/data/x", hiding: ["/data"]) == "…/x …/x https://h/data/x")
    #expect(PathlessText.make("in /data.", hiding: ["/data"]) == "in ….")
    var generator = SeededGenerator(state: 1)
    let pieces = ["/", "a", "b c", "~", "'", "\"", " ", ":", "http://h/", ".", "é", "\n", "(", "=", "…", "//"]
    for _ in 0..<5000 {
      let secret = "/top/secret"
      let before = (0..<4).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
      let text = PathlessText.make("\(before) \(secret)/x \(before)")
      #expect(!text.contains("/top/"), "\(before): \(text)")
    }
  }
}
