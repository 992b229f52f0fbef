import Foundation
import TestKit
import Testing

/// The guide's "Backup Architecture": what is backed up, where it lies, what is in it; names are read from it.
@Suite("Guide: architecture")
struct ContentsTests {
  /// The four names of "Backup Contents", in the guide's order: database, MLflow, checksums, metadata.
  private static let contents: [String] = OperationsGuide.text
    .matches(of: #/(?:\n- )`([^`]+)` - /#).map { String($0.1) }

  @Test(
    "what was committed and is still in the WAL is in the backup, which opens read-only where it lies", .guide(1, 3, 5))
  func database() throws {
    try withGuideHome { home in
      // The program dies: its last commit stays in the WAL.
      try Engine("2.0.1").run(
        "c = duckdb.connect('hrp-data/hrp.duckdb'); c.execute('INSERT INTO t VALUES (10)'); sys.stdout.flush(); os._exit(0)",
        in: home)
      #expect(FileManager.default.fileExists(atPath: home + "/hrp-data/hrp.duckdb.wal"))
      let place = try #require(OperationsGuide.names.first { $0.hasSuffix("/backups/") })
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      let folder = home + place.dropFirst()
      let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasPrefix("backup_") })
      let database = folder + name + "/" + Self.contents[0]
      #expect(
        try Engine("2.0.1").run(
          "print(duckdb.connect('\(database)', read_only=True).execute('SELECT count(*) FROM t').fetchone()[0])",
          in: home)
          == "11")
      let mode = try FileManager.default.attributesOfItem(atPath: database)[.posixPermissions] as? Int
      #expect(mode.map { $0 & 0o222 } == 0)
    }
  }

  @Test("MLflow's records come with the commits of their WAL, under the guide's name", .guide(2, 6))
  func mlflow() throws {
    try withGuideHome { home in
      // A tracking server that goes on: its last commit is in the WAL.
      try Engine("2.0.1").run(
        """
        import sqlite3, subprocess
        c = sqlite3.connect('hrp-data/mlflow/mlflow.db'); c.execute('PRAGMA journal_mode=wal')
        c.execute('PRAGMA wal_autocheckpoint=0'); c.execute('CREATE TABLE runs(run_uuid TEXT)'); c.commit()
        c.execute("INSERT INTO runs VALUES ('r1')"); c.commit()
        assert os.path.getsize('hrp-data/mlflow/mlflow.db-wal') > 0
        subprocess.run(['\(Checkout.hrp)', 'backup', '--backup'], check=True, env={'HOME': '\(home)'})
        """, in: home)
      let found = try run(
        Checkout.python,
        [
          "-c",
          """
          import glob, sqlite3
          path, = glob.glob('hrp-data/backups/backup_*/\(Self.contents[1])mlflow.db')
          print(sqlite3.connect(f'file:{path}?mode=ro&immutable=1', uri=True).execute('SELECT * FROM runs').fetchall())
          """,
        ], in: home)
      #expect(found.output == "[('r1',)]\n", "\(found)")
    }
  }

  @Test("a backup of the Python tool, with the folder mlflow, verifies and restores", .guide(6))
  func otherLayout() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "create"], in: home).status == 0)
      try run(
        "/bin/sh",
        [
          "-c",
          "cd hrp-data/backups/backup_* && chmod -R u+w . && mv mlruns mlflow && rm manifest.jsonl && sed -i 's|  mlruns/|  mlflow/|' checksums.txt",
        ],
        in: home)
      try stripMetadata(in: home)
      let verified = try hrp(["backup", "--verify", "latest"], in: home)
      #expect(verified.status == 0, "\(verified)")
      #expect(try hrp(["backup", "--restore", "latest", "--target-dir", "new"], in: home).status == 0)
      #expect(FileManager.default.fileExists(atPath: home + "/new/mlflow/mlruns/0/meta.yaml"))
    }
  }

  /// Leaves in the metadata what the Python tool writes.
  private func stripMetadata(in home: String) throws {
    try run(
      Checkout.python,
      [
        "-c",
        """
        import glob, json
        path, = glob.glob('hrp-data/backups/backup_*/metadata.json')
        kept = ('timestamp', 'created_at', 'size_bytes', 'size_mb', 'files', 'include_mlflow', 'hrp_version', 'source_dir')
        data = {k: v for k, v in json.load(open(path)).items() if k in kept}
        data['files'] = [f.replace('mlruns/', 'mlflow/', 1) for f in data['files']]
        json.dump(data, open(path, 'w'), indent=2)
        """,
      ], in: home)
  }

  @Test("names are the guide's, also in one second, and each backup is a folder with the guide's files", .guide(4, 9))
  func names() throws {
    try withGuideHome { home in
      for _ in 0..<3 { #expect(try hrp(["backup", "--backup"], in: home).status == 0) }
      let names = try FileManager.default.contentsOfDirectory(atPath: home + "/hrp-data/backups")
        .filter { $0.hasPrefix("backup_") }
      #expect(Set(names).count == 3)
      let shown = OperationsGuide.text.matches(of: #/── (backup_\d{8}_\d{6})\//#).map { String($0.1) }
      #expect(shown.count == 3)
      for name in names {
        #expect(OperationsGuide.shape(name) == OperationsGuide.shape(shown[0]), "\(name)")
        for entry in Self.contents {
          #expect(
            FileManager.default.fileExists(atPath: home + "/hrp-data/backups/\(name)/\(entry)"), "\(name)/\(entry)")
        }
      }
    }
  }

  @Test("the list of SHA-256 is in the form of sha256sum, which finds every file as it is listed", .guide(7))
  func checksums() throws {
    try withGuideHome { home in
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      let list = Self.contents[2]
      let judged = try run(
        "/bin/sh", ["-c", "cd hrp-data/backups/backup_* && sha256sum --strict -c \(list)"], in: home)
      #expect(judged.status == 0 && judged.output == "hrp.duckdb: OK\nmlruns/mlruns/0/meta.yaml: OK\n", "\(judged)")
      let text = try run("/bin/sh", ["-c", "cat hrp-data/backups/backup_*/\(list)"], in: home).output
      let lines = text.split(separator: "\n").map(String.init)
      #expect(lines.allSatisfy { $0.wholeMatch(of: #/[0-9a-f]{64}  [^\/].*/#) != nil } && text.hasSuffix("\n"))
      #expect(lines.map { $0.dropFirst(66) } == lines.map { $0.dropFirst(66) }.sorted())
    }
  }

  @Test("the metadata has the Python tool's keys, and says when, how large and by which version", .guide(8))
  func metadata() throws {
    try withGuideHome { home in
      let before = Date().timeIntervalSince1970
      #expect(try hrp(["backup", "--backup"], in: home).status == 0)
      let text = try run("/bin/sh", ["-c", "cat hrp-data/backups/backup_*/\(Self.contents[3])"], in: home).output
      let value = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      for key in [
        "timestamp", "created_at", "size_bytes", "size_mb", "files", "include_mlflow", "hrp_version", "source_dir",
      ] {
        #expect(value[key] != nil, "\(key)")
      }
      let created = try #require(value["created_at"] as? Double)
      #expect(created >= before - 1 && created <= Date().timeIntervalSince1970)
      #expect((value["timestamp"] as? String)?.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}/#) != nil)
      let bytes = try run(
        "/bin/sh",
        ["-c", "cat hrp-data/backups/backup_*/hrp.duckdb hrp-data/backups/backup_*/mlruns/mlruns/0/* | wc -c"], in: home
      )
      #expect(value["size_bytes"] as? Int == Int(bytes.output.trimmingCharacters(in: .whitespacesAndNewlines)))
      let version = try hrp(["--version"], in: home).output.trimmingCharacters(in: .whitespacesAndNewlines)
      #expect(value["hrp_version"] as? String == version && value["source_dir"] as? String == home + "/hrp-data")
      #expect(text.contains("\n  \"created_at\""))
    }
  }
}
