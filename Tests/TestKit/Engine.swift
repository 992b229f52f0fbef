import Foundation

/// A real DuckDB engine, always in a process of its own.
public struct Engine: Sendable, CustomStringConvertible {
  /// The version, such as 2.0.1.
  public let version: String
  /// The name for people.
  public var description: String { "DuckDB \(version)" }

  /// The engine of a version that `scripts/setup` installed.
  public init(_ version: String) { self.version = version }

  /// The engines that every copy is tried with.
  public static let all = [Engine("2.0.1"), Engine("1.5.6"), Engine("1.4.5")]

  /// The script failed: its last words.
  public struct Failed: Error, CustomStringConvertible {
    /// Engine, status and the script's last words.
    public let description: String
  }

  /// Runs a Python script that finds `duckdb` imported, and returns what it printed, without the last line feed.
  @discardableResult
  public func run(_ script: String, in folder: String) throws -> String {
    let done = try TestKit.run(
      Checkout.python, ["-B", "-c", "import duckdb, os, sys, shutil, signal\n" + script], in: folder,
      environment: environment)
    guard done.status == 0 else { throw Failed(description: "\(self), status \(done.status): \(done.errors)") }
    return done.output.hasSuffix("\n") ? String(done.output.dropLast()) : done.output
  }

  /// What makes Python find this engine.
  public var environment: [String: String] {
    ["PYTHONPATH": Checkout.root.appendingPathComponent(".deps/duckdb/\(version)").path]
  }

  /// What the engine prints of a query on a database that it opens read-write: lines of columns split by `|`.
  public func query(_ database: String, _ sql: String, in folder: String) throws -> String {
    try run(
      """
      c = duckdb.connect('\(database)')
      for row in c.execute('''\(sql)''').fetchall(): print('|'.join(map(str, row)))
      c.close()
      """, in: folder)
  }
}
