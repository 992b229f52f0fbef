import Foundation

/// Runs the built `hrp` as a user would whose home directory it is.
@discardableResult
public func hrp(
  _ arguments: [String], in home: String, _ environment: [String: String] = [:]
) throws -> Finished {
  try run(Checkout.hrp, arguments, in: home, environment: ["HOME": home].merging(environment) { $1 })
}

/// A home directory with a small stack in `hrp-data`, where the operations guide has it.
public func withGuideHome<Result>(_ body: (String) throws -> Result) throws -> Result {
  try withTemporaryFolder { home in
    try Engine("2.0.1").run(
      """
      os.makedirs('hrp-data/mlflow/mlruns/0')
      c = duckdb.connect('hrp-data/hrp.duckdb'); c.execute('CREATE TABLE t AS SELECT range i FROM range(10)'); c.close()
      open('hrp-data/mlflow/mlruns/0/meta.yaml', 'w').write('name: x\\n')
      """, in: home)
    return try body(home)
  }
}

/// Writes the configuration of the stack in a home directory.
public func configure(_ yaml: String, in home: String) throws {
  try FileManager.default.createDirectory(atPath: home + "/hrp-data/config", withIntermediateDirectories: true)
  try Data(yaml.utf8).write(to: URL(fileURLWithPath: home + "/hrp-data/config/hrp.yaml"))
}

/// What `hrp scheduler history --json` says, the newest run first.
/// - Throws: also when it is no such JSON.
public func schedulerHistory(in home: String) throws -> [[String: Any]] {
  let text = try hrp(["scheduler", "history", "--json"], in: home).output
  guard let records = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] else {
    throw CocoaError(.fileReadCorruptFile)
  }
  return records
}
