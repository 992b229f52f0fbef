import Files
import Foundation
import SystemPackage
import TestKit
import Testing

@Suite("Trees")
struct TreeTests {
  @Test("a walk comes in the order of the bytes of whole paths, as sort in the C locale has it")
  func order() throws {
    try withTemporaryFolder { folder in
      for path in ["a/b", "a-b", "a.b/c", "a/b.c", "B", "a/b-d/e", "ab"] {
        let url = URL(fileURLWithPath: folder + "/" + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: url)
      }
      var files: [String] = []
      try TreeWalk(files: Kernel()).walk(OpenFile(FilePath(folder), mode: [.directory], files: Kernel())) { step in
        if case .entry(let entry) = step { files.append(entry.path.text) }
        return true
      }
      let sorted = try run("/bin/sh", ["-c", "find . -type f | cut -c3- | LC_ALL=C sort"], in: folder).output
      #expect(files.joined(separator: "\n") + "\n" == sorted)
      #expect(files.count == 7)
    }
  }

  @Test("links are met as links and never followed, a loop among them")
  func links() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createSymbolicLink(atPath: folder + "/loop", withDestinationPath: ".")
      try FileManager.default.createSymbolicLink(atPath: folder + "/etc", withDestinationPath: "/etc")
      var kinds: [FileKind] = []
      try TreeWalk(files: Kernel()).walk(OpenFile(FilePath(folder), mode: [.directory], files: Kernel())) { step in
        if case .entry(let entry) = step { kinds.append(entry.status.kind) }
        return true
      }
      #expect(kinds == [.link, .link])
    }
  }

  @Test("a chain of directories refuses a link on the way")
  func chain() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createSymbolicLink(atPath: folder + "/out", withDestinationPath: "/tmp")
      let chain = DirectoryChain(root: try OpenFile(FilePath(folder), mode: [.directory], files: Kernel()))
      #expect(throws: SystemError.self) { try chain.directory(EntryPath("out/x"), makingMissing: 0o755) }
      _ = try chain.directory(EntryPath("in/x"), makingMissing: 0o755)
      #expect(FileManager.default.fileExists(atPath: folder + "/in/x"))
    }
  }

  @Test("a whole tree is removed, read-only folders too, and what links point to stays")
  func removal() throws {
    try withTemporaryFolder { folder in
      try run(
        "/bin/sh", ["-c", "mkdir -p d/e keep && touch d/e/f keep/g && ln -s ../keep d/link && chmod 500 d/e"],
        in: folder)
      let root = try OpenFile(FilePath(folder), mode: [.directory], files: Kernel())
      try Kernel().removeTree("d", at: root.descriptor)
      try Kernel().removeTree("never-there", at: root.descriptor)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["keep"])
      #expect(FileManager.default.fileExists(atPath: folder + "/keep/g"))
    }
  }

  @Test("lines of any length pass through a small buffer, and a last line without its end is noticed")
  func lines() throws {
    try withTemporaryFolder { folder in
      let long = String(repeating: "x", count: 200_000)
      try Data("a\n\n\(long)\nend".utf8).write(to: URL(fileURLWithPath: folder + "/l"))
      let reader = LineReader(try OpenFile(FilePath(folder + "/l"), files: Kernel()), maximumLength: 300_000)
      #expect(try reader.next() == Array("a".utf8))
      #expect(try reader.next() == [])
      #expect(try reader.next()?.count == 200_000)
      #expect(reader.endedWithLineFeed)
      #expect(try reader.next() == Array("end".utf8))
      #expect(!reader.endedWithLineFeed)
      #expect(try reader.next() == nil)
      let strict = LineReader(try OpenFile(FilePath(folder + "/l"), files: Kernel()), maximumLength: 1000)
      #expect(try strict.next()?.count == 1)
      _ = try strict.next()
      #expect(throws: LineReader.LineTooLong.self) { try strict.next() }
    }
  }

  @Test("a local time leads to its moment and back; the 31st of February is none")
  func localTime() {
    let timestamp: Int64 = 1_769_283_052_123_456_000
    let local = LocalTime(nanoseconds: timestamp)
    let back = LocalTime.nanoseconds(
      year: local.year, month: local.month, day: local.day, hour: local.hour, minute: local.minute,
      second: local.second, microsecond: local.microsecond)
    #expect(back == timestamp)
    #expect(LocalTime.nanoseconds(year: 2026, month: 2, day: 31, hour: 0, minute: 0, second: 0) == nil)
  }
}
