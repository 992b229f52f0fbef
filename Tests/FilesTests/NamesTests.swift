import Files
import SystemPackage
import Testing

@Suite("Names")
struct NamesTests {
  @Test(
    "a stranger's path that could leave the root is no path",
    arguments: [
      "", "/etc/passwd", "..", "a/../b", "a/..", "./a", "a//b", "a/", "a\0b", String(repeating: "a/", count: 200) + "a",
    ])
  func hostilePaths(text: String) {
    #expect(EntryPath(validating: Array(text.utf8)) == nil)
  }

  @Test("names that merely look odd are paths", arguments: ["a", "...", "..a/b..", "-rf", "a b ", "a\nb", "a\\b"])
  func oddPaths(text: String) {
    #expect(EntryPath(validating: Array(text.utf8))?.bytes == Array(text.utf8))
  }

  @Test("a path knows its name, its parent and what lies in it")
  func parts() {
    let path = EntryPath("mlruns/1/meta.yaml")
    #expect(path.name == FileName("meta.yaml"))
    #expect(path.parent == EntryPath("mlruns/1"))
    #expect(path.isInside(EntryPath("mlruns")))
    #expect(!EntryPath("mlruns2/x").isInside(EntryPath("mlruns")))
    #expect(path.relative(to: EntryPath("mlruns")) == EntryPath("1/meta.yaml"))
    #expect(EntryPath("mlruns").relative(to: EntryPath("mlruns")) == nil)
  }

  @Test(
    "every sequence of bytes has a text that leads back to it",
    arguments: [
      [0x61], [0x25], [0xFF, 0xFE], [0x0A, 0x5C, 0x22], [0xC3, 0xA9], [0xC3], [0xE2, 0x9C, 0x93, 0x7F], [0xC2, 0x85],
    ])
  func byteText(bytes: [Int]) {
    let bytes = bytes.map { UInt8($0) }
    let text = ByteText.escaped(bytes)
    #expect(ByteText.bytes(of: text.utf8) == bytes)
    #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
  }

  @Test("UTF-8 stays readable; what is not UTF-8 is written in hexadecimal digits")
  func byteTextForms() {
    #expect(ByteText.escaped(Array("modèle ✓".utf8)) == "modèle ✓")
    #expect(ByteText.escaped([0x61, 0xFF, 0x25]) == "a%ff%25")
    #expect(ByteText.bytes(of: "%zz".utf8) == nil)
    #expect(ByteText.bytes(of: "%a".utf8) == nil)
  }

  @Test("a path of any bytes reaches the kernel as it is")
  func rawPaths() {
    let bytes: [UInt8] = [0x61, 0xFF, 0x2F, 0xFE]
    #expect(FilePath(bytes: bytes).bytes == bytes)
  }
}
