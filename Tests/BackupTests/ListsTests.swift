import Backup
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import TestKit
import Testing

@Suite("Lists of a backup")
struct ListsTests {
  private let digest = Digest(hex: Array(String(repeating: "ab", count: 32).utf8))

  @Test(
    "a line of checksums.txt is what sha256sum writes, and is read back",
    arguments: ["a", "a b", "a\nb", "a\\b", "trail ", "-rf", "a\rb", "\\n", "é"])
  func checksumLine(name: String) throws {
    try withTemporaryFolder { folder in
      let bytes = Array(name.utf8)
      try Data("contents".utf8).write(to: URL(fileURLWithPath: folder + "/x"))
      #expect(rename(folder + "/x", folder + "/" + name) == 0)
      let path = try #require(EntryPath(validating: bytes))
      let sum = try run("/bin/sh", ["-c", "printf contents | sha256sum | cut -c1-64"], in: folder).output.utf8.prefix(
        64)
      let line = ChecksumLine(digest: try #require(Digest(hex: Array(sum))), path: path)
      #expect(try ChecksumLine(parsing: Array(line.bytes.dropLast())) == line)
      try Data(line.bytes).write(to: URL(fileURLWithPath: folder + "/checksums.txt"))
      let check = try run("/usr/bin/sha256sum", ["-c", "--strict", "checksums.txt"], in: folder)
      #expect(check.status == 0, "\(check.errors)")
    }
  }

  @Test(
    "a line that is damaged, absolute or leads out is refused",
    arguments: ["", "abc", "X", "  /etc/passwd", "  ../x", "  a/../../x", " a", "  ", "  a\\q"])
  func malformedChecksumLines(tail: String) {
    let hex = String(repeating: "ab", count: 32)
    for line in [hex + tail, "\\" + hex + tail, String(hex.dropLast()) + tail] where line.utf8.count > 65 {
      if line == hex + "  a\\q" { continue }  // Without the mark of an escape a backslash is a backslash.
      #expect(throws: ChecksumLine.Malformed.self) { try ChecksumLine(parsing: Array(line.utf8)) }
    }
  }

  @Test("upper-case hexadecimal digits are the same hash, as for sha256sum")
  func upperCase() throws {
    let line = Array((String(repeating: "AB", count: 32) + "  a").utf8)
    #expect(try ChecksumLine(parsing: line).digest == digest)
  }

  @Test("a line of the manifest says everything and is read back")
  func manifestLine() throws {
    let lines = [
      ManifestLine(
        path: EntryPath("a \"b\"\\c"), kind: .file, permissions: 0o640, modifiedNanoseconds: -5, size: 12,
        origin: .init(identity: FileIdentity(device: .max, inode: 3), changedNanoseconds: 9, readNanoseconds: 10)),
      ManifestLine(path: EntryPath("d"), kind: .directory, permissions: 0o755, modifiedNanoseconds: 1, size: 0),
      ManifestLine(
        path: try #require(EntryPath(validating: [0x61, 0x0A, 0xFF])), kind: .link, permissions: 0o777,
        modifiedNanoseconds: 1, size: 3, target: [0xFF, 0x25, 0x0A]),
    ]
    for line in lines {
      #expect(try ManifestLine(parsing: Array(line.bytes.dropLast())) == line)
      _ = try JSONSerialization.jsonObject(with: Data(line.bytes))
    }
  }

  @Test(
    "a manifest line that is no such line is refused",
    arguments: [
      "", "{", "[]", "{\"path\":\"a\"}", "{\"path\":\"../a\",\"kind\":\"file\",\"mode\":420,\"mtime_ns\":1,\"size\":1}",
      "{\"path\":\"a\",\"kind\":\"file\",\"mode\":420,\"mtime_ns\":1,\"size\":-1}",
      "{\"path\":\"a\",\"kind\":\"link\",\"mode\":420,\"mtime_ns\":1,\"size\":1}",
      "{\"path\":\"a\",\"kind\":\"file\",\"mode\":99999,\"mtime_ns\":1,\"size\":1}",
      "{\"path\":\"a\",\"kind\":\"file\",\"mode\":420,\"mtime_ns\":1,\"size\":1}x",
      "{\"path\":\"a\\u0041\",\"kind\":\"file\",\"mode\":420,\"mtime_ns\":1,\"size\":1}",
    ])
  func malformedManifestLines(text: String) {
    #expect(throws: FlatJSON.Malformed.self) { try ManifestLine(parsing: Array(text.utf8)) }
  }

  @Test(
    "the moment of a backup is in its name, local time",
    arguments: [
      ("backup_20260124_020000", true), ("backup_20260124_020000_2", true), ("backup_20260231_020000", false),
      ("backup_20260124_250000", false), ("backup_notes", false), ("backup_20200101_000000-keep", false),
      ("backup_+0260124_020000", false),
    ])
  func names(name: String, isMoment: Bool) {
    #expect((BackupLayout.timestamp(ofName: FileName(name)) != nil) == isMoment)
  }

  @Test("sizes are rounded as the guide shows them")
  func sizes() {
    #expect(ByteCount.megabytes(257_216_512) == "245.3 MB")
    #expect(ByteCount.megabytes(0) == "0.0 MB")
    #expect(ByteCount.text(1023) == "1023 bytes")
    #expect(ByteCount.text(3 << 30) == "3.0 GB")
  }

  @Test("a result is JSON with an indent, snake_case keys, and nothing that a terminal acts on")
  func json() throws {
    struct Sample: Encodable {
      let sizeBytes = 1
      let noteText = "\"\\\n\u{1}é / \u{202E} \" : x"
      let missing = Nullable<String>(nil)
      let list = ["a\" : b", "c"]
      let tables = ["newPrices": 1.5]
      let none: [String: [Int]] = [:]
      let empty: [Int] = []
      private enum CodingKeys: CodingKey { case sizeBytes, noteText, missing, list, tables, none, empty }
    }
    let text = try ResultText.json(Sample())
    let parsed = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(parsed["note_text"] as? String == "\"\\\n\u{1}é / \u{202E} \" : x")
    #expect(parsed["missing"] is NSNull && parsed["list"] as? [String] == ["a\" : b", "c"])
    #expect((parsed["tables"] as? [String: Double]) == ["newPrices": 1.5])
    #expect(text.contains("\"none\": {},\n") && text.contains("\"empty\": [],\n"))
    #expect(text.contains("\n  \"size_bytes\": 1,\n") && text.contains("\\u202e") && !text.contains("\u{202E}"))
  }
}
