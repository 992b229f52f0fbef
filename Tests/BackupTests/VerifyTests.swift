import Backup
import Files
import Foundation
import Jobs
import MLflow
import Stacks
import Store
import SystemPackage
import TestKit
import Testing

@Suite("Verifying a backup")
struct VerifyTests {
  /// A damage, and the findings that it must give at the level `checksums`.
  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let findings: [String]
    let command: String
  }

  static let damages = [
    Damage(
      testDescription: "a changed byte in the database", findings: ["mismatch hrp.duckdb"],
      command: "printf X | dd of=hrp.duckdb bs=1 seek=20000 conv=notrunc status=none"),
    Damage(
      testDescription: "a changed byte in a model", findings: ["mismatch mlruns/mlruns/0/r1/artifacts/model.pkl"],
      command: "printf X | dd of=mlruns/mlruns/0/r1/artifacts/model.pkl bs=1 conv=notrunc status=none"),
    Damage(
      testDescription: "a missing file", findings: ["missing mlruns/mlruns/0/meta.yaml"],
      command: "rm -f mlruns/mlruns/0/meta.yaml"),
    Damage(
      testDescription: "a file too much", findings: ["unexpected mlruns/mlruns/0/extra"],
      command: "touch mlruns/mlruns/0/extra"),
    Damage(
      testDescription: "a renamed file",
      findings: ["missing mlruns/mlruns/0/meta.yaml", "unexpected mlruns/mlruns/0/meta.yml"],
      command: "mv mlruns/mlruns/0/meta.yaml mlruns/mlruns/0/meta.yml"),
    Damage(
      testDescription: "a missing log", findings: ["missing hrp.duckdb.wal"], command: "rm -f hrp.duckdb.wal"),
    Damage(
      testDescription: "an empty folder that is gone", findings: ["missing mlruns/mlruns/.trash"],
      command: "rmdir mlruns/mlruns/.trash"),
    Damage(
      testDescription: "a folder too much", findings: ["unexpected mlruns/new"], command: "mkdir mlruns/new"),
    Damage(
      testDescription: "a link in the place of a file",
      findings: ["link mlruns/mlruns/0/meta.yaml", "missing mlruns/mlruns/0/meta.yaml"],
      command: "rm -f mlruns/mlruns/0/meta.yaml; ln -s /etc/passwd mlruns/mlruns/0/meta.yaml"),
    Damage(
      testDescription: "a dropped line",
      findings: ["mismatch checksums.txt", "unexpected mlruns/mlruns/0/r1/artifacts/model.pkl"],
      command: "sed -i /model.pkl/d checksums.txt"),
    Damage(
      testDescription: "a foreign line", findings: ["malformed checksums.txt", "mismatch checksums.txt"],
      command: "echo \"$(printf x | sha256sum | cut -c1-64)  ../../etc/passwd\" >> checksums.txt"),
    Damage(
      testDescription: "an absolute path", findings: ["malformed checksums.txt", "mismatch checksums.txt"],
      command: "echo \"$(printf x | sha256sum | cut -c1-64)  /etc/passwd\" >> checksums.txt"),
    Damage(
      testDescription: "no checksums.txt", findings: ["missing checksums.txt"] + everyFile.map { "unexpected " + $0 },
      command: "rm -f checksums.txt"),
    Damage(
      testDescription: "an empty checksums.txt",
      findings: ["malformed checksums.txt", "mismatch checksums.txt"] + everyFile.map { "unexpected " + $0 },
      command: "rm -f checksums.txt; touch checksums.txt"),
    Damage(
      testDescription: "a changed manifest", findings: ["mismatch manifest.jsonl"],
      command: "sed -i 's/\"mode\":384/\"mode\":511/' manifest.jsonl"),
    Damage(testDescription: "no manifest", findings: ["missing manifest.jsonl"], command: "rm -f manifest.jsonl"),
    Damage(testDescription: "no metadata", findings: ["missing metadata.json"], command: "rm -f metadata.json"),
    Damage(
      testDescription: "changed metadata", findings: ["malformed metadata.json"],
      command: "sed -i 's/\"complete\": true/\"complete\": false/' metadata.json"),
    Damage(
      testDescription: "metadata with something after its seal", findings: ["malformed metadata.json"],
      command: "echo >> metadata.json"),
    Damage(
      testDescription: "metadata with a field behind its seal", findings: ["malformed metadata.json"],
      command: "sed -i 's/^}$/, \"extra\": 1}/' metadata.json"),
    Damage(
      testDescription: "metadata that is none", findings: ["malformed metadata.json", "malformed metadata.json"],
      command: "rm -f metadata.json; echo '[1]' > metadata.json"),
  ]

  private static let everyFile = [
    "hrp.duckdb", "hrp.duckdb.wal", "mlruns/mlflow.db", "mlruns/mlruns/0/meta.yaml",
    "mlruns/mlruns/0/r1/artifacts/model.pkl",
  ]

  @Test("every difference is found and named", arguments: damages)
  func damage(damage: Damage) throws {
    try withStack { sample in
      let result = try sample.create()
      try run("/bin/chmod", ["-R", "u+w", result.path])
      let done = try run("/bin/sh", ["-c", damage.command], in: result.path)
      #expect(done.status == 0, "\(done.errors)")
      let report = try sample.verify(result.path, level: .checksums)
      #expect(report.findings.map { "\($0.kind.rawValue) \($0.file)" }.sorted() == damage.findings.sorted())
      // What verify refuses, restore refuses, and touches nothing.
      let target = sample.folder + "/target"
      #expect(throws: RestoreRun.Damaged.self) { try sample.restore(result.path, to: target) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: sample.folder).sorted() == ["data"])
    }
  }

  @Test("verifying changes nothing in the backup, not even beside a SQLite database in it")
  func writesNothing() throws {
    try withStack { sample in
      let result = try sample.create()
      let listing = { try run("/bin/sh", ["-c", "find . -printf '%p %T@ %C@ %s\\n' | sort"], in: result.path).output }
      let before = try listing()
      #expect(try sample.verify(result.path).isOK)
      #expect(try listing() == before)
    }
  }

  @Test("a bit flip in a block in use is found by its structure, though every hash was made anew")
  func structure() throws {
    try withStack { sample in
      let result = try sample.create()
      try legacy(result.path) { path in
        try SampleStack.change(path + "/hrp.duckdb") { $0[12288 + 100] ^= 1 }
      }
      #expect(try sample.verify(result.path, level: .checksums).isOK)
      let report = try sample.verify(result.path)
      #expect(report.findings.map(\.kind) == [.block])
      #expect(report.findings[0].detail.contains("block 0"))
    }
  }

  @Test(
    "a log that is cut, or flipped before its last commit, is found by its structure",
    arguments: ["cut", "flip", "tail"])
  func logStructure(kind: String) throws {
    try withStack { sample in
      let result = try sample.create()
      try legacy(result.path) { path in
        try SampleStack.change(path + "/hrp.duckdb.wal") { bytes in
          switch kind {
          case "cut": bytes = bytes.dropLast(3)
          case "flip": bytes[bytes.count - 60] ^= 1
          default: bytes += Data(repeating: 0, count: 64)
          }
        }
      }
      #expect(try sample.verify(result.path).findings.map(\.kind) == [.wal])
    }
  }

  @Test("a damaged SQLite database is found by its structure")
  func sqlite() throws {
    try withStack { sample in
      let result = try sample.create()
      try legacy(result.path) { path in
        try SampleStack.change(path + "/mlruns/mlflow.db") { bytes in
          for offset in 4096..<4200 { bytes[offset] = 0xFF }
        }
      }
      #expect(try sample.verify(result.path).findings.map(\.kind) == [.sqlite])
    }
  }

  @Test("a backup of the Python tool lists, verifies and restores; its damage is found")
  func pythonTool() throws {
    try withStack { sample in
      let path = sample.backups + "/backup_20260124_020000"
      try run(
        "/bin/sh",
        [
          "-c",
          """
          mkdir -p '\(path)' && cp -r mlflow '\(path)/' && cp hrp.duckdb '\(path)/' && cd '\(path)' &&
          find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum > /tmp/$$.sums && mv /tmp/$$.sums checksums.txt &&
          printf '{\\n  "timestamp": "2026-01-24T02:00:00.123456",\\n  "created_at": 1769220000.5,\\n  "size_bytes": 99,\\n  "files": [\\n    "a",\\n    "b"\\n  ],\\n  "include_mlflow": true\\n}' > metadata.json
          """,
        ], in: sample.data)
      let listed = try BackupDirectory(FilePath(sample.backups), files: Kernel()).list()
      #expect(listed.count == 1)
      #expect(listed.first?.metadata?.sizeBytes == 99)
      #expect(listed.first?.metadata?.filesCount == 2)
      #expect(listed.first?.timestamp == 1_769_220_000_500_000_000)
      #expect(try sample.verify(path).findings == [])
      let target = sample.folder + "/restored"
      #expect(try sample.restore(path, to: target).restored == ["hrp.duckdb", "mlruns/"])
      #expect(try run("/usr/bin/diff", ["-r", sample.data + "/mlflow", target + "/mlflow"]).status == 0)
      try run("/bin/sh", ["-c", "echo x >> mlflow/mlruns/0/meta.yaml"], in: path)
      #expect(try sample.verify(path).findings.map(\.line) == ["Checksum mismatch: mlflow/mlruns/0/meta.yaml"])
    }
  }

  @Test("an unsorted checksums.txt is as good as a sorted one; a line twice is not")
  func unsorted() throws {
    try withStack { sample in
      let result = try sample.create()
      try legacy(result.path) { path in
        try run("/bin/sh", ["-c", "LC_ALL=C sort -r checksums.txt > x && mv -f x checksums.txt"], in: path)
      }
      try run("/bin/sh", ["-c", "LC_ALL=C sort -r -k2 checksums.txt > x && mv -f x checksums.txt"], in: result.path)
      #expect(try sample.verify(result.path).findings == [])
      try run("/bin/sh", ["-c", "head -1 checksums.txt >> checksums.txt"], in: result.path)
      #expect(try sample.verify(result.path).findings.map(\.kind) == [.malformed])
    }
  }

  /// Turns a backup into one without our lists' seals, after a change: hashes made anew by who changed it.
  private func legacy(_ path: String, _ change: (String) throws -> Void) throws {
    try run("/bin/chmod", ["-R", "u+w", path])
    try change(path)
    try run(
      "/bin/sh",
      [
        "-c",
        """
        rm -f manifest.jsonl checksums.txt metadata.json && echo '{}' > metadata.json && rmdir mlruns/mlruns/.trash
        find hrp.duckdb* mlruns -type f | LC_ALL=C sort | xargs sha256sum > checksums.txt
        """,
      ], in: path)
  }
}
