import Files
import Foundation
import Notices
import SystemPackage
import TestKit
import Testing

/// What curl is told, and what it makes of it.
@Suite("curl configuration")
struct CurlConfigurationTests {
  /// Values that would mean something else without quotes.
  private static let hostile = [
    "\"", "\\", "\\\"", "a\" \noutput = \"/tmp/x", "@/etc/passwd", "</etc/passwd", "-o x", "# no comment", "{a,b}[1-3]",
    "a;type=text/html", "\u{0B}\u{0C}\t\r\n", "%{url}", "$(id) `id` $HOME", "é…\u{1F4BE}", " a ", "=:", "--next",
  ]

  private func curl(_ configuration: CurlConfiguration) throws -> Finished {
    try withTemporaryFolder { folder in
      let file = folder + "/configuration"
      try Data(configuration.text.utf8).write(to: URL(fileURLWithPath: file))
      return try run("/bin/sh", ["-c", "curl -q --config - < configuration"], in: folder)
    }
  }

  @Test("an option stands on each line, and its arguments are the same for everybody")
  func lines() {
    let text = CurlConfiguration.post("https://h/x", contentType: "a/b", body: "\n\"\\\0", bearer: "hush").text
    #expect(text.hasPrefix("url = \"https://h/x\"\n") && text.contains("\ndata-raw = \"\\n\\\"\\\\\"\n"))
    #expect(text.contains("\nheader = \"Authorization: Bearer hush\"\n") && text.contains("proto = \"=http,https\""))
    #expect(!text.contains("\nlocation") && CurlConfiguration.arguments == ["-q", "--config", "-"])
  }

  @Test("a body and a token of any letters arrive as they are")
  func bodies() throws {
    let listener = try HTTPListener()
    for value in Self.hostile {
      let token = value.filter { !$0.isNewline && $0 != "\t" && $0 != "\u{0B}" }
      let done = try curl(
        .post(listener.address + "/[{a}]?q={b}", contentType: "text/plain", body: value, bearer: "t" + token + "t"))
      #expect(done.status == 0 && done.output == "200\n", "\(value): \(done)")
      let request = try #require(listener.requests.last)
      #expect(request.body == value && request.target == "/[{a}]?q={b}" && request.method == "POST")
      #expect(request.headers["authorization"] == "Bearer t" + token + "t")
    }
    #expect(listener.requests.count == Self.hostile.count)
  }
}
