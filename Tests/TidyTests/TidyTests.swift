import Foundation
import TestKit
import Testing

/// The house rules, held by reading the sources.
@Suite("Tidy")
struct TidyTests {
  /// What each module may import of ours; `ARCHITECTURE.md` draws the same arrows.
  private static let arrows: [String: Set<String>] = [
    "CFiles": [], "CDuckDB": [], "CSQLite": [], "Files": ["CFiles"], "DuckDBEngine": ["CDuckDB", "Files"],
    "DuckDBFile": ["Files"], "MLflow": ["CSQLite", "Files"], "Store": ["Files"],
    "Settings": ["Calendars", "Files", "Retention"], "Calendars": [],
    "Retention": ["Calendars"], "Notices": ["Files", "Settings"],
    "Stacks": ["DuckDBEngine", "DuckDBFile", "Files", "MLflow", "Settings", "Store"],
    "Backup": ["DuckDBEngine", "DuckDBFile", "Files", "MLflow", "Retention", "Settings", "Stacks", "Store"],
    "Jobs": ["Backup", "Files", "MLflow", "Settings", "Stacks", "Store"],
    "Scheduling": ["Advice", "Backup", "Calendars", "Files", "Jobs", "Notices", "Settings", "Stacks", "Store"],
    "Advice": [
      "Backup", "Calendars", "DuckDBEngine", "DuckDBFile", "Files", "Jobs", "MLflow", "Notices", "Retention",
      "Settings", "Stacks", "Store",
    ],
    "OpsServer": [
      "Advice", "Backup", "Calendars", "DuckDBFile", "Files", "Jobs", "MLflow", "Retention", "Settings", "Stacks",
      "Store",
    ],
    "Commands": [
      "Advice", "Backup", "Calendars", "DuckDBEngine", "DuckDBFile", "Files", "Jobs", "MLflow", "Notices",
      "OpsServer", "Retention", "Scheduling", "Settings", "Stacks", "Store",
    ],
    "HRP": ["Backup", "Calendars", "Files", "Jobs", "Scheduling", "Settings", "Stacks", "Store"], "hrp": ["Commands"],
  ]

  /// Packages of others that a module may import.
  private static let packages: [String: Set<String>] = [
    "Files": ["SystemPackage", "Synchronization", "Dispatch", "Glibc", "Musl", "Darwin"],
    "DuckDBFile": ["SystemPackage"],
    "MLflow": ["SystemPackage", "Synchronization", "GRDB"],
    "DuckDBEngine": ["SystemPackage", "FoundationEssentials", "Foundation"],
    "HRP": ["SystemPackage", "Synchronization"],
    "Store": ["SystemPackage", "Synchronization", "Crypto", "FoundationEssentials", "Foundation"],
    "Notices": ["SystemPackage", "FoundationEssentials", "Foundation"],
    "Settings": ["SystemPackage", "Yams"], "Calendars": ["Foundation"],
    "Stacks": ["SystemPackage", "Synchronization", "FoundationEssentials", "Foundation"],
    "Backup": ["SystemPackage", "Synchronization"],
    "Jobs": ["SystemPackage", "Synchronization", "GRDB"],
    "Scheduling": ["SystemPackage", "Synchronization"],
    "Advice": ["SystemPackage", "Synchronization"],
    "OpsServer": [
      "SystemPackage", "Synchronization", "Crypto", "FoundationEssentials", "Foundation", "HTTPTypes", "Hummingbird",
      "HummingbirdCore", "Logging", "Mustache", "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix",
      "ServiceLifecycle", "UnixSignals",
    ],
    "Commands": ["SystemPackage", "ArgumentParser", "Synchronization"],
  ]

  private struct Source {
    let path: String
    let module: String
    let lines: [String]
  }

