import Foundation
import TestKit
import Testing

/// Backups that somebody changed, and a directory of backups in disorder.
@Suite("Adversity: backups and their directory")
struct AdversityTests {
  /// What was done to a backup; `$M` is its MLflow folder.
  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let command: String
  }

  static let damages = [
    Damage(testDescription: "an extra file", command: "echo x > $M/mlruns/0/extra"),
    Damage(testDescription: "a missing file", command: "rm -f $M/mlruns/0/meta.yaml"),
    Damage(testDescription: "a missing database", command: "rm -f hrp.duckdb"),
    Damage(
      testDescription: "a flipped byte", command: "printf X | dd of=hrp.duckdb bs=1 seek=20000 conv=notrunc status=none"
    ),
    Damage(
      testDescription: "a line removed from checksums.txt and its file changed",
      command: "sed -i /meta.yaml/d checksums.txt && echo other > $M/mlruns/0/meta.yaml"),
    Damage(testDescription: "an empty checksums.txt", command: ": > checksums.txt"),
    Damage(testDescription: "no checksums.txt", command: "rm -f checksums.txt"),
  ]

  @Test(
    "a changed backup never verifies, and a restore of it leaves nothing at the target", arguments: damages,
    [false, true])
  func damage(damage: Damage, isLegacy: Bool) throws {
    try withHome { home in
      let good = try home.create()
      let bad = try isLegacy ? home.legacy("backup_20260124_020000") : home.create()
      try home.shell("chmod -R u+w . && M=\(isLegacy ? "mlflow" : "mlruns") && " + damage.command, in: bad)
      for level in ["checksums", "structure"] {
        let verified = try home.hrp("backup", "verify", bad, "--level", level, "--json")
        #expect(verified.status == 1)
        let report = try home.object(verified)
        #expect(report["ok"] as? Bool == false && (report["findings"] as? [Any])?.isEmpty == false)
      }
      try home.fails(1, "verification.failed", "backup", "restore", bad, "--target-dir", "new", sparing: [good])
      #expect(!FileManager.default.fileExists(atPath: home.folder + "/new"))
    }
  }

  @Test("hexadecimal digits of either case are the same hash")
  func upperCase() throws {
    try withHome { home in
      let path = try home.legacy("backup_20260124_020000")
      try home.shell(
        "sed -i -E 's/^[0-9a-f]{64}/\\U&/' checksums.txt && grep -q '^[0-9A-F]*[A-F]' checksums.txt", in: path)
      #expect(try home.verifies(path))
      #expect(try home.hrp("backup", "restore", path, "--target-dir", "new").status == 0)
    }
  }

  @Test(
    "a line that leads out of the backup is refused, not read, and tells nothing",
    arguments: ["../../../secret", "/absolute"], [true, false])
  func outside(place: String, isRightHash: Bool) throws {
    try withHome { home in
      let secret = home.folder + "/secret"
      try home.shell("head -c 3000 /dev/urandom > secret && touch -a -d '2020-01-01 00:00:00' secret")
      let reads = { try home.shell("stat -c %X secret") }
      let opened = try reads()
      let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
      let line = place == "/absolute" ? secret : place
      let bad = try home.legacy("backup_20260124_020000")
      // The right hash is taken of a copy: whoever reads the file itself is seen by its time of access.
      let real = try home.shell("cp secret twin && touch -a -d '2020-01-01 00:00:00' secret && sha256sum < twin")
      let digest = String(real.prefix(64))
      try home.shell("printf '%s  %s\\n' \(isRightHash ? digest : hash) '\(line)' >> checksums.txt", in: bad)
      let verified = try home.hrp("backup", "verify", bad, "--json")
      #expect(verified.status == 1)
      let findings = try home.object(verified)["findings"] as? [[String: Any]] ?? []
      #expect(findings.map { $0["kind"] as? String } == ["malformed"])
      #expect(findings.first?["file"] as? String == "checksums.txt")
      try home.fails(1, "verification.failed", "backup", "restore", bad, "--target-dir", "new")
      let log = try String(contentsOfFile: home.data + "/logs/backup.log", encoding: .utf8)
      for text in [verified.output, verified.errors, log] { #expect(!text.lowercased().contains(digest)) }
      #expect(try reads() == opened)
      #expect(try home.names(in: home.folder).filter { $0 == "new" || $0.hasSuffix(".partial") } == [])
    }
  }

  static let oddMetadata = [
    "{", "", "[1]", "null", "{\"timestamp\": 5}", "{\"timestamp\": \"2020-01-01T00:00:00.000000+00:00\"}",
    "{\"timestamp\": \"9999-12-31T23:59:59\"}", "{\"created_at\": \"soon\", \"size_bytes\": -1}",
    "{\"created_at\": 1e10}", "{\"created_at\": -9e9}", "{\"timestamp\": \"2262-04-11T23:47:16-23:00\"}",
    "\u{FF}\u{FE}",
  ]

  @Test("whatever one metadata.json holds, the list and the rotation of the others go on", arguments: oddMetadata)
  func metadata(text: String) throws {
    try withHome { home in
      let (good, second) = (try home.create(), try home.create())
      let old = try home.age(home.create(), days: 90)
      let odd = home.backups + "/backup_20200101_000000"
      try home.shell("cp -r \(good) \(odd) && chmod -R u+w \(odd)")
      // Latin 1, so that the last of the texts is the bytes 0xFF and 0xFE, which are not UTF-8.
      try #require(text.data(using: .isoLatin1)).write(to: URL(fileURLWithPath: odd + "/metadata.json"))
      let listed = try home.hrp("backup", "list", "--json")
      #expect(listed.status == 0, "\(listed.errors)")
      #expect(try Set(home.list(listed)) == [good, second, old, odd])
      #expect(try home.hrp("backup", "list").output.contains("backup_20200101_000000"))
      let verified = try home.hrp("backup", "verify", odd, "--json")
      #expect(verified.status == 1)
      let findings = try home.object(verified)["findings"] as? [[String: Any]] ?? []
      #expect(!findings.isEmpty && findings.allSatisfy { $0["file"] as? String == "metadata.json" })
      let rotated = try home.hrp("backup", "rotate", "--json")
      #expect(rotated.status == 0, "\(rotated.errors)")
      #expect(!FileManager.default.fileExists(atPath: old))
      #expect(try home.verifies(good) && home.verifies(second))
    }
  }

  @Test("two backups within one second have names of their own, and both verify")
  func oneSecond() throws {
    try withHome { home in
      var paths: [String] = []
      let second = { (path: String) in String(path.suffix(path.count - home.backups.count).prefix(23)) }
      // Many fit into a second on any machine that can run the tests; how many it takes does not matter.
      while paths.count < 100, Set(paths.map(second)).count == paths.count { paths.append(try home.create()) }
      #expect(Set(paths.map(second)).count < paths.count && Set(paths).count == paths.count)
      for path in paths { #expect(try home.verifies(path)) }
      #expect(try home.names(in: home.backups).filter { !$0.hasPrefix(".") }.count == paths.count)
    }
  }
}

/// A home directory with a stack in `hrp-data`, and the built program to work on it.
struct Home {
  let folder: String
  var data: String { folder + "/hrp-data" }
  var backups: String { data + "/backups" }

  /// What to start `hrp` by so that permissions hold; nil: root, and no program to take its privileges away.
  static let unprivileged: [String]? =
    if geteuid() != 0 {
      []
    } else if FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv") {
      ["/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    } else {
      nil
    }

  /// Runs `hrp`; `prefix` is a program that starts it in another way.
  func hrp(_ arguments: [String], by prefix: [String] = []) throws -> Finished {
    let words = prefix + [Checkout.hrp] + arguments
    return try run(words[0], Array(words.dropFirst()), in: folder, environment: ["HOME": folder])
  }

  func hrp(_ arguments: String...) throws -> Finished { try hrp(arguments) }

  /// Starts `hrp` and leaves it running.
  func start(_ arguments: [String], output: FileHandle = .nullDevice) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Checkout.hrp)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = cleanEnvironment.merging(["HOME": folder]) { $1 }
    (process.standardInput, process.standardOutput) = (FileHandle.nullDevice, output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Runs a shell command that must succeed, and returns what it printed, without the last line feed.
  @discardableResult
  func shell(_ command: String, in place: String? = nil) throws -> String {
    let done = try run("/bin/sh", ["-ec", command], in: place ?? folder)
    try #require(done.status == 0, "\(command): \(done.errors)")
    return done.output.hasSuffix("\n") ? String(done.output.dropLast()) : done.output
  }

  func names(in place: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: place) }

  // MARK: - What JSON says

  func object(_ finished: Finished) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(finished.output.utf8)) as? [String: Any], "\(finished.errors)")
  }

  func error(_ finished: Finished) throws -> (code: String, message: String)? {
    let error = try object(finished)["error"] as? [String: String]
    guard let error, let code = error["code"], let message = error["message"], let remedy = error["remedy"] else {
      return nil
    }
    return message.isEmpty || remedy.isEmpty ? nil : (code, message)
  }

  /// The paths of the listed backups, newest first.
  func list(_ finished: Finished? = nil) throws -> [String] {
    let output = try (finished ?? hrp("backup", "list", "--json")).output
    let list = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]]
    return try #require(list).compactMap { $0["path"] as? String }
  }

  // MARK: - Backups

  /// Makes a backup that must succeed, and returns its path.
  func create(_ flags: String...) throws -> String {
    let done = try hrp(["backup", "create", "--json"] + flags)
    #expect(done.status == 0, "\(done.output)\(done.errors)")
    return try #require(try object(done)["path"] as? String)
  }

  func verifies(_ path: String) throws -> Bool { try hrp("backup", "verify", path).status == 0 }

  /// Makes a backup as the Python tool did: a plain copy, hashes without a seal.
  func legacy(_ name: String) throws -> String {
    try shell(
      """
      mkdir -p 'backups/\(name)' && cp -r hrp.duckdb mlflow 'backups/\(name)' && cd 'backups/\(name)'
      find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum > ../sums && mv ../sums checksums.txt
      echo '{"timestamp": "2026-01-24T02:00:00.123456", "size_bytes": 99, "include_mlflow": true}' > metadata.json
      """, in: data)
    let path = backups + "/" + name
    #expect(try verifies(path))
    return path
  }

  /// Makes a backup so many days older, with a name and a seal to match; it verifies as before.
  func age(_ path: String, days: Int) throws -> String {
    let aged = try ageBackup(path, days: days)
    #expect(try verifies(aged))
    return aged
  }

  /// Runs a command that must fail in this way and lose nothing: the stack is as it was, no backup appears or goes,
  /// nothing half-made is left, and earlier backups verify.
  @discardableResult
  func fails(
    _ status: Int32, _ code: String, _ arguments: String..., by prefix: [String] = [], sparing earlier: [String] = [],
    at location: SourceLocation = #_sourceLocation
  ) throws -> String {
    let before = try (state(), visible())
    let done = try hrp(arguments + ["--json"], by: prefix)
    #expect(done.status == status, "\(done.output)\(done.errors)", sourceLocation: location)
    let error = try self.error(done)
    #expect(error?.code == code, "\(done.output)", sourceLocation: location)
    let after = try (state(), visible())
    #expect(after == before, sourceLocation: location)
    for path in earlier { #expect(try verifies(path), sourceLocation: location) }
    return error?.message ?? ""
  }

  /// The names of backups, and of what a run in the making leaves there.
  private func visible() throws -> [String] {
    let names = FileManager.default.fileExists(atPath: backups) ? try names(in: backups) : []
    return names.filter { !$0.hasPrefix(".hrp-") }.sorted()
  }

  /// Everything of the stack itself: names, kinds, sizes, times of change and contents.
  func state() throws -> String {
    try shell(
      """
      find hrp.duckdb* mlflow -printf '%p %y %s %T@ %m %l\\n' 2>/dev/null | LC_ALL=C sort
      find hrp.duckdb* mlflow -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0r sha256sum 2>/dev/null || true
      """, in: data)
  }

  // MARK: - Engines beside

  /// Runs the body while an engine in another process has done the script's first part and repeats its second.
  func whileEngine(
    of engine: Engine = Engine("2.0.1"), _ first: String, repeating second: String = "time.sleep(0.01)",
    _ body: (Int32) throws -> Void
  ) throws {
    let (ready, stop) = (folder + "/ready", folder + "/stop")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Checkout.python)
    process.arguments = [
      "-c",
      """
      import duckdb, os, time
      c = duckdb.connect('hrp-data/hrp.duckdb')
      \(first)
      open('ready', 'w').close()
      while not os.path.exists('stop'):
        \(second)
      """,
    ]
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = cleanEnvironment.merging(engine.environment) { $1 }
    try process.run()
    defer {
      _ = FileManager.default.createFile(atPath: stop, contents: nil)
      process.waitUntilExit()
    }
    while process.isRunning, !FileManager.default.fileExists(atPath: ready) { usleep(2000) }
    try #require(process.isRunning)
    try body(process.processIdentifier)
    #expect(process.isRunning, "the engine beside must live on")
  }
}

/// A home directory with a small stack, for as long as the body runs.
func withHome<Result>(_ body: (Home) throws -> Result) throws -> Result {
  try withTemporaryFolder { folder in
    let home = Home(folder: folder)
    try home.shell("mkdir -p hrp-data/mlflow/mlruns/0 && echo 'name: x' > hrp-data/mlflow/mlruns/0/meta.yaml")
    try smallDatabase.get().write(to: URL(fileURLWithPath: home.data + "/hrp.duckdb"))
    return try body(home)
  }
}

/// A database of a thousand rows, written once by a real engine.
private let smallDatabase = Result {
  try withTemporaryFolder { folder in
    _ = try Engine("2.0.1").query("x", "CREATE TABLE t AS SELECT range i FROM range(1000)", in: folder)
    return try Data(contentsOf: URL(fileURLWithPath: folder + "/x"))
  }
}
