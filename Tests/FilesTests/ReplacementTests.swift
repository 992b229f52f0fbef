import Files
import Foundation
import SystemPackage
import TestKit
import Testing

/// Small files that are written in place of others, and folders of our own with hidden names.
@Suite("Hidden names of our own")
struct ReplacementTests {
  @Test("a replacement removes what a killed one left, and leaves a living one's alone")
  func leftovers() throws {
    try withTemporaryFolder { folder in
      let (dead, alive) = (folder + "/.0123456789abcdef.partial", folder + "/.fedcba9876543210.partial")
      for path in [dead, alive] { try Data([1]).write(to: URL(fileURLWithPath: path)) }
      // Names that are not ours stay, whatever they look like.
      let others = [".partial", ".12.partial", ".0123456789ABCDEF.partial", ".0123456789abcdef.partial2"]
      for name in others { try Data([1]).write(to: URL(fileURLWithPath: folder + "/" + name)) }
      let held = try OpenFile(FilePath(alive), files: Kernel())
      #expect(try Kernel().lock(held.descriptor, kind: .exclusive))
      let directory = try OpenFile(FilePath(folder), mode: [.directory], files: Kernel())
      try Kernel().replace("pin.json", in: directory, with: [7])
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/pin.json")) == Data([7]))
      let names = try Set(FileManager.default.contentsOfDirectory(atPath: folder))
      #expect(names == Set(others + ["pin.json", ".fedcba9876543210.partial"]))
    }
  }

  @Test("replacements of many threads of one process never meet: each leaves a whole file, and nothing else")
  func sideBySide() throws {
    try withTemporaryFolder { folder in
      DispatchQueue.concurrentPerform(iterations: 64) { number in
        do {
          let directory = try OpenFile(FilePath(folder), mode: [.directory], files: Kernel())
          let bytes = [UInt8](repeating: UInt8(number), count: 1000)
          try Kernel().replace(FilePath("note\(number % 4)"), in: directory, with: bytes)
        } catch {
          Issue.record(error)
        }
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["note0", "note1", "note2", "note3"])
      for name in names {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
        #expect(bytes.count == 1000 && Set(bytes).count == 1)
      }
    }
  }
}
