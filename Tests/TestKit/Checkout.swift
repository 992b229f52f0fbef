public import Foundation

/// The checkout that the tests run in, and what `scripts/setup` put there.
public enum Checkout {
  /// The root of the repository.
  public static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The project's own Python.
  public static let python = root.appendingPathComponent(".deps/python/bin/python").path

  /// The `hrp` that was built with the tests: it lies beside the test bundle.
  public static let hrp: String = {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    for _ in 0..<4 {
      let path = folder.appendingPathComponent("hrp").path
      if FileManager.default.isExecutableFile(atPath: path) { return path }
      folder.deleteLastPathComponent()
    }
    return root.appendingPathComponent(".build/debug/hrp").path
  }()
}

/// A folder that lives as long as the body.
public func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = try temporaryFolder()
  defer {
    // Read-only files and folders of backups are no obstacle to their owner; a failure shows as a full disk, later.
    try? FileManager.default.removeItem(atPath: folder)
  }
  return try body(folder)
}

private func temporaryFolder() throws -> String {
  let path = NSTemporaryDirectory() + "hrp-test-" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  return URL(fileURLWithPath: path).resolvingSymlinksInPath().path
}

/// What a finished process left.
public struct Finished: Sendable {
  /// The exit status; 128 and the signal's number when a signal ended it.
  public let status: Int32
  /// What it wrote to stdout.
  public let output: String
  /// What it wrote to stderr.
  public let errors: String
}

/// Runs a program to its end.
@discardableResult
public func run(
  _ program: String, _ arguments: [String], in folder: String? = nil, environment: [String: String] = [:]
) throws -> Finished {
  let process = prepared(program, arguments: arguments, in: folder, environment: environment)
  let scratch = try temporaryFolder()
  defer { try? FileManager.default.removeItem(atPath: scratch) }
  // Files, not pipes: a pipe that nobody empties stops a process that writes much.
  let (out, err) = (scratch + "/out", scratch + "/err")
  for path in [out, err] { try Data().write(to: URL(fileURLWithPath: path)) }
  process.standardOutput = FileHandle(forWritingAtPath: out)
  process.standardError = FileHandle(forWritingAtPath: err)
  try process.run()
  process.waitUntilExit()
  let signalled = process.terminationReason == .uncaughtSignal
  return Finished(
    status: signalled ? 128 + process.terminationStatus : process.terminationStatus,
    output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: out)), as: UTF8.self),
    errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: err)), as: UTF8.self))
}

/// Writes a program for `/bin/sh`.
///
/// A process of its own writes it: while a child of another test has the file open to write, nobody can start it.
public func writeProgram(_ text: String, to path: String) throws {
  let script = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\""
  try run("/bin/sh", ["-c", script, "sh", text, path])
}

/// A program that is ready to be started, with nothing to read.
func prepared(
  _ program: String, arguments: [String], in folder: String?, environment: [String: String]
) -> Process {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
  process.environment = cleanEnvironment.merging(environment) { $1 }
  process.standardInput = FileHandle.nullDevice
  return process
}

/// The environment without what would lead a test to a stack of the machine.
public let cleanEnvironment: [String: String] = ProcessInfo.processInfo.environment.filter {
  !$0.key.hasPrefix("HRP_") && !$0.key.hasPrefix("NOTIFICATION_") && $0.key != "RESEND_API_KEY"
    && $0.key != "MLFLOW_TRACKING_URI" && $0.key != "PYTHONPATH" && $0.key != "PYTHONHOME"
}

/// Whether the tests run as root, who can be anybody: in a user namespace of its own (`unshare -r`) it cannot.
public let isRoot =
  geteuid() == 0
  && (try? String(contentsOfFile: "/proc/self/uid_map", encoding: .utf8))
    .map { $0.split(whereSeparator: \.isWhitespace).last != "1" } ?? true
