import Foundation
import HTTPTypes
import OpsServer
import TestKit
import Testing

/// Which requests are answered, and as what.
@Suite("Requests")
struct RequestTests {
  @Test(
    "the name of this server, addresses, and names that are allowed pass",
    arguments: [
      "localhost", "LOCALHOST:8080", "localhost.", "127.0.0.1", "127.0.0.1:8080", "192.168.7.9:80", "[::1]",
      "[::1]:8080",
      "[fe80::1]", "box.example.org", "Box.Example.Org:443", "lab.local:1",
    ])
  func passes(authority: String) {
    #expect(HostCheck(host: "lab.local", allowed: ["box.example.org"]).allows(authority))
  }

  @Test(
    "names of strangers do not pass, whatever they look like",
    arguments: [
      "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3.4.5", "1.2.3",
      "256.1.1.1", "", ":8080", "localhost:", "localhost:99999", "localhost:80:80", "[::1", "[evil]", "[]", "::1",
      "localhost@evil.example", "localhost/evil", "localhost evil", "0x7f000001",
    ])
  func refused(authority: String) {
    #expect(!HostCheck(host: "127.0.0.1", allowed: []).allows(authority))
  }

  @Test("a request without a name passes, and one that a page of another site sends does not")
  func origins() {
    let check = HostCheck(host: "127.0.0.1", allowed: [])
    let own = "localhost:8080"
    #expect(check.allows(nil) && check.allows(origin: nil, of: own))
    #expect(
      check.allows(origin: "http://localhost:8080", of: own) && check.allows(origin: "http://LOCALHOST:8080", of: own))
    for origin in ["https://evil.example", "null", "", "http://", "http://localhost:9999", "http://127.0.0.1:8080"] {
      #expect(!check.allows(origin: origin, of: own))
    }
    #expect(!check.allows(origin: "http://evil.example", of: "evil.example"))
  }

  @Test("every endpoint is found by its path, and nothing else is")
  func endpoints() {
    for endpoint in Endpoint.allCases where !endpoint.template.contains("{") {
      #expect(Endpoint.find(endpoint.template)?.endpoint == endpoint)
    }
    let backup = Endpoint.find("/api/v1/backups/backup_20260124_020000")
    #expect(backup?.endpoint == .backup && backup?.word == "backup_20260124_020000")
    #expect(Endpoint.find("/api/v1/actions/7")?.word == "7")
    for path in [
      "/health/", "/Health", "//health", "/api/v1/backups/", "/api/v1/backups/..", "/api/v1/backups/.",
      "/api/v1/backups/a/b", "/api/v1/backups/%2e%2e", "/api/v1/backups/{name}", "/api/v1/backups/a b", "", "*",
      "/api/v1/backups/" + String(repeating: "a", count: 256),
    ] {
      #expect(Endpoint.find(path) == nil, "\(path)")
    }
  }

  @Test("the OpenAPI document has every endpoint for programs with its methods, and no other")
  func document() throws {
    let assets = try Assets()
    let object = try JSONSerialization.jsonObject(with: Data(assets.document.utf8)) as? [String: Any]
    let paths = try #require(object?["paths"] as? [String: [String: Any]])
    let pages: Set<Endpoint> = [.page, .style, .script, .document, .documentation]
    let expected = Endpoint.allCases.filter { !pages.contains($0) }
    #expect(Set(paths.keys) == Set(expected.map(\.template)))
    for endpoint in expected {
      #expect(
        Set(paths[endpoint.template]?.keys.map { $0.uppercased() } ?? []) == Set(endpoint.methods.map(\.rawValue)))
    }
  }

  @Test("a token is right or wrong as a whole")
  func tokens() {
    let check = TokenCheck(token: "a long secret")
    #expect(check.allows("Bearer a long secret") && check.allows("bearer a long secret"))
    for field in [nil, "", "Bearer", "Bearer ", "Bearer a long secre", "Bearer a long secret ", "Basic a long secret"] {
      #expect(!check.allows(field))
    }
  }

  @Test("an action becomes words of a command line; a name that is not in the list never does")
  func actions() throws {
    let known = ["backup_20260125_020000", "backup_20260124_020000"]
    let words = { (json: String) throws in
      try JSONDecoder().decode(ActionRequest.self, from: Data(json.utf8)).words(known: known)
    }
    #expect(try words(#"{"action":"backup"}"#) == ["backup", "create"])
    #expect(
      try words(#"{"action":"verify","backup":"backup_20260124_020000","level":"engine"}"#)
        == ["backup", "verify", "backup_20260124_020000", "--level", "engine"])
    #expect(try words(#"{"action":"drill"}"#) == ["backup", "drill", "backup_20260125_020000"])
    #expect(
      try words(#"{"action":"pin","reason":"--data-dir /etc"}"#)
        == ["backup", "pin", "backup_20260125_020000", "--reason=--data-dir /etc"])
    for json in [
      #"{"action":"drill","backup":"--data-dir"}"#, #"{"action":"drill","backup":"../backup_20260124_020000"}"#,
      #"{"action":"drill","backup":"latest"}"#, #"{"action":"verify","level":"all"}"#,
      #"{"action":"pin","reason":"a\nb"}"#, #"{"action":"restore"}"#, #"{}"#, #"[]"#,
      #"{"action":"backup","target":"x"}"#,
    ] {
      #expect(throws: (any Error).self, "\(json)") { try words(json) }
    }
  }
}
