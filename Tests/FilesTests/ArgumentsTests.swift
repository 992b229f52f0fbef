import Files
import Foundation
import Testing

@Suite("Arguments")
struct ArgumentsTests {
  @Test("the words of the command line are those that the kernel gave", .enabled(if: Self.hasProc))
  func words() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "/proc/self/cmdline"))
    let words = bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    #expect(ThisProcess.arguments == Array(words.dropFirst().dropLast()))
  }

  private static let hasProc = FileManager.default.fileExists(atPath: "/proc/self/cmdline")
}
