package import HTTPTypes

/// What the server can be asked for; the template is what metrics and the OpenAPI document call it.
package enum Endpoint: String, CaseIterable, Sendable {
  case page = "/"
  case style = "/page.css"
  case script = "/page.js"
  case health = "/health"
  case ready = "/ready"
  case metrics = "/metrics"
  case document = "/openapi.json"
  case documentation = "/docs"
  case status = "/api/v1/status"
  case system = "/api/v1/system"
  case backups = "/api/v1/backups"
  case backup = "/api/v1/backups/{name}"
  case jobs = "/api/v1/jobs"
  case actions = "/api/v1/actions"
  case action = "/api/v1/actions/{id}"

  package var template: String { rawValue }

  package var methods: [HTTPRequest.Method] { self == .actions ? [.get, .post] : [.get] }

  /// The endpoint of a path, and the word in the place of its parameter.
  ///
  /// A path is compared byte by byte: what is percent-encoded, or has `..` in it, is no path of ours.
  package static func find(_ path: String) -> (endpoint: Endpoint, word: String)? {
    if let exact = Endpoint(rawValue: path), !path.contains("{") { return (exact, "") }
    for endpoint in [Endpoint.backup, .action] {
      let prefix = endpoint.rawValue.prefix { $0 != "{" }
      guard path.hasPrefix(prefix) else { continue }
      let word = String(path.dropFirst(prefix.count))
      let isPlain = word.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
          || "_-.".utf8.contains(byte)
      }
      if !word.isEmpty, word.utf8.count <= 255, isPlain, word != ".", word != ".." { return (endpoint, word) }
    }
    return nil
  }
}
