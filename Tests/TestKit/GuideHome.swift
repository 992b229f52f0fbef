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

/// Makes a backup look as if it was made so many days ago, with its seal and its name, and gives its new path.
///
/// The catalogue of its stack, which knows it by its own name and moment, is removed.
public func ageBackup(_ path: String, days: Int) throws -> String {
  let script = """
    import hashlib, os, re, sys, time
    path, then = sys.argv[1], time.time() - 86400 * int(sys.argv[2])
    text = open(path + '/metadata.json').read()
    seal = '  "metadata_sha256": "'
    text = re.sub('"created_at": [0-9.]+', '"created_at": %.6f' % then, text[:text.index(seal)], count=1)
    stamp = time.strftime('%Y-%m-%dT%H:%M:%S.000000', time.localtime(then))
    text = re.sub('"timestamp": "[^"]*"', '"timestamp": "%s"' % stamp, text, count=1)
    os.chmod(path, 0o755); os.remove(path + '/metadata.json')
    digest = hashlib.sha256(text.encode()).hexdigest()
    open(path + '/metadata.json', 'w').write(text + seal + digest + '"\\n}\\n')
    aged = os.path.dirname(path) + time.strftime('/backup_%Y%m%d_%H%M%S', time.localtime(then))
    os.rename(path, aged); print(aged, end='')
    """
  let data = URL(fileURLWithPath: path).deletingLastPathComponent().deletingLastPathComponent().path
  try run("/bin/sh", ["-c", "rm -f hrp-catalogue.db*"], in: data)
  return try run(Checkout.python, ["-c", script, path, "\(days)"]).output
}