  private static let sources: [Source] = {
    let root = Checkout.root.appendingPathComponent("Sources").path
    let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
      guard let text = try? String(contentsOfFile: root + "/" + name, encoding: .utf8) else { return nil }
      return Source(
        path: "Sources/" + name, module: String(name.prefix { $0 != "/" }), lines: text.components(separatedBy: "\n"))
    }
  }()

  @Test("there are sources to read")
  func sources() { #expect(Self.sources.count > 40) }

  @Test("arrows between modules point down, and only named packages are imported")
  func arrows() {
    for source in Self.sources {
      let allowed = (Self.arrows[source.module] ?? []).union(Self.packages[source.module] ?? [])
      for line in source.lines {
        #expect(!line.contains("@_exported"), "\(source.path) hands another module on")
        let pattern = /^\s*(?:@\w+ )*(?:(?:public|package|internal|private|fileprivate) )?import (\w+)/
        guard let match = line.firstMatch(of: pattern)
        else {
          continue
        }
        #expect(allowed.contains(String(match.1)), "\(source.path) imports \(match.1)")
      }
    }
  }

  @Test("files stay below 350 lines; functions, computed properties and closures below 60")
  func sizes() {
    let isType =
      /^\s*(?:@\w+ )*(?:(?:public|package|private|fileprivate|final|indirect) )*(?:struct|class|enum|extension|protocol|actor)\b/
    for source in Self.sources {
      #expect(source.lines.count <= 350, "\(source.path) has \(source.lines.count) lines")
      var blocks: [(line: Int, indent: Int)] = []
      for (number, line) in source.lines.enumerated() {
        let indent = line.prefix { $0 == " " }.count
        if line.dropFirst(indent).hasPrefix("}"), let begun = blocks.last, begun.indent == indent {
          blocks.removeLast()
          #expect(number - begun.line < 60, "\(source.path):\(begun.line + 1) has \(number - begun.line + 1) lines")
        }
        let opens = line.hasSuffix("{") || line.contains(/\{ [^}]* in$/)
        if opens, line.firstMatch(of: isType) == nil { blocks.append((number, indent)) }
      }
    }
  }

  @Test("calls read: a function has at most one argument without a label")
  func labels() {
    for source in Self.sources {
      let text = source.lines.joined(separator: "\n")
      for match in text.matches(of: /\b(?:func [A-Za-z_]\w*|init[?!]?)(?:<[^()]*>)?\(/) {
        let count = unlabelled(in: text[match.range.upperBound...])
        #expect(count <= 1, "\(source.path): \(match.0) takes \(count) arguments without a label")
      }
    }
  }

  /// How many parameters begin with `_ `, up to the parenthesis that ends them.
  private func unlabelled(in text: Substring) -> Int {
    var (depth, count, isFirst) = (0, 0, true)
    for (index, character) in zip(text.indices, text) {
      switch character {
      case "(", "[", "{": depth += 1
      case ")" where depth == 0: return count
      case ")", "]", "}": depth -= 1
      case " ", "\n": continue
      default:
        if isFirst, depth == 0, text[index...].hasPrefix("_ ") { count += 1 }
      }
      isFirst = character == "," && depth == 0
    }
    return count
  }

  @Test("nothing is left open, forced or unproven")
  func shortcuts() {
    let words = [
      "TODO", "FIXME", "XXX", "try!", "as!", "fatalError(", "@unchecked Sendable", "nonisolated(unsafe)", "\t",
    ]
    for source in Self.sources {
      for (number, line) in source.lines.enumerated() {
        for word in words { #expect(!line.contains(word), "\(source.path):\(number + 1) holds \(word)") }
        #expect(line.count <= 120, "\(source.path):\(number + 1) is \(line.count) characters long")
      }
    }
  }

  @Test("a failure is let pass by name only: no try?, and no catch without a word")
  func failures() {
    // ignoringFailure, forPeople and parsed say why a failure may pass (`Files/System/Failures.swift`); whatever decides
    // about deleting, replacing or trusting throws, or protects.
    for source in Self.sources {
      for (number, line) in source.lines.enumerated() {
        // Whoever has no name is closed before its descriptor is used.
        #expect(!line.contains(/\)\.descriptor/), "\(source.path):\(number + 1) closes a file too early")
        #expect(!line.contains(/\btry\?/), "\(source.path):\(number + 1) holds try?")
        #expect(!line.contains(/catch[^{]*\{\s*\}/), "\(source.path):\(number + 1) drops an error without a word")
      }
    }
  }

  @Test("names say what a thing is: no Manager, Helper or Util")
  func names() {
    for source in Self.sources {
      for line in source.lines {
        let isBad = line.contains(/\b(struct|class|enum|protocol|actor) \w*(Manager|Helper|Util)/)
        #expect(!isBad, "\(source.path): \(line)")
      }
    }
  }

  @Test("every link and every file that the documents name is there")
  func links() throws {
    let root = Checkout.root
    let folders = ["", "docs", "docs/formats", "docs/operations", "integrations/python", "integrations/python-shim"]
      .map { root.appendingPathComponent($0) }
    var checked = 0
    for folder in folders {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      for name in names where name.hasSuffix(".md") {
        let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        for match in text.matches(of: /\]\(([^)#\s]+)[^)]*\)/) where !match.1.contains("://") {
          checked += 1
          #expect(
            FileManager.default.fileExists(atPath: folder.appendingPathComponent(String(match.1)).path),
            "\(name) links to \(match.1)")
        }
      }
    }
    #expect(checked > 10)
  }

  @Test("every module and folder of the sources is drawn in ARCHITECTURE.md")
  func architecture() throws {
    let text = try String(contentsOf: Checkout.root.appendingPathComponent("ARCHITECTURE.md"), encoding: .utf8)
    for module in Set(Self.sources.map(\.module)) { #expect(text.contains(module), "\(module)") }
    for match in text.matches(of: /`((?:Sources|Tests|scripts|docs)\/[\w.\/+-]+)`/) {
      #expect(
        FileManager.default.fileExists(atPath: Checkout.root.appendingPathComponent(String(match.1)).path),
        "ARCHITECTURE.md names \(match.1)")
    }
  }
}
