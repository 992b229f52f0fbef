import Foundation
import TestKit
import Testing

/// The codes of errors: `docs/operations/exit-codes.md` and the sources say the same.
@Suite("Error codes")
struct ErrorCodeTests {
  /// Codes in the sources, each with the kind that stands beside it, where one does.
  private static func inSources() throws -> [String: Set<String>] {
    let root = Checkout.root.appendingPathComponent("Sources").path
    let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    var codes: [String: Set<String>] = [:]
    for name in names where name.hasSuffix(".swift") {
      let text = try String(contentsOfFile: root + "/" + name, encoding: .utf8)
      let made =
        #/(?:BackupError|self\.init|Entry)\(\s*(?:code: )?(?:[\w.]+ \?\? )?"([a-z][a-z.-]+)"(?:,\s*(?:kind: )?\.(\w+))?/#
      for match in text.matches(of: made) {
        codes[String(match.1), default: []].formUnion(match.2.map { [String($0)] } ?? [])
      }
      // The errors of a hot copy are listed in one place.
      guard name.hasSuffix("HotCopyError.swift") else { continue }
      for match in text.matches(of: #/"((?:duckdb|reflink)\.[a-z-]+)"/#) { codes[String(match.1), default: []] = [] }
    }
    return codes
  }

  /// Codes in the table, each with its exit codes.
  private static func inDocument() throws -> [String: String] {
    let url = Checkout.root.appendingPathComponent("docs/operations/exit-codes.md")
    let text = try String(contentsOf: url, encoding: .utf8)
    var codes: [String: String] = [:]
    for match in text.matches(of: #/\| `([A-Za-z.-]+)` \| ([\d, ]+) \| \S/#) {
      #expect(codes[String(match.1)] == nil, "\(match.1) stands twice in the document")
      codes[String(match.1)] = String(match.2)
    }
    return codes
  }

  @Test("every code of the sources is in the document, every one of the document in the sources")
  func both() throws {
    let (sources, document) = (try Self.inSources(), try Self.inDocument())
    #expect(sources.count > 50)
    let patterns: Set<String> = ["sqlite.N", "system.CALL"]
    for code in sources.keys.sorted() {
      #expect(document[code] != nil, "docs/operations/exit-codes.md does not name \(code)")
    }
    for code in document.keys.sorted() where !patterns.contains(code) {
      #expect(sources[code] != nil, "no source has \(code)")
    }
    #expect(patterns.isSubset(of: document.keys))
  }

  @Test("the document gives each code the exit code of its kind")
  func exits() throws {
    let exits = ["failed": "1", "usage": "2", "notFound": "10", "busy": "11", "noSpace": "14"]
    let document = try Self.inDocument()
    for (code, kinds) in try Self.inSources() {
      for kind in kinds {
        guard let exit = exits[kind] else { continue }
        #expect(document[code] == exit, "\(code) is \(kind)")
      }
    }
  }
}
