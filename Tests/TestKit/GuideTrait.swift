public import Testing

#if canImport(Glibc)
  private import Glibc
#else
  private import Darwin
#endif

/// Says which items of the operations guide a test shows (`Tests/Guide/items.json`); at most three.
///
/// When `HRP_GUIDE_RECORD` names a file, a line is added to it for each test that begins: the items and the test.
/// Whether the test passed is told by the run itself; `scripts/conformance` brings both together.
public struct GuideTrait: TestTrait, SuiteTrait, TestScoping {
  private let items: [Int]

  fileprivate init(_ items: [Int]) {
    precondition(items.count <= 3, "one test shows at most three items of the guide")
    self.items = items
  }

  /// Writes the line, then runs the test.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    if let path = getenv("HRP_GUIDE_RECORD").map({ String(cString: $0) }) {
      let location = test.sourceLocation
      let line =
        "\(items.map(String.init).joined(separator: ","))\t\(location.fileID)\t\(location.line)\t\(test.name)\n"
      let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
      // One call for a line: tests run side by side.
      _ = line.withCString { write(file, $0, strlen($0)) }
      close(file)
    }
    try await function()
  }
}

extension Trait where Self == GuideTrait {
  /// The test shows these items of the operations guide.
  public static func guide(_ items: Int...) -> Self { GuideTrait(items) }
}
