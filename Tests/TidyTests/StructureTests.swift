import Foundation
import TestKit
import Testing

/// The order of the folders, as `ARCHITECTURE.md` lists them, against what the code does, as the compiler saw it.
///
/// The index is there after `scripts/test`, which builds with it. What it cannot see: code that this platform leaves out.
@Suite("Structure")
struct StructureTests {
  private struct Arrow {
    let from: String
    let to: String
    let example: String
  }

  private static let index = URL(fileURLWithPath: Checkout.hrp).deletingLastPathComponent()
    .appendingPathComponent("index/store").path

  private static let library: String? = {
    let swift = (try? run("/bin/sh", ["-c", "readlink -f \"$(command -v swift)\""], in: "/"))?.output ?? ""
    let folder = URL(fileURLWithPath: swift.trimmingCharacters(in: .whitespacesAndNewlines))
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("lib")
    return ["libIndexStore.so", "libIndexStore.dylib"].map { folder.appendingPathComponent($0).path }
      .first { FileManager.default.fileExists(atPath: $0) }
  }()

  private static let isIndexed = library != nil && FileManager.default.fileExists(atPath: index)

  private func arrows() throws -> [Arrow] {
    let program = Checkout.root.appendingPathComponent("Tests/TidyTests/structure.py").path
    let done = try run(
      Checkout.python, ["-B", program, Self.index, try #require(Self.library), "Sources"], in: Checkout.root.path)
    try #require(done.status == 0, "\(done.errors)")
    return done.output.split(separator: "\n").map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      return Arrow(from: fields[0], to: fields[1], example: fields[3])
    }
  }

  /// The folders in the order of the table, the lowest first.
  private func listed() throws -> [String] {
    let text = try String(contentsOf: Checkout.root.appendingPathComponent("ARCHITECTURE.md"), encoding: .utf8)
    return text.matches(of: /(?m)^\| `Sources\/([\w\/]+)` \|/).map { String($0.1) }
  }

  @Test("a folder uses only what stands above it in ARCHITECTURE.md", .enabled(if: isIndexed, "built without an index"))
  func order() throws {
    let listed = try listed()
    let place = Dictionary(listed.enumerated().map { ($1, $0) }) { left, _ in left }
    let arrows = try arrows()
    #expect(arrows.count > 100)
    for arrow in arrows where module(arrow.from) == module(arrow.to) {
      // What lies in a module's own folder stands last.
      let isDown = (place[arrow.to] ?? .max) < (place[arrow.from] ?? .max)
      #expect(isDown, "\(arrow.from) -> \(arrow.to): \(arrow.example)")
    }
    print("structure: \(arrows.count) arrows between \(Set(arrows.flatMap { [$0.from, $0.to] }).count) folders")
  }

  @Test("there is no cycle, between folders or modules", .enabled(if: isIndexed, "built without an index"))
  func cycles() throws {
    let arrows = try arrows()
    for name in [{ $0 }, module] as [(String) -> String] {
      var left = Dictionary(grouping: arrows.filter { name($0.from) != name($0.to) }) { name($0.from) }
        .mapValues { Set($0.map { name($0.to) }) }
      // Whoever uses nothing that is left is taken away, until nobody is left.
      while let free = left.first(where: { $0.value.isDisjoint(with: left.keys) }) { left[free.key] = nil }
      #expect(left.isEmpty, "\(left.mapValues { $0.filter { left[$0] != nil }.sorted() })")
    }
  }

  @Test("every folder is listed once, and every listed folder is there")
  func table() throws {
    let listed = try listed()
    #expect(Set(listed).count == listed.count)
    let root = Checkout.root.appendingPathComponent("Sources").path
    let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    let folders = Set(files.filter { $0.hasSuffix(".swift") }.map { ($0 as NSString).deletingLastPathComponent })
    #expect(folders.filter { $0.contains("/") } == Set(listed))
  }

  private func module(_ folder: String) -> String { String(folder.prefix { $0 != "/" }) }
}
