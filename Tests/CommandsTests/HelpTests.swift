import Foundation
import TestKit
import Testing

/// What a newcomer reads first.
@Suite("Help")
struct HelpTests {
  @Test("hrp with no words shows the five commands that matter, and each of them is one")
  func first() throws {
    try withTemporaryFolder { home in
      let shown = try hrp([], in: home)
      #expect(shown.status == 0 && shown.errors.isEmpty)
      let lines = shown.output.split(separator: "\n").filter { $0.hasPrefix("  hrp ") }
      #expect(lines.count == 5)
      for line in lines {
        let typed = line.dropFirst(2).components(separatedBy: "  ")[0]
        let command = typed.split(separator: " ").dropFirst().filter { $0 != "latest" }.map(String.init)
        let help = try hrp(["help"] + command, in: home)
        #expect(help.status == 0 && help.output.contains("USAGE: hrp \(command.joined(separator: " "))"), "\(line)")
      }
    }
  }

  @Test("every topic that the help names has a page, and no line of it is too long for a terminal")
  func topics() throws {
    try withTemporaryFolder { home in
      let root = try hrp(["help"], in: home).output
      let topics = root.matches(of: /hrp help ([a-z-]+) {3,}/).map { String($0.1) }
      #expect(Set(topics) == ["references", "places", "schedule", "exit-codes", "environment"])
      for topic in topics {
        let page = try hrp(["help", topic], in: home)
        #expect(page.status == 0 && page.output.split(separator: "\n").count > 8, "\(topic): \(page)")
        for line in page.output.split(separator: "\n") { #expect(line.count <= 100, "\(topic): \(line)") }
        #expect(!page.output.contains("USAGE"))
      }
    }
  }

  @Test("an unknown topic is refused, and the nearest command named; a missing backup comes with an example")
  func unknown() throws {
    try withTemporaryFolder { home in
      let topic = try hrp(["help", "recvoer"], in: home)
      #expect(
        topic.status == 2 && topic.output.isEmpty && topic.errors.contains("Did you mean: hrp recover?"), "\(topic)")
      #expect(try hrp(["help", "service", "remove"], in: home).output.contains("Stop the service"))
      let nameless = try hrp(["backup", "verify"], in: home)
      #expect(nameless.status == 2 && nameless.errors.contains("For example: hrp backup verify latest."), "\(nameless)")
    }
  }

  @Test("the help of the exit codes has those of the document")
  func codes() throws {
    let document = try String(
      contentsOf: Checkout.root.appendingPathComponent("docs/operations/exit-codes.md"), encoding: .utf8)
    try withTemporaryFolder { home in
      let page = try hrp(["help", "exit-codes"], in: home).output
      let named = Set(page.matches(of: #/^  (\d+) /#.anchorsMatchLineEndings()).map { String($0.1) })
      let known = Set(
        document.matches(of: #/^\| ([\d, ]+) \|/#.anchorsMatchLineEndings()).flatMap {
          $0.1.split(separator: ", ").map(String.init)
        })
      #expect(named == known && named.count == 10)
    }
  }

  @Test("every variable that the sources read is explained by the help of the environment")
  func variables() throws {
    let sources = try FileManager.default.subpathsOfDirectory(atPath: Checkout.root.path + "/Sources")
      .filter { $0.hasSuffix(".swift") && !$0.contains("HelpTopic") }
    var read: Set<String> = []
    for path in sources {
      let text = try String(contentsOfFile: Checkout.root.path + "/Sources/" + path, encoding: .utf8)
      read.formUnion(text.matches(of: /"(HRP_[A-Z_]+)"/).map { String($0.1) })
    }
    #expect(read.count > 8)
    try withTemporaryFolder { home in
      let page = try hrp(["help", "environment"], in: home).output
      for name in read.sorted() { #expect(page.contains(name), "\(name)") }
    }
  }
}
